/**
 * Features for a linear classifier from several depths: what a frozen network knows of motion lies in its middle layers too, and the
 * order of events in how features run over time. On four sets of clips, frozen weights and left-out groups, against the last features
 * with mean, trend and change: cross-entropy 0.56 to 0.46 (docs/benchmarks.md).
 */

import type { Expr } from '../graph/expr.js';
import { concat } from '../graph/operators/sliceConcat.js';
import { mapSize } from '../graph/shape.js';
import type { Features, Level } from './model.js';
import { overTime, tokensOfClips } from './overTime.js';

/** Blocks before the last features that a readout sees. */
export const readoutDepth = 4;
/** Half periods of the cosines over a clip. */
const waves = [0, 1, 2, 3];

/** -> [B, D], the last level first; see `levelWidths` for what belongs to which level. */
export function multilevelReadout(features: Features): Expr {
  return concat(readoutLevels(features).map(summary), 1);
}

/** D of each level. */
export const levelWidths = (features: Features): number[] => readoutLevels(features).map((level) => summary(level).shape[1] ?? 0);

const readoutLevels = ({ map, tokens, levels }: Features): Level[] => [
  { map, ...(tokens && { tokens }) },
  ...levels.toReversed(),
];

/**
 * [B, 5C + M*d]: the first four terms of the cosine transform over time of means over space (the first is the mean), the mean
 * absolute change from frame to frame, and the tokens.
 */
function summary({ map, tokens }: Level): Expr {
  const { frames, sum, change } = overTime(map, 'multilevel readout');
  const cosines = waves.map((k) => sum((t) => Math.cos((Math.PI * k * (t + 0.5)) / frames) / frames));
  const rows = tokens ? [tokensOfClips(tokens, mapSize(map.shape, 'multilevel readout').clips)] : [];
  return concat([...cosines, change(1 / Math.max(frames - 1, 1)), ...rows], 1);
}
