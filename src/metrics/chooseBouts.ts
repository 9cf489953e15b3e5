/** Chooses how windows become bouts, on validation films. */
import { type BoutLabels, type BoutOptions, boutsOf } from './bouts.js';
import { detectionScores, mapThresholds } from './segments/averagePrecision.js';
import { segmentF1 } from './segments/segmentF1.js';
import type { FilmSegments, LabelledSegment } from './segments/segments.js';
import type { WindowScores } from './timeline.js';

/** A film's windows as a network scored them, and what is true. */
export interface ScoredFilm {
  readonly windows: readonly WindowScores[];
  readonly truth: readonly LabelledSegment[];
  readonly durationSec: number;
}

export interface ChosenBouts {
  readonly options: BoutOptions;
  /** Segment F1 at an overlap of a half on these films, with the start's options and with the chosen ones. */
  readonly f1Before: number;
  readonly f1: number;
}

/** Without validation films: what did well on generated films of other seeds. In windows' lengths. */
export const defaultBouts = (windowSec: number): BoutOptions => ({
  smoothSec: windowSec / 2,
  on: 0.5,
  off: 0.25,
  minDurationSec: windowSec / 2,
  bridgeSec: windowSec / 4,
});

/** What is tried for each option: times as shares of a window, `off` as a share of `on`. */
const tried = {
  smoothSec: [0, 0.25, 0.5, 0.75, 1, 1.5],
  on: [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
  off: [0.3, 0.5, 0.7, 0.85, 1],
  minDurationSec: [0, 0.15, 0.25, 0.4, 0.6, 0.8],
  bridgeSec: [0, 0.15, 0.25, 0.5, 1],
} as const;

/**
 * One option after the other takes the value with the best segment F1 at a half, then the best mAP, until none changes; at
 * most three rounds. The defaults stay where all that gains no more than one standard error of their F1: what was chosen on 8 generated films
 * of half a minute for 1 % there lost 3 % on other films.
 */
export function chooseBouts(films: readonly ScoredFilm[], what: BoutLabels, windowSec: number): ChosenBouts {
  let options = defaultBouts(windowSec);
  let best = qualityOf(films, what, options);
  const f1Before = best.f1;
  for (let [round, changed] = [0, true]; round < 3 && changed; round++) {
    changed = false;
    for (const candidate of candidates(options, windowSec)) {
      const quality = qualityOf(films, what, { ...options, ...candidate });
      if (!isBetter(quality, best)) continue;
      [options, best, changed] = [{ ...options, ...candidate }, quality, true];
    }
  }
  const segments = films.reduce((sum, { truth }) => sum + truth.length, 0);
  const isChance = best.f1 - f1Before <= Math.sqrt((f1Before * (1 - f1Before)) / Math.max(segments, 1));
  return isChance ? { options: defaultBouts(windowSec), f1Before, f1: f1Before } : { options, f1Before, f1: best.f1 };
}

/** In each, one option of `start` has another value; those after a change go on from it. */
function* candidates(start: BoutOptions, windowSec: number): Generator<Partial<BoutOptions>> {
  for (const key of ['smoothSec', 'minDurationSec', 'bridgeSec'] as const) {
    for (const share of tried[key]) yield { [key]: rounded(share * windowSec) };
  }
  const offShare = start.off / start.on;
  for (const on of tried.on) yield { on, off: rounded(on * offShare) };
  for (const share of tried.off) yield { on: start.on, off: rounded(start.on * share) };
}

const rounded = (value: number): number => Math.round(value * 1e4) / 1e4;

interface Quality {
  readonly f1: number;
  readonly map: number;
}

function isBetter(a: Quality, b: Quality): boolean {
  return a.f1 > b.f1 + 1e-9 || (a.f1 > b.f1 - 1e-9 && a.map > b.map + 1e-9);
}

function qualityOf(films: readonly ScoredFilm[], what: BoutLabels, options: BoutOptions): Quality {
  const segments = films.map(({ windows, truth, durationSec }): FilmSegments => {
    return { truth, predicted: boutsOf(windows, what, options), durationSec };
  });
  const { map } = detectionScores(segments);
  return { f1: segmentF1(segments, 0.5) || 0, map: map[mapThresholds.indexOf(0.5)]?.value || 0 };
}
