/** Segment F1 at an overlap (Lea et al. 2017, "Temporal Convolutional Networks for Action Segmentation and Detection"). */
import { type FilmSegments, inOrder, overlapOf, reaches } from './segments.js';

export const f1Overlaps: readonly number[] = [0.1, 0.25, 0.5];

export interface Matches {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
}

/**
 * Each predicted segment, in order of time, is right where the true segment of its label that it overlaps most is overlapped at
 * least so much, and by no earlier one. A film split into many pieces is punished, a shifted edge is not.
 */
export function matchesOf({ truth, predicted }: FilmSegments, overlap: number): Matches {
  const truths = inOrder(truth);
  const taken = new Set<number>();
  for (const segment of inOrder(predicted)) {
    const shares = truths.map((other) => (other.label === segment.label ? overlapOf(segment, other) : 0));
    const best = shares.indexOf(Math.max(...shares));
    if (best >= 0 && reaches(shares[best] ?? 0, overlap)) taken.add(best);
  }
  const truePositives = taken.size;
  return {
    truePositives,
    falsePositives: predicted.length - truePositives,
    falseNegatives: truth.length - truePositives,
  };
}

/** F1, 0 to 1, of all films' matches together; NaN where there is neither truth nor prediction. */
export function segmentF1(films: readonly FilmSegments[], overlap: number): number {
  return f1Of(films.map((film) => matchesOf(film, overlap)));
}

export function f1Of(matches: readonly Matches[]): number {
  const sum = (key: keyof Matches) => matches.reduce((total, each) => total + each[key], 0);
  const right = sum('truePositives');
  return (2 * right) / (2 * right + sum('falsePositives') + sum('falseNegatives'));
}
