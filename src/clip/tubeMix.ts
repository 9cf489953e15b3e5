/**
 * Tube TokenMix (SVFormer, Xing et al. 2023, arXiv 2211.13222): mixes two clips by one mask for all frames. Tokens are here the
 * squares of pixels behind positions of the 1/16 feature map.
 */

import type { Rng } from '../rng.js';
import type { ClipTensor } from './clipTensor.js';
import { beta, pasteRows } from './mixClips.js';

export const tubePixels = 16;
/** Beta parameter: the released configuration mentions 10 in a comment. */
const shape = 10;

/** Overwrites each clip under the mask with its partner; one mask for the batch. Returns the share of a clip that stays. */
export function tubeMix(clips: ClipTensor, partners: readonly number[], rng: Rng): number {
  const { height, width } = clips;
  const [rows, columns] = [Math.ceil(height / tubePixels), Math.ceil(width / tubePixels)];
  const taken = tubesTaken(rng, rows, columns);
  const parts = taken.flatMap(([row, column]) => {
    const from = (row * width + column) * tubePixels;
    const count = Math.min(tubePixels, width - column * tubePixels);
    const tall = Math.min(tubePixels, height - row * tubePixels);
    return Array.from({ length: tall }, (_, y) => ({ from: from + y * width, count }));
  });
  pasteRows(clips, partners, parts);
  return 1 - taken.length / (rows * columns);
}

function tubesTaken(rng: Rng, rows: number, columns: number): [row: number, column: number][] {
  const all = Array.from({ length: rows * columns }, (_, i): [number, number] => [Math.floor(i / columns), i % columns]);
  return rng.shuffle(all).slice(0, Math.round((1 - beta(rng, shape)) * all.length));
}
