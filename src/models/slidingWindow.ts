/**
 * Sliding window: the per-frame front runs once per frame and is kept as state, `window` gives the scores of the last T frames,
 * equal to those of one clip. With `neighbours` the window's first and last frame, whose outer neighbours are zero, are recomputed.
 */

import { constant, type Expr, input, previousState, state } from '../graph/expr.js';
import type { Graph } from '../graph/graph.js';
import { depthwise, depthwiseTaps } from '../graph/operators/depthwise.js';
import { reshape } from '../graph/operators/reshape.js';
import { concat, slice } from '../graph/operators/sliceConcat.js';
import { type Shape, sizeOf } from '../graph/shape.js';
import type { NetworkConfig } from './config.js';
import type { PerFrameFront } from './model.js';
import { constantLogits, type FlatWeights } from './network.js';
import { modelOf } from './registry.js';
import { type Time, WholeClip } from './time.js';

/** Whole frames; or the front's features, those behind its kernel in time, and the features of the newest frame. */
type SlidingState = 'frames' | 'kept' | 'block' | 'neighbour';

export interface SlidingGraphs {
  /** Input: frame [3, H, W], normalised. No output: what a frame leaves behind is state. */
  readonly front: Graph<SlidingState, never>;
  /** No inputs but the state. Output: logits [1, classes] of the last T frames. */
  readonly window: Graph<SlidingState, 'logits'>;
}

export function slidingGraphs(config: NetworkConfig, weights: FlatWeights): SlidingGraphs {
  const cut = modelOf(config).front?.(config);
  if (!cut) return wholeFrames(config, weights);
  const shapes = shapesOf(config, weights);
  const frame = shapes.get(cut.frame) ?? [];
  const block = cut.neighbours === undefined ? undefined : shapes.get(cut.neighbours);
  const kept = { ...cut, shape: frame, ...(block && { blockShape: block }) };
  return { front: frontGraph(config, weights, kept), window: windowGraph(config, weights, kept) };
}

/** Shapes [1, 1, C, H, W] of what a frame leaves behind. */
interface Kept extends PerFrameFront {
  readonly shape: Shape;
  readonly blockShape?: Shape;
}

const frameInput = (config: NetworkConfig): Expr =>
  reshape(input('frame', [3, config.height, config.width]), [1, 1, 3, config.height, config.width]);

function wholeFrames(config: NetworkConfig, weights: FlatWeights): SlidingGraphs {
  const { frames, height, width } = config;
  const clip = reshape(input('frames', [frames, 3, height, width]), [frames, 1, 3, height, width]);
  const pushed = reshape(input('frame', [3, height, width]), [1, 3, height, width]);
  return {
    front: { outputs: {}, appends: { frames: pushed } },
    window: { outputs: { logits: constantLogits(config, weights, clip) } },
  };
}

function shapesOf(config: NetworkConfig, weights: FlatWeights): Map<string, Shape> {
  const keep = new Map<string, Expr>();
  constantLogits(config, weights, frameInput(config), { keep, time: new WholeClip() });
  return new Map([...keep].map(([name, { shape }]) => [name, shape]));
}

function frontGraph(config: NetworkConfig, weights: FlatWeights, { frame, neighbours }: Kept): SlidingGraphs['front'] {
  const updates: Partial<Record<SlidingState, Expr>> = {};
  const appends: Partial<Record<SlidingState, Expr>> = {};
  const replace = (name: string, x: Expr) => {
    if (name === frame) appends.kept = x;
    if (name === frame && neighbours !== undefined) updates.neighbour = x;
    if (name === neighbours) appends.block = x;
    return x;
  };
  // A temporal kernel completes the previous frame only when its successor arrives.
  const time =
    neighbours === undefined
      ? new WholeClip()
      : new NeighbouringFrames((x) => [previousState('neighbour', x.shape), state('neighbour', x.shape), x]);
  constantLogits(config, weights, frameInput(config), { replace, time });
  return { outputs: {}, updates, appends };
}

function windowGraph(config: NetworkConfig, weights: FlatWeights, cut: Kept): SlidingGraphs['window'] {
  const { frames, height, width } = config;
  const { shape, blockShape, neighbours } = cut;
  const kept = state('kept', [frames, ...shape.slice(1)]);
  const frame = (t: number) => slice(kept, 0, t, t + 1);
  const replace = (name: string, x: Expr): Expr => {
    if (name === cut.frame) return blockShape ? concat([frame(0), frame(frames - 1)], 0) : kept;
    if (name !== neighbours || !blockShape) return x;
    const middle = frames > 2 ? [state('block', [frames - 2, ...blockShape.slice(1)])] : [];
    return concat([slice(x, 0, 0, 1), ...middle, slice(x, 0, 1, 2)], 0);
  };
  const nothing = constant(new Float32Array(sizeOf(shape)), shape);
  const taps = (x: Expr) => [concat([nothing, frame(frames - 2)], 0), x, concat([frame(1), nothing], 0)];
  const clip = constant(new Float32Array(3 * height * width), [1, 1, 3, height, width]);
  const time = blockShape ? new NeighbouringFrames(taps) : new WholeClip();
  return { outputs: { logits: constantLogits(config, weights, clip, { replace, time }) } };
}

/** A whole clip whose first convolution in time is given the maps that its taps see. */
class NeighbouringFrames extends WholeClip implements Time {
  private given = false;

  constructor(private readonly taps: (x: Expr) => readonly Expr[]) {
    super();
  }

  override depthwise = (x: Expr, weight: Expr, stride: number, bias?: Expr): Expr => {
    if (this.given) return depthwise(x, weight, stride, bias);
    this.given = true;
    return depthwiseTaps(this.taps(x), weight, stride, bias);
  };
}
