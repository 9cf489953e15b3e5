import { mapSize, type Shape } from '../shape.js';

export type Triple = readonly [time: number, height: number, width: number];

export interface Sliding {
  readonly stride: Triple;
  /** Zeros around the map as ONNX lists them: before time, height, width, then after. */
  readonly pads: readonly [number, number, number, number, number, number];
}

/** `half`: half the kernel on both sides; `same`: TensorFlow's rule in space, half in time; `none`: only where the kernel fits. */
export type Padding = 'half' | 'same' | 'none';

/** A number is a stride in space. */
export const asTriple = (stride: number | Triple): Triple => (typeof stride === 'number' ? [1, stride, stride] : stride);

/** `lag`: how many frames the kernel looks back from the middle. */
export function slidingOf(x: Shape, kernel: Triple, stride: Triple, padding: Padding, lag = 0): Sliding {
  const sizes = [x[0] ?? 0, x[3] ?? 0, x[4] ?? 0];
  const both = kernel.map((k, axis) => paddingOf(axis === 0 && padding === 'same' ? 'half' : padding, k, stride[axis] ?? 1, sizes[axis] ?? 0)); // biome-ignore format: one line
  const [t = [0, 0], h = [0, 0], w = [0, 0]] = both;
  return { stride, pads: [t[0] + lag, h[0], w[0], t[1] - lag, h[1], w[1]] };
}

function paddingOf(padding: Padding, kernel: number, stride: number, size: number): [before: number, after: number] {
  if (padding === 'none') return [0, 0];
  if (padding === 'half') return [Math.floor(kernel / 2), Math.floor(kernel / 2)];
  const total = Math.max((Math.ceil(size / stride) - 1) * stride + kernel - size, 0);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

/** Shape of a map after a sliding kernel with `channels` results. */
export function slidShape(x: Shape, channels: number, kernel: Triple, { stride, pads }: Sliding): number[] {
  const { frames, clips, height, width } = mapSize(x, 'sliding kernel');
  const along = (size: number, axis: 0 | 1 | 2) =>
    Math.floor((size + pads[axis] + (pads[axis + 3] ?? 0) - kernel[axis]) / stride[axis]) + 1;
  return [along(frames, 0), clips, channels, along(height, 1), along(width, 2)];
}

/** Frames of a map: number `first`, `first + step`, ..; zero where there is none. */
export interface FramePick {
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

/** What each tap of a kernel in time sees of a map. */
export const tapPicks = (kt: number, { stride, pads }: Sliding, count: number): FramePick[] =>
  Array.from({ length: kt }, (_, tap) => ({ first: tap - pads[0], step: stride[0], count }));

/** Range of the taps in time that see any frame: the first, and their number. */
export function seeingTaps(kt: number, sliding: Sliding, frames: number, count: number): { from: number; length: number } {
  const seeing = tapPicks(kt, sliding, count).flatMap(({ first, step }, tap) =>
    Array.from({ length: count }, (_, i) => first + i * step).some((t) => t >= 0 && t < frames) ? [tap] : [],
  );
  const [from = 0] = seeing;
  return { from, length: (seeing.at(-1) ?? 0) - from + 1 };
}

/** The same kernel without its first taps in time. */
export function withoutTaps({ stride, pads }: Sliding, from: number, dropped: number): Sliding {
  const [before, top, left, after, bottom, right] = pads;
  return { stride, pads: [before - from, top, left, after - (dropped - from), bottom, right] };
}

/** The taps of one axis that reach positions q * stride + phase of a kernel's input, as they look on its output, in order. */
export interface Phase {
  readonly taps: readonly number[];
  /** Where the first of them looks: output q + first. */
  readonly first: number;
}

/** A strided kernel's transpose as one dense kernel for each phase of the input's positions. */
export function phasesOf(kernel: number, stride: number, before: number): Phase[] {
  return Array.from({ length: stride }, (_, phase) => {
    const reached = Array.from({ length: kernel }, (_, i) => kernel - 1 - i).filter(
      (tap) => (phase + before - tap) % stride === 0,
    );
    return { taps: reached, first: (phase + before - (reached[0] ?? 0)) / stride };
  });
}

/** What remains for a kernel of one frame. */
export const inSpace = ({ stride, pads }: Sliding): Sliding => ({
  stride: [1, stride[1], stride[2]],
  pads: [0, pads[1], pads[2], 0, pads[4], pads[5]],
});
