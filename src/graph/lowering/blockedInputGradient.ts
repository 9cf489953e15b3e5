/**
 * The transpose of a convolution on blocked maps. With a stride each phase of a position sees its own taps, so a few small dense
 * convolutions over the gradient, interleaved, do the work of one over a map with zeros in between.
 */

import type { Phase, Sliding } from '../operators/window.js';
import { phasesOf } from '../operators/window.js';
import type { MapSize } from '../shape.js';
import { BlockedLayout } from './blockedLayout.js';

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

export class BlockedInputGradient extends BlockedLayout {
  /** The terms' sum, [frames * B, lanes, H, W]. */
  spatial(terms: readonly GradientTerm[], what: Transposed): string {
    const { sliding, kernel, to, frames, lanes } = what;
    const { stride, pads } = sliding;
    const rows = phasesOf(kernel[0], stride[1], pads[1]);
    const columns = phasesOf(kernel[1], stride[2], pads[2]);
    const [height, width] = [Math.ceil(to.height / stride[1]), Math.ceil(to.width / stride[2])];
    const images = frames * to.clips;
    const join = (parts: readonly string[], axis: number) =>
      parts.length === 1 && parts[0] ? parts[0] : this.e.node('Concat', parts, { axis });
    if (rows.length === 1 && columns.length === 1) return this.phase(terms, what, rows[0], columns[0], [height, width]);
    const lines = rows.map((row) => {
      const parts = columns.map((column) => this.phase(terms, what, row, column, [height, width]));
      return join(parts.map((part) => this.e.reshape(part, [-1, height, width, this.block])), 3); // biome-ignore format: one line
    });
    const line = [-1, height, 1, columns.length * width * this.block];
    const both = join(lines.map((part) => this.e.reshape(part, line)), 2); // biome-ignore format: one line
    const [tall, wide] = [height * rows.length, width * columns.length];
    const whole = this.e.reshape(both, [(images * lanes) / this.block, tall, wide, this.block]);
    const cut = this.e.pad(whole, [0, 0, 0, 0], [0, to.height - tall, to.width - wide, 0]);
    return this.e.reshape(cut, [images, lanes, to.height, to.width]);
  }

  /** The positions of one phase; zeros where no tap reaches them. */
  private phase(
    terms: readonly GradientTerm[],
    { kernel, from, to, frames, lanes, group }: Transposed,
    row: Phase | undefined,
    column: Phase | undefined,
    [height, width]: readonly [number, number],
  ): string {
    const [down, across] = [row?.taps ?? [], column?.taps ?? []];
    if (down.length * across.length === 0) return this.e.filled(0, [frames * to.clips, lanes, height, width]);
    const places = {
      list: down.flatMap((r) => across.map((c) => r * kernel[1] + c)),
      size: [down.length, across.length] as const,
    };
    const [top, left] = [-(row?.first ?? 0), -(column?.first ?? 0)];
    const pads = [top, left, height - from.height + down.length - 1 - top, width - from.width + across.length - 1 - left];
    let sum: string | undefined;
    for (const term of terms) {
      const more = { pads, ...(sum !== undefined && { addend: sum }) };
      sum = this.conv([term.map, term.kernel(places)], places.size, group, more);
    }
    return sum ?? this.e.filled(0, [frames * to.clips, lanes, height, width]);
  }
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
