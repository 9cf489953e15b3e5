import { ConfigError } from '../../errors.js';
import { averagePrecision, type DetectionScores, detectionScores } from './averagePrecision.js';
import { editScore } from './editScore.js';
import { type FrameScores, frameF1s, frameScores } from './frameScores.js';
import { f1Overlaps, segmentF1 } from './segmentF1.js';
import { checkFilms, type FilmSegments, labelsOf, withBackground } from './segments.js';

/** Metrics of temporal segmentation, 0 to 1. */
export interface SegmentationScores extends FrameScores {
  readonly f1: readonly { readonly overlap: number; readonly value: number }[];
  readonly edit: number;
}

export interface ClassSegmentMetrics {
  readonly label: string;
  /** Segments in the truth and in the prediction. */
  readonly truth: number;
  readonly predicted: number;
  /** At an overlap of a half. */
  readonly averagePrecision: number;
  readonly f1: number;
  /** Over time. */
  readonly frameF1: number;
}

export interface SegmentMetrics extends DetectionScores, SegmentationScores {
  readonly films: number;
  readonly truthSegments: number;
  readonly predictedSegments: number;
  /** The same where what has no label is a class too. */
  readonly withBackground: SegmentationScores;
  /** Labels of the truth. */
  readonly perClass: readonly ClassSegmentMetrics[];
}

/** A name that no label has. */
const BACKGROUND = '\u0000background';

/**
 * All metrics of timelines over whole films. Throws ConfigError for no films, a truth without segments, or a segment without
 * length.
 */
export function segmentMetrics(films: readonly FilmSegments[]): SegmentMetrics {
  checkFilms(films);
  const count = (side: 'truth' | 'predicted') => films.reduce((sum, film) => sum + film[side].length, 0);
  if (count('truth') === 0) throw new ConfigError('the films have no labelled segment to compare with; expected at least one');
  return {
    films: films.length,
    truthSegments: count('truth'),
    predictedSegments: count('predicted'),
    ...detectionScores(films),
    ...segmentationScores(films),
    withBackground: segmentationScores(withBackground(films, BACKGROUND)),
    perClass: classMetrics(films),
  };
}

function segmentationScores(films: readonly FilmSegments[]): SegmentationScores {
  const f1 = f1Overlaps.map((overlap) => ({ overlap, value: segmentF1(films, overlap) }));
  return { f1, edit: editScore(films), ...frameScores(films) };
}

function classMetrics(films: readonly FilmSegments[]): ClassSegmentMetrics[] {
  const frames = frameF1s(films);
  return labelsOf(films).map((label) => {
    const only = films.map(({ truth, predicted, durationSec }) => ({
      truth: truth.filter((segment) => segment.label === label),
      predicted: predicted.filter((segment) => segment.label === label),
      durationSec,
    }));
    return {
      label,
      truth: only.reduce((sum, { truth }) => sum + truth.length, 0),
      predicted: only.reduce((sum, { predicted }) => sum + predicted.length, 0),
      averagePrecision: averagePrecision(only, label, 0.5),
      f1: segmentF1(only, 0.5),
      frameF1: frames.get(label) ?? 0,
    };
  });
}
