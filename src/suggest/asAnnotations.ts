import type { AnnotatedFilm, Annotations, Moment } from '../annotations/annotations.js';
import type { DoubtfulMoment } from './doubtfulMoments.js';
import type { SuggestedMoment, Suggestions } from './suggest.js';

/**
 * Suggestions as predictions for a labelling program: labels with scores, and why, rank, uncertainty and the likelier label as attributes.
 * Films in the order of their first suggestion.
 */
export function asAnnotations({ moments, doubtful, notes }: Suggestions): Annotations {
  const films = new Map<string, Moment[]>();
  const add = (path: string, moment: Moment) => films.set(path, [...(films.get(path) ?? []), moment]);
  moments.forEach((moment, i) => {
    add(moment.path, suggested(moment, i + 1));
  });
  doubtful.forEach((moment, i) => {
    add(moment.path, doubted(moment, i + 1));
  });
  return { films: [...films].map(([film, list]): AnnotatedFilm => ({ film, moments: list, where: film })), notes };
}

const suggested = ({ path, startSec, endSec, uncertainty, label, score }: SuggestedMoment, rank: number): Moment => ({
  ...{ startSec, endSec, labels: [label], score, where: path },
  comment: 'unlabelled: uncertain',
  attributes: { why: 'uncertain', rank: String(rank), uncertainty: uncertainty.toFixed(3) },
});

const doubted = ({ path, segment, given, likely, likelyScore, givenScore }: DoubtfulMoment, rank: number): Moment => ({
  ...(segment && { startSec: segment.startSec, endSec: segment.endSec }),
  ...{ labels: [given], score: givenScore, where: path },
  comment: `doubtful label: rather ${likely}`,
  attributes: { why: 'doubtful label', rank: String(rank), likely, likelyScore: likelyScore.toFixed(3) },
});
