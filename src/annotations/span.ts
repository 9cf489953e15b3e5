/** What the readers check of a time, a pair of times and a score. */
import { DatasetError } from '../errors.js';
import type { Moment } from './annotations.js';
import { counted } from './films.js';

export type Span = Pick<Moment, 'startSec' | 'endSec'>;

/** Start and end as a moment has them. DatasetError for an end before the start, or a time that is no number: nothing is swapped. */
export function spanOf(startSec: number | undefined, endSec: number | undefined, where: string): Span {
  for (const time of [startSec, endSec]) {
    if (time !== undefined && !Number.isFinite(time)) throw new DatasetError(`${time} is no time`, { path: where });
  }
  if (startSec !== undefined && endSec !== undefined && endSec < startSec) {
    throw new DatasetError(`ends at ${endSec} s, before it starts at ${startSec} s`, { path: where });
  }
  return { ...(startSec !== undefined && { startSec }), ...(endSec !== undefined && { endSec }) };
}

/** Frames of a grid that counts from 1, the last one included, as seconds. DatasetError for anything but whole frames from 1. */
export function spanOfFrames(first: number | undefined, last: number | undefined, fps: number, where: string): Span {
  for (const frame of [first, last]) {
    if (frame !== undefined && (!Number.isSafeInteger(frame) || frame < 1)) {
      throw new DatasetError(`expected whole frames from 1 on, got ${frame}`, { path: where });
    }
  }
  if (first !== undefined && last !== undefined && last < first) {
    throw new DatasetError(`ends at frame ${last}, before it starts at frame ${first}`, { path: where });
  }
  return spanOf(first === undefined ? undefined : (first - 1) / fps, last === undefined ? undefined : last / fps, where);
}

/** Whether a time is not that of a frame of the grid, by more than the rounding to milliseconds. */
export const isOffGrid = (sec: number, fps: number): boolean => Math.abs(sec - Math.round(sec * fps) / fps) > 0.0005 + 1e-9;

/** What writers call such moments. */
export const offGrid = 'moments moved to whole frames';

/** Takes scores of 0 to 1 and counts the others, which are left out. */
export class Scores {
  #others = 0;

  of(score: number | undefined): Pick<Moment, 'score'> {
    if (score === undefined) return {};
    if (score >= 0 && score <= 1) return { score };
    this.#others += 1;
    return {};
  }

  notes(): string[] {
    return this.#others === 0 ? [] : [`${counted(this.#others, 'scores')} not between 0 and 1 left out`];
  }
}

/** The frames a second of the grid. DatasetError where the user did not say it and the file cannot. */
export function gridFps(fps: number | undefined, what: string, where: string): number {
  if (fps !== undefined) return fps;
  throw new DatasetError(`${what} are in frames and the file does not say how many a second; expected --fps N`, { path: where });
}
