/** Which clip of a video: data only, so that it can be asked of another thread. */
import type { RngKey } from '../rng.js';
import type { Augment } from './augmentOptions.js';
import type { Preprocess } from './preprocess.js';

export type ClipView =
  | {
      readonly mode: 'train';
      readonly keys: readonly RngKey[];
      /** Other than the reader's. */
      readonly augment?: Augment;
    }
  | {
      readonly mode: 'test';
      /** Clip `clip` of `clips` that interleave in time; 0 of 1 by default. */
      readonly clip?: number;
      readonly clips?: number;
      /** Crop `crop` of `crops` along the longer side; 0 of 1 by default. */
      readonly crop?: number;
      readonly crops?: 1 | 3;
    }
  /** These T frames of a stack, the middle of the picture. */
  | { readonly mode: 'frames'; readonly frames: readonly number[] };

/** Test views of a video; the scores of its clips x crops views are averaged. */
export interface Views {
  readonly clips: number;
  readonly crops: 1 | 3;
}

/** The fixed clips of a test: `clips` in time, each in `crops` places; view number clip * crops + crop. */
export function testViews(clips = 1, crops: 1 | 3 = 1): ClipView[] {
  return Array.from({ length: clips * crops }, (_, view) => ({
    mode: 'test',
    ...{ clip: Math.floor(view / crops), clips, crop: view % crops, crops },
  }));
}

/** Evenly spaced frames that a stack needs for such a view. */
export function stackLength(view: ClipView, { frames }: Preprocess, candidates: number): number {
  if (view.mode === 'train') return candidates;
  return view.mode === 'test' ? frames * (view.clips ?? 1) : view.frames.length;
}
