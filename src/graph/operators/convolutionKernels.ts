/** Kernels by taps in time, in either layout. */

import type { Expr } from '../expr.js';
import type { BlockedLayout } from '../lowering/blockedLayout.js';
import type { Emitter } from '../lowering/emitter.js';
import { mapSize, type Shape } from '../shape.js';
import { imageShape, images, pickFrames } from './images.js';
import type { NchwcLowering } from './operator.js';
import type { Places } from './transposed.js';
import type { FramePick, Sliding } from './window.js';

export type Grouped = Sliding & { readonly groups: number };

/** What taps in time see, their channels side by side: [images, taps * C, H, W]. */
export function sideBySide(e: Emitter, x: string, shape: Shape, picks: readonly FramePick[]): string {
  const { clips } = mapSize(shape, 'convolution');
  const seen = picks.map((pick) => pickFrames(e, images(e, x, shape), pick, clips, imageShape(shape)));
  return seen.length === 1 && seen[0] ? seen[0] : e.node('Concat', seen, { axis: 1 });
}

/** Taps in time that are computed in one pass: all of them, or with groups each alone. */
export const passes = (taps: readonly number[], groups: number): number[][] =>
  groups === 1 ? [[...taps]] : taps.map((tap) => [tap]);

/** The kernels [O, I, n, kh, kw] of some taps in time. */
export const tapsOf = (e: Emitter, weight: string, kt: number, taps: readonly number[]): string =>
  taps.length === kt ? weight : e.node('Gather', [weight, e.integers(taps)], { axis: 2 });

export interface DenseWeight {
  /** [O, C / groups, kt, kh, kw] */
  readonly name: string;
  readonly shape: Shape;
  readonly groups: number;
}

export const denseWeight = (c: NchwcLowering, weight: Expr, groups: number): DenseWeight => ({
  name: c.standard(weight),
  shape: weight.shape,
  groups,
});

/** Groups must be whole blocks. */
export const groupsAreBlocks = ({ layout: { block } }: NchwcLowering, [out = 0, into = 0]: Shape, groups: number): boolean =>
  groups === 1 || (into % block === 0 && (out / groups) % block === 0);

/** One kernel a tap, [O lanes, C, kh, kw], output channels in blocks. */
export function plainKernels(
  layout: BlockedLayout,
  { name, shape: [out = 0, into = 0, kt = 1, kh = 1, kw = 1] }: DenseWeight,
): string[] {
  const rows = layout.padded(out);
  const { e, block: b } = layout;
  return Array.from({ length: kt }, (_, tap) => {
    const one = e.reshape(kt === 1 ? name : e.slice(name, 2, tap, tap + 1), [out, into, kh, kw]);
    const whole = e.pad(one, [0, 0, 0, 0], [rows - out, 0, 0, 0]);
    const blocks = e.transpose(e.reshape(whole, [rows / b, b, into * kh * kw]), [0, 2, 1]);
    return e.reshape(blocks, [rows, into, kh, kw]);
  });
}

/** One kernel a tap with both channels in blocks, [g, O/b, C/b, kh, kw, bi, bo]; `flipped`: from O to C, with some places. */
export function blockKernels(
  layout: BlockedLayout,
  { name, shape, groups }: DenseWeight,
  flipped: boolean,
  places?: Places,
): string[] {
  const [out = 0, into = 0, kt = 1, kh = 1, kw = 1] = shape;
  const { e, block: b } = layout;
  const [rows, columns] = [layout.padded(out / groups), layout.padded(into)];
  const flat = e.reshape(name, [groups, out / groups, into, kt, kh * kw]);
  const whole = e.pad(flat, [0, 0, 0, 0, 0], [0, rows - out / groups, columns - into, 0, 0]);
  const split = e.reshape(whole, [groups, rows / b, b, columns / b, b, kt, kh * kw]);
  const picked = places ? e.node('Gather', [split, e.integers(places.list)], { axis: 6 }) : split;
  const blocks = e.transpose(picked, flipped ? [5, 0, 3, 1, 6, 2, 4] : [5, 0, 1, 3, 6, 4, 2]);
  const [to, from] = flipped ? [columns, rows] : [rows, columns];
  const all = e.reshape(blocks, [kt * groups * to, from, ...(places?.size ?? [kh, kw])]);
  return kt === 1 ? [all] : e.split(all, 0, Array<number>(kt).fill(groups * to));
}
