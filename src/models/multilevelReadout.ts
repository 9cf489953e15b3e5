/**
 * Features for a linear classifier from several depths: what a frozen network knows of motion lies in its middle layers too, and the
 * order of events in how features run over time. On four sets of clips, frozen weights and left-out groups, against the last features
 * with mean, trend and change: cross-entropy 0.56 to 0.46 (docs/benchmarks.md).
 */

import type { Expr } from '../graph/expr.js';
import { abs } from '../graph/operators/activations.js';
import { mul } from '../graph/operators/arithmetic.js';
import { channelSum } from '../graph/operators/channelAffine.js';
import { mixRows } from '../graph/operators/matmul.js';
import { regroup } from '../graph/operators/regroup.js';
import { reshape } from '../graph/operators/reshape.js';
import { concat } from '../graph/operators/sliceConcat.js';
import { mapSize } from '../graph/shape.js';
import type { Features, Level } from './model.js';

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
  const { frames, clips, channels, height, width } = mapSize(map.shape, 'multilevel readout');
  const perFrame = reshape(mul(channelSum(regroup(map, 1)), 1 / (height * width)), [frames, clips * channels]);
  const weighted = (weights: readonly number[], rows: Expr) => reshape(mixRows(weights, rows), [clips, channels]);
  const cosines = waves.map((k) =>
    weighted(
      over(frames, (t) => Math.cos((Math.PI * k * (t + 0.5)) / frames) / frames),
      perFrame,
    ),
  );
  const change = weighted(
    over(frames, () => 1 / Math.max(frames - 1, 1)),
    abs(mixRows(steps(frames), perFrame)),
  );
  const rows = tokens ? [reshape(tokens, [clips, ((tokens.shape[0] ?? 0) / clips) * (tokens.shape[1] ?? 0)])] : [];
  return concat([...cosines, change, ...rows], 1);
}

const over = (frames: number, weight: (t: number) => number): number[] => Array.from({ length: frames }, (_, t) => weight(t));

/** [T, T]: differences of neighbouring rows; the last row is 0. */
function steps(frames: number): number[] {
  return Array.from({ length: frames * frames }, (_, i) => {
    const [row, column] = [Math.floor(i / frames), i % frames];
    return row === frames - 1 ? 0 : Number(column === row + 1) - Number(column === row);
  });
}
