/**
 * Clips of one network converted for another: nearest frames, bilinear resizing with the aspect kept, padded with 0 (the mean
 * colour).
 */

import { type ClipTensor, emptyClips, framesAt } from './clipTensor.js';
import type { Preprocess } from './preprocess.js';

/** The preprocessing that shows in a finished clip. */
export type ClipForm = Pick<Preprocess, 'frames' | 'height' | 'width' | 'mean' | 'std'>;

/** Clips of form `from` in form `to`, copied. */
export function resampleClips(clips: ClipTensor, from: ClipForm, to: ClipForm): ClipTensor {
  const [planeFrom, planeTo] = [from.height * from.width, to.height * to.width];
  const out = emptyClips(clips.count, to);
  const scale = Math.min(to.height / from.height, to.width / from.width);
  const down = bilinearTaps(from.height, to.height, scale);
  const across = bilinearTaps(from.width, to.width, scale);
  for (let t = 0; t < to.frames; t++) {
    const source = framesAt(clips, nearestFrame(t, from.frames, to.frames));
    const target = framesAt(out, t);
    for (let i = 0; i < 3 * clips.count; i++) {
      const plane = source.subarray(i * planeFrom, (i + 1) * planeFrom);
      const resized = target.subarray(i * planeTo, (i + 1) * planeTo);
      resizePlane(plane, resized, to.width, down, across, renormalised(i % 3, from, to));
    }
  }
  return out;
}

function nearestFrame(t: number, frames: number, wanted: number): number {
  return Math.min(Math.floor(((t + 0.5) * frames) / wanted), frames - 1);
}

interface Affine {
  readonly scale: number;
  readonly shift: number;
}

function renormalised(channel: number, from: ClipForm, to: ClipForm): Affine {
  const [stdFrom, stdTo] = [from.std[channel] ?? 1, to.std[channel] ?? 1];
  return { scale: stdFrom / stdTo, shift: ((from.mean[channel] ?? 0) - (to.mean[channel] ?? 0)) / stdTo };
}

/** For each new position from `begin` on the two old ones around its centre, and the share of the second. */
interface Taps {
  readonly begin: number;
  readonly from: number;
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly share: Float64Array;
}

function bilinearTaps(from: number, to: number, scale: number): Taps {
  const used = Math.min(Math.round(from * scale), to);
  const centres = Array.from({ length: used }, (_, i) => Math.min(Math.max(((i + 0.5) * from) / used - 0.5, 0), from - 1));
  return {
    begin: Math.floor((to - used) / 2),
    from,
    low: Int32Array.from(centres, Math.floor),
    high: Int32Array.from(centres, (centre) => Math.min(Math.floor(centre) + 1, from - 1)),
    share: Float64Array.from(centres, (centre) => centre - Math.floor(centre)),
  };
}

function resizePlane(
  plane: Float32Array,
  out: Float32Array,
  rowLength: number,
  down: Taps,
  across: Taps,
  { scale, shift }: Affine,
): void {
  const [height, width] = [down.low.length, across.low.length];
  for (let y = 0; y < height; y++) {
    const [above, below, part] = [(down.low[y] ?? 0) * across.from, (down.high[y] ?? 0) * across.from, down.share[y] ?? 0];
    for (let x = 0; x < width; x++) {
      const [left, right, along] = [across.low[x] ?? 0, across.high[x] ?? 0, across.share[x] ?? 0];
      const top = (plane[above + left] ?? 0) * (1 - along) + (plane[above + right] ?? 0) * along;
      const bottom = (plane[below + left] ?? 0) * (1 - along) + (plane[below + right] ?? 0) * along;
      out[(down.begin + y) * rowLength + across.begin + x] = (top * (1 - part) + bottom * part) * scale + shift;
    }
  }
}
