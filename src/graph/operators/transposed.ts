/**
 * Transposed convolution for input gradients. With strides: one small dense convolution per phase, interleaved, instead of a
 * zero-stuffed map.
 */

import type { BlockedLayout } from '../lowering/blockedLayout.js';
import type { Emitter } from '../lowering/emitter.js';
import { type MapSize, mapSize, type Shape } from '../shape.js';
import { imageShape, interleaveFrames } from './images.js';
import { type Phase, phasesOf, type Sliding } from './window.js';

/** For each phase of the input's frames, the taps that reach it and the frames of the output that they see there. */
export function timePhases(kt: number, { stride, pads }: Sliding, frames: number) {
  const [step, before] = [stride[0], pads[0]];
  const count = Math.ceil(frames / step);
  return Array.from({ length: step }, (_, phase) =>
    [...Array(kt).keys()]
      .filter((k) => (phase + before - k) % step === 0)
      .map((k) => ({ tap: k, pick: { first: (phase + before - k) / step, step: 1, count } })),
  );
}

/** The frames of each phase where they belong in a map of this shape; zeros for a phase that no tap reaches. */
export function joinPhases(e: Emitter, phases: readonly (string | undefined)[], shape: Shape, { stride }: Sliding): string {
  const { frames, clips } = mapSize(shape, 'gradient');
  const each = [Math.ceil(frames / stride[0]) * clips, ...imageShape(shape).slice(1)];
  return interleaveFrames(e, phases.map((phase) => phase ?? e.filled(0, each)), frames, clips, each); // biome-ignore format: one line
}

/** Some of the places of a kernel, row by row, and how they lie. */
export interface Places {
  readonly list: readonly number[];
  readonly size: readonly [number, number];
}

/** One map that a tap in time sees, and its kernel's places. */
export interface GradientTerm {
  readonly map: string;
  readonly kernel: (places: Places) => string;
}

interface Transposed {
  readonly sliding: Sliding;
  readonly kernel: readonly [height: number, width: number];
  readonly from: MapSize;
  /** Of the result, with its lanes; `frames` are those of the terms. */
  readonly to: MapSize;
  readonly frames: number;
  readonly lanes: number;
  readonly group: number;
}

/** The terms' sum, [frames * B, lanes, H, W]. */
export function transposedNchwc(layout: BlockedLayout, terms: readonly GradientTerm[], what: Transposed): string {
  const { sliding, kernel, to, frames, lanes } = what;
  const { stride, pads } = sliding;
  const rows = phasesOf(kernel[0], stride[1], pads[1]);
  const columns = phasesOf(kernel[1], stride[2], pads[2]);
  const [height, width] = [Math.ceil(to.height / stride[1]), Math.ceil(to.width / stride[2])];
  const images = frames * to.clips;
  const join = (parts: readonly string[], axis: number) =>
    parts.length === 1 && parts[0] ? parts[0] : layout.e.node('Concat', parts, { axis });
  if (rows.length === 1 && columns.length === 1) return phaseOf(layout, terms, what, rows[0], columns[0], [height, width]);
  const lines = rows.map((row) => {
    const parts = columns.map((column) => phaseOf(layout, terms, what, row, column, [height, width]));
    return join(parts.map((part) => layout.e.reshape(part, [-1, height, width, layout.block])), 3); // biome-ignore format: one line
  });
  const line = [-1, height, 1, columns.length * width * layout.block];
  const both = join(lines.map((part) => layout.e.reshape(part, line)), 2); // biome-ignore format: one line
  const [tall, wide] = [height * rows.length, width * columns.length];
  const whole = layout.e.reshape(both, [(images * lanes) / layout.block, tall, wide, layout.block]);
  const cut = layout.e.pad(whole, [0, 0, 0, 0], [0, to.height - tall, to.width - wide, 0]);
  return layout.e.reshape(cut, [images, lanes, to.height, to.width]);
}

/** The positions of one phase; zeros where no tap reaches them. */
function phaseOf(
  layout: BlockedLayout,
  terms: readonly GradientTerm[],
  { kernel, from, to, frames, lanes, group }: Transposed,
  row: Phase | undefined,
  column: Phase | undefined,
  [height, width]: readonly [number, number],
): string {
  const [down, across] = [row?.taps ?? [], column?.taps ?? []];
  if (down.length * across.length === 0) return layout.e.filled(0, [frames * to.clips, lanes, height, width]);
  const places = {
    list: down.flatMap((r) => across.map((c) => r * kernel[1] + c)),
    size: [down.length, across.length] as const,
  };
  const [top, left] = [-(row?.first ?? 0), -(column?.first ?? 0)];
  const pads = [top, left, height - from.height + down.length - 1 - top, width - from.width + across.length - 1 - left];
  let sum: string | undefined;
  for (const term of terms) {
    const more = { pads, ...(sum !== undefined && { addend: sum }) };
    sum = layout.conv([term.map, term.kernel(places)], places.size, group, more);
  }
  return sum ?? layout.e.filled(0, [frames * to.clips, lanes, height, width]);
}

/** Whether every phase can be computed with padding alone, none of it negative. */
export function hasPhases(kernel: readonly [number, number], from: MapSize, to: MapSize, { stride, pads }: Sliding): boolean {
  const fits = (k: number, axis: 1 | 2, small: number, big: number) =>
    phasesOf(k, stride[axis], pads[axis]).every(
      ({ taps, first }) =>
        taps.length === 0 || (first <= 0 && Math.ceil(big / stride[axis]) - small + taps.length - 1 + first >= 0),
    );
  return fits(kernel[0], 1, from.height, to.height) && fits(kernel[1], 2, from.width, to.width);
}
