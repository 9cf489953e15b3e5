/** Feature maps as images [T*B, C, H, W] for ONNX's convolutions, and frames picked for taps in time. */

import type { Emitter } from '../lowering/emitter.js';
import { type MapSize, mapSize, type Shape, sizeOf } from '../shape.js';
import type { FramePick, Sliding } from './window.js';

export const imageShape = (shape: Shape): Shape => {
  const { frames, clips, channels, height, width } = mapSize(shape, 'images');
  return [frames * clips, channels, height, width];
};

export const images = (e: Emitter, x: string, shape: Shape): string => e.reshape(x, imageShape(shape));

/**
 * Frames of a map, zero beyond its ends. `shape` is how x is seen, images first; whole frames as rows of one matrix are padded by a
 * plain copy, padding along four axes would be one for every line.
 */
export function pickFrames(
  e: Emitter,
  x: string,
  { first, step, count }: FramePick,
  imagesPerFrame: number,
  shape: Shape,
): string {
  const [all = 0, ...rest] = shape;
  const frames = all / imagesPerFrame;
  if (first === 0 && step === 1 && count === frames) return x;
  const rows = e.reshape(x, [frames, sizeOf(shape) / frames]);
  const picked =
    step === 1 ? e.pad(rows, [-first, 0], [first + count - frames, 0]) : stepped(e, rows, { first, step, count }, frames);
  return e.reshape(picked, [count * imagesPerFrame, ...rest]);
}

function stepped(e: Emitter, rows: string, { first, step, count }: FramePick, frames: number): string {
  const before = first < 0 ? Math.ceil(-first / step) : 0;
  const start = first + before * step;
  const there = Math.ceil((frames - start) / step);
  const kept = e.node('Slice', [rows, ...[[start], [frames], [0], [step]].map((values) => e.integers(values))]);
  return e.pad(kept, [before, 0], [count - before - there, 0]);
}

/** The first frame of each part, then the second of each, ..: as many as `frames`. Every part is seen under `shape`, images first. */
export function interleaveFrames(
  e: Emitter,
  parts: readonly string[],
  frames: number,
  imagesPerFrame: number,
  shape: Shape,
): string {
  const [only] = parts;
  if (parts.length === 1 && only) return only;
  const [all = 0, ...rest] = shape;
  const each = all / imagesPerFrame;
  const row = sizeOf(shape) / each;
  const joined = e.node('Concat', parts.map((part) => e.reshape(part, [each, 1, row])), { axis: 1 }); // biome-ignore format: one line
  const flat = e.reshape(joined, [each * parts.length, row]);
  return e.reshape(e.pad(flat, [0, 0], [frames - each * parts.length, 0]), [frames * imagesPerFrame, ...rest]);
}

export const sumOf = (e: Emitter, parts: readonly string[]): string => parts.reduce((a, b) => e.node('Add', [a, b]));

/** The part of a sliding kernel that concerns space, as attributes of Conv. */
export const spatialAttributes = (kernel: readonly number[], { stride, pads }: Sliding) => ({
  kernel_shape: kernel,
  pads: [pads[1], pads[2], pads[4], pads[5]],
  strides: [stride[1], stride[2]],
});

/** ConvTranspose's output padding to reach the size before the convolution. */
export const outputPadding = (
  to: MapSize,
  from: MapSize,
  kernel: readonly [number, number],
  { stride, pads }: Sliding,
): number[] => [
  to.height - ((from.height - 1) * stride[1] + kernel[0] - pads[1] - pads[4]),
  to.width - ((from.width - 1) * stride[2] + kernel[1] - pads[2] - pads[5]),
];

/**
 * Padding [top, left, bottom, right] under which a convolution of the map by the (dilated) gradient gives exactly the positions of
 * the kernel; negative where the last rows were never reached.
 */
export function kernelGradientPads(
  big: MapSize,
  small: MapSize,
  kernel: readonly [number, number],
  { stride, pads }: Sliding,
): number[] {
  const bottom = kernel[0] + (small.height - 1) * stride[1] - big.height - pads[1];
  return [pads[1], pads[2], bottom, kernel[1] + (small.width - 1) * stride[2] - big.width - pads[2]];
}

/** Images without the rows and columns that negative padding leaves out, and the padding that remains. */
export function cropped(e: Emitter, x: string, pads: readonly number[]): { x: string; pads: number[] } {
  const crop = pads.map((pad) => Math.min(pad, 0));
  const [top = 0, left = 0, bottom = 0, right = 0] = crop;
  return { x: e.pad(x, [0, 0, top, left], [0, 0, bottom, right]), pads: pads.map((pad) => Math.max(pad, 0)) };
}
