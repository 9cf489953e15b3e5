/**
 * Any network over a window of frames that slides: what comes before the first bridge sees no tokens, so it is computed once for each
 * frame and kept (state of the engine, runtime/film.ts), not once for each window that the frame is in. `front` runs for each frame,
 * `window` whenever the scores of the last T frames are wanted; they are those of the same frames as one clip.
 *
 * Kept are the stem's output and that of a first block of kind `lite`. Where its kernel is 3 long in time, the first and the last frame
 * of a window see zeros where frames in the middle see a neighbour: those two are computed anew from the stem's output.
 */

import { concat, reshape, slice } from '../graph/arrange.js';
import { depthwise, depthwiseTaps } from '../graph/convolution.js';
import { constant, type Expr, input, memory } from '../graph/expr.js';
import { sizeOf } from '../graph/shape.js';
import type { NetworkConfig } from './config.js';
import { constantLogits, type FlatWeights } from './network.js';
import { type Time, WholeClip } from './time.js';

export interface SlidingGraphs {
  /** Input: frame [3, S, S], normalised. Outputs: only what is kept. */
  readonly front: Readonly<Record<string, Expr>>;
  /** No inputs but what is kept. Output: logits [1, classes] of the last T frames. */
  readonly window: Readonly<Record<string, Expr>>;
}

export function slidingGraphs(config: NetworkConfig, weights: FlatWeights): SlidingGraphs {
  const shapes = keptShapes(config, weights);
  return { front: frontGraph(config, weights, shapes), window: windowGraph(config, weights, shapes) };
}

/** Shapes [1, 1, C, H, W] of what a frame leaves behind; the block's is absent where the first block is none to keep. */
interface KeptShapes {
  readonly stem: readonly number[];
  readonly block?: readonly number[];
  /** Whether the first and last frame's values depend on where the window ends. */
  readonly edges: boolean;
}

const frameInput = (config: NetworkConfig): Expr =>
  reshape(input('frame', [3, config.size, config.size]), [1, 1, 3, config.size, config.size]);

function keptShapes(config: NetworkConfig, weights: FlatWeights): KeptShapes {
  const shapes = new Map<string, readonly number[]>();
  const replace = (name: string, x: Expr) => {
    shapes.set(name, x.shape);
    return x;
  };
  constantLogits(config, weights, frameInput(config), { replace, time: new WholeClip() });
  const [first] = config.blocks;
  const block = first?.kind === 'lite' ? shapes.get(firstBlock) : undefined;
  const edges = first?.temporal === 3 && config.frames > 1;
  return { stem: shapes.get(stemName) ?? [], ...(block && { block }), edges: block !== undefined && edges };
}

const stemName = 'stem';
const firstBlock = 'blocks.0.features';

function frontGraph(config: NetworkConfig, weights: FlatWeights, { block, edges }: KeptShapes): Record<string, Expr> {
  const kept: Record<string, Expr> = {};
  const replace = (name: string, x: Expr) => {
    if (name === stemName && (edges || !block)) kept['stem.push'] = x;
    if (name === stemName && edges) kept['neighbour.next'] = x;
    if (name === firstBlock && block) kept['block.push'] = x;
    return x;
  };
  // With edges, the block's output is that of the frame before: only now is its later neighbour there.
  const time = edges
    ? new NeighbouringFrames((x) => [memory('neighbour.before', x.shape), memory('neighbour', x.shape), x])
    : undefined;
  constantLogits(config, weights, frameInput(config), { replace, time: time ?? new WholeClip() });
  return kept;
}

function windowGraph(config: NetworkConfig, weights: FlatWeights, { stem, block, edges }: KeptShapes): Record<string, Expr> {
  const { frames } = config;
  const film = (name: string, shape: readonly number[], count: number) => memory(name, [count, ...shape.slice(1)]);
  const kept = edges || !block ? film('stem', stem, frames) : undefined;
  const frame = (t: number) => slice(kept as Expr, 0, t, t + 1);
  const replace = (name: string, x: Expr): Expr => {
    if (name === stemName && kept) return edges ? concat([frame(0), frame(frames - 1)], 0) : kept;
    if (name !== firstBlock || !block) return x;
    if (!edges) return film('block', block, frames);
    const middle = frames > 2 ? [film('block', block, frames - 2)] : [];
    return concat([slice(x, 0, 0, 1), ...middle, slice(x, 0, 1, 2)], 0);
  };
  const nothing = constant(new Float32Array(sizeOf(stem)), stem);
  const neighbours = (x: Expr) => [concat([nothing, frame(frames - 2)], 0), x, concat([frame(1), nothing], 0)];
  const clip = constant(new Float32Array(3 * config.size ** 2), [1, 1, 3, config.size, config.size]);
  const time = edges ? new NeighbouringFrames(neighbours) : new WholeClip();
  return { logits: constantLogits(config, weights, clip, { replace, time }) };
}

/** A whole clip, but the first convolution in time is told what its taps see. */
class NeighbouringFrames extends WholeClip implements Time {
  private told = false;

  constructor(private readonly taps: (x: Expr) => readonly Expr[]) {
    super();
  }

  override depthwise = (x: Expr, weight: Expr, stride: number, bias?: Expr): Expr => {
    if (this.told) return depthwise(x, weight, stride, bias);
    this.told = true;
    return depthwiseTaps(this.taps(x), weight, stride, bias);
  };
}
