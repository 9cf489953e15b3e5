/** Features for a linear classifier: mean and temporal change of the final features, and the tokens; of earlier baselines. */

import type { Expr } from '../graph/expr.js';
import { concat } from '../graph/operators/sliceConcat.js';
import { mapSize } from '../graph/shape.js';
import { overTime, tokensOfClips } from './overTime.js';

/**
 * Final features x [T, B, C, H, W] and tokens in rows [B*M, d] -> [B, 3C + M*d]: means over space and time, those of the second half less
 * those of the first, the mean absolute change from frame to frame, and the tokens.
 */
export function linearReadout(x: Expr, tokens: Expr): Expr {
  const { frames, sum, change } = overTime(x, 'linear readout');
  const mean = sum(() => 1 / frames);
  const trend = sum((t) => (2 * Math.sign(t - (frames - 1) / 2)) / frames);
  return concat([mean, trend, change(1 / frames), tokensOfClips(tokens, mapSize(x.shape, 'linear readout').clips)], 1);
}
