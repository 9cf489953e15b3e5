/** Features for a linear classifier: mean and temporal change of the final features, and the tokens (linearProbe). */

import type { Expr } from '../graph/expr.js';
import { add, mul, sub } from '../graph/operators/arithmetic.js';
import { channelSum } from '../graph/operators/channelAffine.js';
import { mixRows } from '../graph/operators/matmul.js';
import { regroup } from '../graph/operators/regroup.js';
import { reshape } from '../graph/operators/reshape.js';
import { concat } from '../graph/operators/sliceConcat.js';
import { relu } from '../graph/operators/unary.js';
import { mapSize } from '../graph/shape.js';

/**
 * Final features x [T, B, C, H, W] and tokens in rows [B*M, d] -> [B, 3C + M*d]: means over space and time, those of the second half less
 * those of the first, the mean absolute change from frame to frame, and the tokens.
 */
export function linearReadout(x: Expr, tokens: Expr): Expr {
  const { frames, clips, channels, height, width } = mapSize(x.shape, 'linear readout');
  const perFrame = reshape(mul(channelSum(regroup(x, 1)), 1 / (height * width)), [frames, clips * channels]);
  const weighted = (weights: readonly number[], rows: Expr) => reshape(mixRows(weights, rows), [clips, channels]);
  const each = (weight: (t: number) => number) => Array.from({ length: frames }, (_, t) => weight(t));
  const mean = weighted(
    each(() => 1 / frames),
    perFrame,
  );
  const trend = weighted(
    each((t) => (2 * Math.sign(t - (frames - 1) / 2)) / frames),
    perFrame,
  );
  const steps = mixRows(stepMatrix(frames), perFrame); // [T, B*C]
  const restlessness = weighted(
    each(() => 1 / frames),
    add(relu(steps), relu(sub(0, steps))),
  );
  return concat(
    [mean, trend, restlessness, reshape(tokens, [clips, ((tokens.shape[0] ?? 0) / clips) * (tokens.shape[1] ?? 0)])],
    1,
  );
}

function stepMatrix(frames: number): number[] {
  return Array.from({ length: frames * frames }, (_, i) => {
    const [row, column] = [Math.floor(i / frames), i % frames];
    return row === frames - 1 ? 0 : Number(column === row + 1) - Number(column === row);
  });
}
