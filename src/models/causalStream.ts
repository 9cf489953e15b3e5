/**
 * A causal network on a stream: equal to `CausalClip` (time.ts), from the F newest frames and state: the last two frames before
 * each depthwise kernel, and the window's other frames for attention. A larger F costs less per frame, as each run reads all
 * weights.
 */

import { constant, type Expr, filled, input, previousState, state } from '../graph/expr.js';
import type { Graph } from '../graph/graph.js';
import { add, div, mul, sub } from '../graph/operators/arithmetic.js';
import { channelSum } from '../graph/operators/channelAffine.js';
import { depthwise, depthwiseTaps } from '../graph/operators/depthwise.js';
import { matmul, mixRows } from '../graph/operators/matmul.js';
import { broadcast, sum } from '../graph/operators/reduction.js';
import { regroup } from '../graph/operators/regroup.js';
import { reshape } from '../graph/operators/reshape.js';
import { concat, slice } from '../graph/operators/sliceConcat.js';
import { softmax } from '../graph/operators/softmax.js';
import { transpose } from '../graph/operators/transpose.js';
import { mapSize } from '../graph/shape.js';
import type { NetworkConfig } from './config.js';
import { constantLogits, type FlatWeights, outline } from './network.js';
import { never, type Time, TokensPerFrame } from './time.js';

/** Input: frames [F, 3, H, W], normalised. Output: logits [1, classes] of the window that ends with the last one. */
export const streamGraph = (config: NetworkConfig, weights: FlatWeights, frames = 1): Graph =>
  streamed(config, frames, (clip, time) => constantLogits(config, weights, clip, { time }));

/** The graph for one frame without weights, for counting. */
export const streamOutline = (config: NetworkConfig): Graph =>
  streamed(config, 1, (clip, time) => outline(config, { time }, clip).logits);

function streamed(config: NetworkConfig, frames: number, logitsOf: (clip: Expr, time: Time) => Expr): Graph {
  const time = new CausalStream(frames, config.frames);
  const { height, width } = config;
  const clip = reshape(input('frames', [frames, 3, height, width]), [frames, 1, 3, height, width]);
  const logits = logitsOf(clip, time);
  return { outputs: { logits }, updates: time.updates, appends: time.appends };
}

/** Frames of the queries, and of the keys: so many before the new ones, or with 0 the new ones themselves. */
interface Asked {
  readonly asking: number;
  readonly area: number;
  readonly before: number;
  readonly heads: number;
}

class CausalStream extends TokensPerFrame implements Time {
  /** State for later frames. */
  readonly updates: Record<string, Expr> = {};
  readonly appends: Record<string, Expr> = {};
  private readonly masks = new Map<string, Expr>();
  private names = 0;
  /** Frames of the window before its last. */
  private readonly past: number;
  /** 1 for each earlier frame that exists, [past]. */
  private readonly there: Expr | undefined;

  constructor(
    frames: number,
    private readonly window: number,
  ) {
    super(frames);
    this.past = window - 1;
    if (this.past > 0) this.there = this.history('there', filled(1, [frames]));
  }

  sets = (): number => this.frames;

  wanted(tokens: Expr): Expr {
    const rows = tokens.shape[0] ?? 0;
    return slice(tokens, 0, rows - rows / this.frames, rows);
  }

  /** Taps t - 2, t - 1 and t, the first frames' from state. */
  depthwise(x: Expr, weight: Expr, stride: number, bias?: Expr): Expr {
    if (weight.shape[1] === 1) return depthwise(x, weight, stride, bias);
    const name = `features.${this.names++}`;
    const { frames } = this;
    const shape = [1, ...x.shape.slice(1)];
    const last = state(name, shape);
    this.updates[name] = slice(x, 0, frames - 1, frames);
    if (frames === 1) return depthwiseTaps([previousState(name, shape), last, x], weight, stride, bias);
    const older = `${name}.previous`;
    const previous = state(older, shape);
    this.updates[older] = slice(x, 0, frames - 2, frames - 1);
    const twoBack = frames === 2 ? [previous, last] : [previous, last, slice(x, 0, 0, frames - 2)];
    const oneBack = concat([last, slice(x, 0, 0, frames - 1)], 0);
    return depthwiseTaps([concat(twoBack, 0), oneBack, x], weight, stride, bias);
  }

  /** Queries of all new frames, or of the last one only, [F', Q, C]. */
  attend(x: Expr, queries: Expr, heads: number): Expr {
    const { channels, height, width } = mapSize(x.shape, 'attend');
    const [asking = 1, each = 1] = queries.shape;
    const area = height * width;
    const rows = reshape(transpose(x, [0, 1, 3, 4, 2]), [this.frames * area, channels]);
    const asked = reshape(queries, [asking * each, channels]);
    const now = this.scores(asked, rows, { asking, area, before: 0, heads });
    if (this.past === 0) return reshape(matmul(softmax(now), rows, { groups: heads }), queries.shape);
    const before = this.history(`rows.${this.names++}`, rows); // [past * H*W, C]
    const attention = softmax(concat([this.scores(asked, before, { asking, area, before: this.past, heads }), now], 1)); // [F' * Q, (past + F) * H*W]
    const split = this.past * area;
    const found = add(
      matmul(slice(attention, 1, 0, split), before, { groups: heads }),
      matmul(slice(attention, 1, split, split + this.frames * area), rows, { groups: heads }),
    );
    return reshape(found, queries.shape);
  }

  /** Masked scores of the keys `before` the new frames, or with 0 of the new ones. */
  private scores(asked: Expr, rows: Expr, { asking, area, before, heads }: Asked): Expr {
    const frames = before || this.frames;
    const scores = matmul(asked, rows, { transposeB: true, groups: heads });
    const mask = this.mask(asking, before);
    if (!mask) return scores;
    // One row for all queries is added in the pass of the product.
    if (asking === 1) return add(scores, reshape(broadcast(reshape(mask, [frames, 1]), [frames, area]), [1, frames * area]));
    const each = (asked.shape[0] ?? 0) / asking;
    const masked = add(reshape(scores, [asking, each, frames, area]), reshape(mask, [asking, 1, frames, 1]));
    return reshape(masked, [asking * each, frames * area]);
  }

  /** Added to scores, [F', frames]: 0, or so low that nothing is left. Undefined where all is visible. */
  private mask(asking: number, before: number): Expr | undefined {
    const key = `${asking} ${before}`;
    const known = this.masks.get(key);
    if (known) return known;
    const count = before || this.frames;
    const hidden = Array.from({ length: asking * count }, (_, i) => {
      const newest = this.frames - asking + Math.floor(i / count);
      const other = (i % count) - before;
      return other <= newest && other > newest - this.window ? 0 : never;
    });
    if (before === 0 && hidden.every((value) => value === 0)) return undefined;
    const fixed = constant(hidden, [asking, count]);
    const mask = before && this.there ? add(fixed, reshape(mul(sub(1, this.there), never), [1, before])) : fixed;
    this.masks.set(key, mask);
    return mask;
  }

  /** The mean over the window that ends with the last frame. */
  pool(x: Expr): Expr {
    const { height, width } = mapSize(x.shape, 'pool');
    const sums = channelSum(regroup(x, 1)); // [F, C]
    const inside = (frame: number) => Number(frame > this.frames - 1 - this.window);
    const weights = Array.from({ length: this.frames }, (_, t) => inside(t));
    const newest = this.frames === 1 ? sums : mixRows(weights, sums);
    const count = weights.reduce((a, b) => a + b, 0);
    if (!this.there) return mul(newest, 1 / (count * height * width));
    const earlier = constant(
      Array.from({ length: this.past }, (_, i) => inside(i - this.past)),
      [1, this.past],
    );
    const total = add(newest, matmul(earlier, this.history('pooled', sums), { pooling: true }));
    const frames = add(sum(mul(earlier, reshape(this.there, [1, this.past])), [1]), count);
    return div(total, mul(frames, height * width));
  }

  /** `newest` [n * F, ..] of the window's earlier frames, [n * past, ..]; zeros before the first. */
  private history(name: string, newest: Expr): Expr {
    const [first = 1, ...rest] = newest.shape;
    this.appends[name] = newest;
    return input(name, [(this.past * first) / this.frames, ...rest]);
  }
}
