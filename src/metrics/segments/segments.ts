/** Labelled stretches of films, what every metric of timelines takes. Times are seconds; start inclusive, end exclusive. */
import { ConfigError } from '../../errors.js';

export interface LabelledSegment {
  readonly startSec: number;
  readonly endSec: number;
  readonly label: string;
}

export interface ScoredSegment extends LabelledSegment {
  /** Confidence: only its order matters. */
  readonly score: number;
}

/** Truth and prediction of one film. */
export interface FilmSegments {
  readonly truth: readonly LabelledSegment[];
  readonly predicted: readonly ScoredSegment[];
  readonly durationSec: number;
}

/** Temporal intersection over union, 0 to 1. */
export function overlapOf(a: LabelledSegment, b: LabelledSegment): number {
  const common = Math.min(a.endSec, b.endSec) - Math.max(a.startSec, b.startSec);
  if (common <= 0) return 0;
  return common / (Math.max(a.endSec, b.endSec) - Math.min(a.startSec, b.startSec));
}

/** Whether an overlap is at least a threshold, whatever binary fractions make of exact ones. */
export const reaches = (share: number, threshold: number): boolean => share >= threshold - 1e-9;

/** In order of time; equal starts in order of the label. */
export const inOrder = <Segment extends LabelledSegment>(segments: readonly Segment[]): Segment[] =>
  [...segments].sort((a, b) => a.startSec - b.startSec || a.endSec - b.endSec || (a.label < b.label ? -1 : 1));

/** Labels that the truth of some film has, in order of the alphabet. */
export const labelsOf = (films: readonly FilmSegments[]): string[] =>
  [...new Set(films.flatMap(({ truth }) => truth.map(({ label }) => label)))].sort();

/** The stretches of a film that no segment covers, labelled `background`. */
export function backgroundOf(segments: readonly LabelledSegment[], durationSec: number, background: string): LabelledSegment[] {
  const out: LabelledSegment[] = [];
  let startSec = 0;
  for (const segment of inOrder(segments)) {
    if (segment.startSec > startSec) out.push({ startSec, endSec: segment.startSec, label: background });
    startSec = Math.max(startSec, segment.endSec);
  }
  if (startSec < durationSec) out.push({ startSec, endSec: durationSec, label: background });
  return out;
}

/** The films with their background as segments of their own, with score 0. */
export function withBackground(films: readonly FilmSegments[], background: string): FilmSegments[] {
  return films.map(({ truth, predicted, durationSec }) => ({
    truth: [...truth, ...backgroundOf(truth, durationSec, background)],
    predicted: [...predicted, ...backgroundOf(predicted, durationSec, background).map((segment) => ({ ...segment, score: 0 }))],
    durationSec,
  }));
}

/** Throws a ConfigError for a segment that ends before it starts, or whose score or time is no number. */
export function checkFilms(films: readonly FilmSegments[]): void {
  for (const { truth, predicted } of films) {
    for (const { startSec, endSec, label } of [...truth, ...predicted]) {
      if (startSec >= 0 && endSec > startSec && Number.isFinite(endSec)) continue;
      throw new ConfigError(`a segment of ${label} lasts from ${startSec} s to ${endSec} s; expected 0 <= start < end`);
    }
    const odd = predicted.find(({ score }) => !Number.isFinite(score));
    if (odd)
      throw new ConfigError(`the segment of ${odd.label} from ${odd.startSec} s has the score ${odd.score}; expected a number`);
  }
}
