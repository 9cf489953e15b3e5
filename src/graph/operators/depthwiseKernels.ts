import type { Expr } from '../expr.js';
import type { BlockedLayout, BlockedMap } from '../lowering/blockedLayout.js';
import type { Emitter } from '../lowering/emitter.js';
import type { Shape } from '../shape.js';
import { pickFrames } from './images.js';
import type { NchwcLowering } from './operator.js';
import type { Places } from './transposed.js';
import type { FramePick, Triple } from './window.js';

export const kernelOf = ([, kt = 1, kh = 1, kw = 1]: Shape): Triple => [kt, kh, kw];

/** The kernel of one temporal tap, [C * e, 1, kh, kw]. */
export function tapKernel(e: Emitter, weight: string, [out = 0, , kh = 0, kw = 0]: Shape, k: number): string {
  return e.reshape(e.slice(weight, 1, k, k + 1), [out, 1, kh, kw]);
}

export interface DepthwiseWeight {
  /** [out, kt, kh, kw] */
  readonly name: string;
  readonly out: number;
  readonly kernel: Triple;
}

export const weightOf = (c: NchwcLowering, weight: Expr): DepthwiseWeight => ({
  name: c.standard(weight),
  out: weight.shape[0] ?? 0,
  kernel: kernelOf(weight.shape),
});

/** An axis cut into pieces of equal length. */
export const pieces = (e: Emitter, x: string, axis: number, count: number, each: number): string[] =>
  count === 1 ? [x] : e.split(x, axis, Array<number>(count).fill(each));

export const picked = (layout: BlockedLayout, x: BlockedMap, pick: FramePick): string =>
  pickFrames(layout.e, x.name, pick, x.size.clips, layout.nominal(x));

/**
 * Kernels [expand][kt], each in the blocked depthwise layout [C / b, h, w, b] under the shape [C, 1, h, w]: the whole kernel or some
 * of its places, numbered row by row.
 */
export function blockedKernels(layout: BlockedLayout, w: DepthwiseWeight, expand: number, places?: Places): string[][] {
  const { e, block: b } = layout;
  const [kt, kh, kw] = w.kernel;
  const channels = w.out / expand;
  const each = layout.padded(channels);
  const split = e.reshape(w.name, [channels, expand, kt, kh * kw]);
  const padded = e.pad(e.transpose(split, [1, 2, 0, 3]), [0, 0, 0, 0], [0, 0, each - channels, 0]); // [e, kt, C, k]
  const blocks = e.transpose(e.reshape(padded, [expand * kt, each / b, b, kh * kw]), [0, 1, 3, 2]); // [e*kt, C/b, k, b]
  const picked = places ? e.node('Gather', [blocks, e.integers(places.list)], { axis: 2 }) : blocks;
  const whole = e.reshape(picked, [expand * kt * each, 1, ...(places?.size ?? [kh, kw])]);
  const kernels = pieces(e, whole, 0, expand * kt, each);
  return Array.from({ length: expand }, (_, k) => kernels.slice(k * kt, (k + 1) * kt));
}

/** The parts of a gradient that belong to each expansion, each a map with its channels in order. */
export function expansions(layout: BlockedLayout, dy: BlockedMap): BlockedMap[] {
  const { expand, channels } = dy.lanes;
  const lanes = { channels: channels / expand, expand: 1 };
  const size = { ...dy.size, channels: channels / expand };
  return pieces(layout.e, dy.name, 1, expand, layout.base(dy.lanes)).map((name) => ({ name, size, lanes }));
}
