/**
 * Tube TokenMix (SVFormer, Xing et al. 2023, arXiv 2211.13222): two clips share one, patch by patch, with the same mask in all frames.
 * There a patch is a token of a Vision Transformer, cut out before anything else happens, so mixing tokens is mixing squares of pixels.
 * Here it is the square behind one position of the 1/16 feature map, whose neighbours the convolutions then blend at its edges.
 */

import type { Rng } from '../rng.js';
import { beta } from './mixClips.js';

export const tubePixels = 16;
/** Shape of the Beta distribution of the share that stays: the released configuration has 10 in a comment, nothing else is given. */
const shape = 10;

/** Clips [T*B, 3, H, W] with time outermost. */
export interface TubeBatch {
  readonly clips: Float32Array;
  readonly size: number;
  readonly frames: number;
  readonly height: number;
  readonly width: number;
}

/** Writes over each clip, where the mask says so, with its partner; one mask for the batch. Gives the share of a clip that stays. */
export function mixTubes({ clips, size, frames, height, width }: TubeBatch, partners: readonly number[], rng: Rng): number {
  const [rows, columns] = [Math.ceil(height / tubePixels), Math.ceil(width / tubePixels)];
  const taken = tubesTaken(rng, rows, columns);
  const plane = height * width;
  const image = 3 * plane;
  for (let t = 0; t < frames; t++) {
    const before = clips.slice(t * size * image, (t + 1) * size * image);
    for (const [row, column] of taken) {
      const left = column * tubePixels;
      const across = Math.min(tubePixels, width - left);
      for (let y = row * tubePixels; y < Math.min((row + 1) * tubePixels, height); y++) {
        for (let c = 0; c < 3; c++) {
          const at = c * plane + y * width + left;
          partners.forEach((partner, b) => {
            clips.set(before.subarray(partner * image + at, partner * image + at + across), (t * size + b) * image + at);
          });
        }
      }
    }
  }
  return 1 - taken.length / (rows * columns);
}

/** Rows and columns of the cells that the partner takes. */
function tubesTaken(rng: Rng, rows: number, columns: number): [row: number, column: number][] {
  const all = Array.from({ length: rows * columns }, (_, i): [number, number] => [Math.floor(i / columns), i % columns]);
  return rng.shuffle(all).slice(0, Math.round((1 - beta(rng, shape)) * all.length));
}
