/**
 * How frames see each other. `WholeClip` is the paper's: shared tokens, kernels in both directions. `CausalClip` looks back only,
 * with tokens per frame within a window; causalStream.ts computes the same frame by frame.
 */

import { constant, type Expr, filled } from '../graph/expr.js';
import { channelAffine, channelSum, globalAverage } from '../graph/operators/channelAffine.js';
import { depthwise } from '../graph/operators/depthwise.js';
import { mixRows } from '../graph/operators/matmul.js';
import { channelInnerProducts, pointwise } from '../graph/operators/pointwise.js';
import { regroup } from '../graph/operators/regroup.js';
import { reshape } from '../graph/operators/reshape.js';
import { concat, slice } from '../graph/operators/sliceConcat.js';
import { spatialSoftmax } from '../graph/operators/spatialSoftmax.js';
import { transpose } from '../graph/operators/transpose.js';
import { mapSize } from '../graph/shape.js';

/** A set of tokens belongs to a clip or to one frame of it; S sets in all, those of frame t of clip b at t * B + b. */
export interface Time {
  /** S for clips [T, B, ..]. */
  sets(clips: Expr): number;
  /** The map with one clip for each set of tokens, [.., S, C, H, W], and back. */
  asTokensSee(x: Expr): Expr;
  asFrames(x: Expr): Expr;
  /** Depthwise convolution, see graph/operators/depthwise.ts. */
  depthwise(x: Expr, weight: Expr, stride: number, bias?: Expr): Expr;
  /**
   * The features that queries [S', Q, C] find, [S', Q, C]: a softmax over all positions of all frames that a set of tokens sees. Each
   * query is zero outside the channels of one of the heads, and only there its result is wanted.
   */
  attend(x: Expr, queries: Expr, heads: number): Expr;
  /** Those S' of the S sets of tokens whose logits are wanted, and the mean of the features that each sees, [S', C]. */
  wanted(tokens: Expr): Expr;
  pool(x: Expr): Expr;
}

/** Every frame sees every other one: S = B. */
export class WholeClip implements Time {
  sets = (clips: Expr): number => mapSize(clips.shape, 'clip').clips;
  asTokensSee = (x: Expr): Expr => x;
  asFrames = (x: Expr): Expr => x;
  wanted = (tokens: Expr): Expr => tokens;
  pool = globalAverage;
  depthwise = (x: Expr, weight: Expr, stride: number, bias?: Expr): Expr => depthwise(x, weight, stride, bias);

  attend(x: Expr, queries: Expr, heads: number): Expr {
    return channelInnerProducts(spatialSoftmax(pointwise(x, queries, undefined, heads)), x, true, heads);
  }
}

/** So far below every score that its exponential is 0. */
export const never = -1e4;

/** Maps whose frames each have a set of tokens: S = T * B. */
export abstract class TokensPerFrame {
  constructor(protected readonly frames: number) {}

  asTokensSee(x: Expr): Expr {
    return regroup(x, 1);
  }

  asFrames(x: Expr): Expr {
    return regroup(x, this.frames);
  }
}

/** Frames see themselves and those before them, `window` in all; logits are wanted of the frames listed. */
export class CausalClip extends TokensPerFrame implements Time {
  constructor(
    frames: number,
    private readonly window: number,
    private readonly wantedFrames: readonly number[],
  ) {
    super(frames);
  }

  sets(clips: Expr): number {
    const size = mapSize(clips.shape, 'clip');
    return size.frames * size.clips;
  }

  wanted(tokens: Expr): Expr {
    const each = (tokens.shape[0] ?? 0) / this.frames;
    return concat(
      this.wantedFrames.map((t) => slice(tokens, 0, t * each, (t + 1) * each)),
      0,
    );
  }

  /** Taps t - 2, t - 1, t. */
  depthwise(x: Expr, weight: Expr, stride: number, bias?: Expr): Expr {
    return depthwise(x, weight, stride, bias, ((weight.shape[1] ?? 1) - 1) / 2);
  }

  /** The queries of all frames, or of the wanted ones, meet all frames at once, masked. */
  attend(x: Expr, queries: Expr, heads: number): Expr {
    const { clips, channels } = mapSize(x.shape, 'attend');
    const [sets = 0, each = 0] = queries.shape;
    const asking = sets / clips;
    const perClip = reshape(transpose(reshape(queries, [asking, clips, each, channels]), [1, 0, 2, 3]), [
      clips,
      asking * each,
      channels,
    ]);
    const scores = this.masked(pointwise(x, perClip, undefined, heads), asking, each); // [T, B, T' * Q, H, W]
    const found = reshape(channelInnerProducts(spatialSoftmax(scores), x, true, heads), [clips, asking, each, channels]);
    return reshape(transpose(found, [1, 0, 2, 3]), [sets, each, channels]);
  }

  private masked(scores: Expr, asking: number, each: number): Expr {
    const { clips, channels } = mapSize(scores.shape, 'attend');
    const sees = Array.from({ length: this.frames }, (_, t) =>
      Array.from({ length: asking }, (__, k) => this.sees(asking === this.frames ? k : (this.wantedFrames[k] ?? 0), t)),
    );
    if (sees.flat().every(Boolean)) return scores;
    const rows = sees.flatMap((row) =>
      Array.from({ length: clips }, () => row.flatMap((seen) => Array<number>(each).fill(seen ? 0 : never))),
    );
    const mask = constant(rows.flat(), [this.frames * clips, channels]);
    return regroup(channelAffine(regroup(scores, 1), filled(1, [1, channels]), mask), this.frames);
  }

  private sees(frame: number, other: number): boolean {
    return other <= frame && other > frame - this.window;
  }

  /** Means over the window that ends with each wanted frame. */
  pool(x: Expr): Expr {
    const { clips, channels, height, width } = mapSize(x.shape, 'pool');
    const sums = reshape(channelSum(this.asTokensSee(x)), [this.frames, clips * channels]);
    const weights = this.wantedFrames.flatMap((frame) =>
      Array.from({ length: this.frames }, (_, t) =>
        this.sees(frame, t) ? 1 / (Math.min(frame + 1, this.window) * height * width) : 0,
      ),
    );
    const means = mixRows(weights, sums);
    return reshape(means, [this.wantedFrames.length * clips, channels]);
  }
}
