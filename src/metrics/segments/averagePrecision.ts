/**
 * Mean average precision of temporal detection, as ActivityNet's evaluation defines it (Caba Heilbron et al. 2015, the challenge's
 * eval_detection.py): predictions of a class in order of their score each take the free true segment that they overlap most.
 */
import { type FilmSegments, type LabelledSegment, labelsOf, overlapOf, reaches, type ScoredSegment } from './segments.js';

/** 0.3 to 0.7, as usual for films of many short actions. */
export const mapThresholds: readonly number[] = [0.3, 0.4, 0.5, 0.6, 0.7];

/** Average precision, 0 to 1, of one label at a temporal overlap. NaN where the truth does not have the label. */
export function averagePrecision(films: readonly FilmSegments[], label: string, overlap: number): number {
  const truths = films.map(({ truth }) => truth.filter((segment) => segment.label === label));
  const positives = truths.reduce((sum, { length }) => sum + length, 0);
  if (positives === 0) return Number.NaN;
  const free = truths.map((segments) => new Set<LabelledSegment>(segments));
  const ranked = films
    .flatMap(({ predicted }, film) =>
      predicted.filter((segment) => segment.label === label).map((segment) => ({ segment, film })),
    )
    .sort((a, b) => b.segment.score - a.segment.score);
  const hits = ranked.map(({ segment, film }) => takes(segment, free[film] as Set<LabelledSegment>, overlap));
  return interpolated(hits, positives);
}

/** Whether a prediction finds a true segment that is free; it is taken then. */
function takes(segment: ScoredSegment, free: Set<LabelledSegment>, overlap: number): boolean {
  let [best, bestOverlap] = [undefined as LabelledSegment | undefined, 0];
  for (const truth of free) {
    const share = overlapOf(segment, truth);
    if (share > bestOverlap) [best, bestOverlap] = [truth, share];
  }
  return best !== undefined && reaches(bestOverlap, overlap) && free.delete(best);
}

/** The area under precision over recall, precision made falling from the right. */
function interpolated(hits: readonly boolean[], positives: number): number {
  let found = 0;
  const precisions = hits.map((hit, i) => {
    if (hit) found++;
    return found / (i + 1);
  });
  let [area, highest] = [0, 0];
  for (let i = hits.length - 1; i >= 0; i--) {
    highest = Math.max(highest, precisions[i] ?? 0);
    if (hits[i]) area += highest / positives;
  }
  return area;
}

export interface DetectionScores {
  /** Mean over the labels, 0 to 1, at each of the overlaps 0.3 to 0.7. */
  readonly map: readonly { readonly overlap: number; readonly value: number }[];
  /** Mean over labels and thresholds. */
  readonly averageMap: number;
}

/** NaN where the truth is empty. */
export function detectionScores(films: readonly FilmSegments[]): DetectionScores {
  const labels = labelsOf(films);
  const map = mapThresholds.map((overlap) => ({
    overlap,
    value: mean(labels.map((label) => averagePrecision(films, label, overlap))),
  }));
  return { map, averageMap: mean(map.map(({ value }) => value)) };
}

export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
