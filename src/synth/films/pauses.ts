import type { Rng } from '../../rng.js';
import type { FilmOptions } from './filmOptions.js';

/** Stretches without action that together have their share of the film. */
export interface Pauses {
  /** Frames without action after one of so many frames; together they have the share of the background. */
  after(frames: number): number;
  /** Frames that were acted, to be paid by a later pause. */
  acted(frames: number): void;
}

export function pauses(rng: Rng, { background, frameRate }: FilmOptions): Pauses {
  let due = 0;
  const acted = (frames: number) => {
    due += (frames * background) / (1 - background);
  };
  const after = (frames: number) => {
    acted(frames);
    const pause = Math.max(Math.round(due * rng.uniform(0.2, 1.8)), Math.ceil(0.3 * frameRate));
    due -= pause;
    return pause;
  };
  return { after, acted };
}
