/** Means of a map over space and what becomes of them over time, for readouts. */

import type { Expr } from '../graph/expr.js';
import { abs } from '../graph/operators/activations.js';
import { mul } from '../graph/operators/arithmetic.js';
import { channelSum } from '../graph/operators/channelAffine.js';
import { mixRows } from '../graph/operators/matmul.js';
import { regroup } from '../graph/operators/regroup.js';
import { reshape } from '../graph/operators/reshape.js';
import { mapSize } from '../graph/shape.js';

export interface OverTime {
  readonly frames: number;
  /** Weighted sum over frames, [B, C]; weights by frame. */
  sum(weight: (t: number) => number): Expr;
  /** Sum of absolute changes from frame to frame times `factor`, [B, C]. */
  change(factor: number): Expr;
}

/** Of a map [T, B, C, H, W]; `what` names it in errors. */
export function overTime(map: Expr, what: string): OverTime {
  const { frames, clips, channels, height, width } = mapSize(map.shape, what);
  const perFrame = reshape(mul(channelSum(regroup(map, 1)), 1 / (height * width)), [frames, clips * channels]);
  const weighted = (weight: (t: number) => number, rows: Expr) =>
    reshape(
      mixRows(
        Array.from({ length: frames }, (_, t) => weight(t)),
        rows,
      ),
      [clips, channels],
    );
  return {
    frames,
    sum: (weight) => weighted(weight, perFrame),
    change: (factor) => weighted(() => factor, abs(mixRows(steps(frames), perFrame))),
  };
}

/** Tokens in rows [B*M, d] as [B, M*d]. */
export const tokensOfClips = (tokens: Expr, clips: number): Expr =>
  reshape(tokens, [clips, ((tokens.shape[0] ?? 0) / clips) * (tokens.shape[1] ?? 0)]);

/** [T, T]: differences of neighbouring rows; the last row is 0. */
function steps(frames: number): number[] {
  return Array.from({ length: frames * frames }, (_, i) => {
    const [row, column] = [Math.floor(i / frames), i % frames];
    return row === frames - 1 ? 0 : Number(column === row + 1) - Number(column === row);
  });
}
