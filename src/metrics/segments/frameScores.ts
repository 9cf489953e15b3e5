/** Frame-wise accuracy and F1, of frames so short that their number does not matter: shares of time. */
import { mean } from './averagePrecision.js';
import { type FilmSegments, type LabelledSegment, labelsOf } from './segments.js';

export interface FrameScores {
  /**
   * Share of the time with a label in the truth that the prediction labels alike. Where several labels are true at once: the mean
   * share of common labels in all of either side (Godbole and Sarawagi 2004).
   */
  readonly accuracy: number;
  /** F1 over time, the mean over the labels of the truth. */
  readonly meanF1: number;
}

/** Seconds that count for accuracy, and for each label right, wrong and missed ones. */
interface Tally {
  seconds: number;
  alike: number;
  readonly perLabel: Map<string, { right: number; wrong: number; missed: number }>;
}

/** Time without a label in the truth counts for F1 but not for accuracy; label it (see `withBackground`) to count it in both. */
export function frameScores(films: readonly FilmSegments[]): FrameScores {
  const tally = tallied(films);
  return { accuracy: tally.alike / tally.seconds, meanF1: mean(labelsOf(films).map((label) => f1In(tally, label))) };
}

/** F1 over time of each label of the truth. */
export function frameF1s(films: readonly FilmSegments[]): Map<string, number> {
  const tally = tallied(films);
  return new Map(labelsOf(films).map((label) => [label, f1In(tally, label)]));
}

function f1In({ perLabel }: Tally, label: string): number {
  const { right, wrong, missed } = perLabel.get(label) ?? { right: 0, wrong: 0, missed: 1 };
  return (2 * right) / (2 * right + wrong + missed);
}

function tallied(films: readonly FilmSegments[]): Tally {
  const tally: Tally = { seconds: 0, alike: 0, perLabel: new Map() };
  for (const { truth, predicted } of films) {
    for (const [seconds, is, said] of stretches(truth, predicted)) addStretch(tally, seconds, is, said);
  }
  return tally;
}

function addStretch(tally: Tally, seconds: number, is: ReadonlySet<string>, said: ReadonlySet<string>): void {
  const all = new Set([...is, ...said]);
  for (const label of all) {
    const counts = tally.perLabel.get(label) ?? { right: 0, wrong: 0, missed: 0 };
    counts[is.has(label) ? (said.has(label) ? 'right' : 'missed') : 'wrong'] += seconds;
    tally.perLabel.set(label, counts);
  }
  if (is.size === 0) return;
  tally.seconds += seconds;
  tally.alike += (seconds * [...is].filter((label) => said.has(label)).length) / all.size;
}

type Stretch = readonly [seconds: number, is: ReadonlySet<string>, said: ReadonlySet<string>];

/** The film cut wherever a label comes or goes, with the labels of truth and prediction in each piece. */
function* stretches(truth: readonly LabelledSegment[], predicted: readonly LabelledSegment[]): Generator<Stretch> {
  const changes = [...changesOf(truth, 'is'), ...changesOf(predicted, 'said')].sort((a, b) => a.sec - b.sec);
  const counts = { is: new Map<string, number>(), said: new Map<string, number>() };
  for (const [i, { sec, label, by, side }] of changes.entries()) {
    const count = (counts[side].get(label) ?? 0) + by;
    if (count > 0) counts[side].set(label, count);
    else counts[side].delete(label);
    const until = changes[i + 1]?.sec ?? sec;
    if (until > sec) yield [until - sec, new Set(counts.is.keys()), new Set(counts.said.keys())];
  }
}

function changesOf(segments: readonly LabelledSegment[], side: 'is' | 'said') {
  return segments.flatMap(({ startSec, endSec, label }) => [
    { sec: startSec, label, by: 1, side },
    { sec: endSec, label, by: -1, side },
  ]);
}
