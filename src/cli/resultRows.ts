import type { TimeWindow } from '../clip/temporalSampling.js';
import { segmentName } from '../dataset/videoPart.js';
import type { Prediction, Result } from '../inference/recogniser.js';
import type { ResultRow } from '../inference/resultFile.js';
import type { TimelineSegment } from '../inference/slidingWindow.js';
import type { BoutOptions, Interval } from '../metrics/bouts.js';
import { percent } from '../metrics/percent.js';

interface Timed {
  readonly path: string;
  readonly durationSec: number;
  readonly windowSec: number;
  readonly strideSec: number;
  readonly segments: readonly Omit<TimelineSegment, 'labelIndex'>[];
  /** How the segments were made, where they are bouts with nothing between. */
  readonly bouts?: BoutOptions;
  readonly truncated?: string;
}

interface Named {
  readonly path: string;
  /** The part of a film that was looked at; the path then ends with it: "film.mp4@2.000-7.500". */
  readonly segment?: TimeWindow;
  readonly durationSec: number;
  readonly predictions: readonly Prediction[];
  readonly labels?: readonly string[];
  readonly unknown?: true;
  readonly truncated?: string;
}

interface Failed {
  readonly path: string;
  readonly error: string;
}

/** The result for one video. */
export type PrintedAnswer = Named | Timed | Failed;

/** The printed fields of a result. */
export function shownResult(found: Result, segment?: TimeWindow): PrintedAnswer {
  const path = segmentName(found.path, segment);
  if ('error' in found) return { path, error: found.error.reason };
  const durationSec = micro(found.durationSec);
  if ('segments' in found)
    return { ...found, path, durationSec, segments: found.segments.map(({ labelIndex: _, ...segment }) => segment) };
  const { scores: _, path: __, durationSec: ___, ...rest } = found;
  return { path, ...(segment && { segment }), durationSec, ...rest };
}

/** Rounds off binary fractions. */
const micro = (sec: number): number => Math.round(sec * 1e6) / 1e6;

/**
 * As rows of a table: a row a label of a clip, a row a segment of a long video, one row for a video that cannot be read. What is below
 * the threshold has rank 1 "unknown" without a score, and the labels after it.
 */
export function rowsOf(answer: PrintedAnswer): ResultRow[] {
  const { path } = answer;
  if ('error' in answer) return [{ path, error: answer.error }];
  if ('segments' in answer) {
    return answer.segments.flatMap(({ startSec, endSec, label, score, unknown }) =>
      rankedRows({ path, startSec, endSec }, [{ label, score }], unknown),
    );
  }
  const { labels, predictions } = answer;
  const whole = { path, ...(answer.segment ?? { startSec: 0, endSec: answer.durationSec }) };
  if (labels)
    return manyRows(
      whole,
      predictions.filter(({ label }) => labels.includes(label)),
    );
  return rankedRows(whole, predictions, answer.unknown);
}

/** With several labels at once: a row for each that is there; "nothing" without a score where none is. */
function manyRows(what: Where, there: readonly Prediction[]): ResultRow[] {
  return there.length > 0 ? rankedRows(what, there, undefined) : [{ ...what, rank: 1, label: 'nothing', score: '' }];
}

interface Where {
  readonly path: string;
  readonly startSec: number;
  readonly endSec: number;
}

function rankedRows(what: Where, predictions: readonly Prediction[], unknown: true | undefined): ResultRow[] {
  const answers = [...(unknown ? [{ label: 'unknown', score: '' }] : []), ...predictions];
  return answers.map(({ label, score }, i) => ({ ...what, rank: i + 1, label, score }));
}

/** The columns that are printed. */
export const printedColumns = ['path', 'startSec', 'endSec', 'rank', 'label', 'score'] as const;

const at = (sec: number): string => sec.toFixed(2).padStart(8);
const short = (value: number): string => String(Number(value.toFixed(3)));

/** "unknown (best: wave 0.41)". */
export const unknownText = (best: Prediction | undefined): string =>
  best ? `unknown (best: ${best.label} ${best.score.toFixed(2)})` : 'unknown';

const answerText = (best: Prediction, unknown: true | undefined): string =>
  unknown ? unknownText(best) : `${percent(best.score).padStart(7)}  ${best.label}`;

/** With several labels at once: those that are there, or "nothing" and what comes next. */
export function manyText(labels: readonly string[], predictions: readonly Prediction[]): string {
  const there = predictions.filter(({ label }) => labels.includes(label));
  if (there.length === 0) return `  nothing${nextText(predictions[0])}\n`;
  return there.map(({ label, score }) => `  ${percent(score).padStart(7)}  ${label}\n`).join('');
}

const nextText = (best: Prediction | undefined): string => (best ? ` (best: ${best.label} ${best.score.toFixed(2)})` : '');

/** How far the edges of a bout may be off: half the time over which the score comes and goes. */
function doubtText(startsIn: Interval | undefined, endsIn: Interval | undefined): string {
  if (startsIn === undefined || endsIn === undefined) return '';
  const [start, end] = [startsIn, endsIn].map(([from, to]) => ((to - from) / 2).toFixed(2));
  return `  (edges within ${start} s and ${end} s)`;
}

/** Human-readable. */
export function describe(answer: Named | Timed): string {
  const title = `${answer.path}  (${answer.durationSec.toFixed(2)} s`;
  if ('predictions' in answer) {
    if (answer.labels) return `${title})\n${manyText(answer.labels, answer.predictions)}`;
    const open = answer.unknown ? `  ${unknownText(answer.predictions[0])}\n` : '';
    return `${title})\n${open}${answer.predictions.map(({ label, score }) => `  ${percent(score).padStart(7)}  ${label}\n`).join('')}`;
  }
  const { windowSec, strideSec, segments } = answer;
  const lines = segments.map(
    ({ startSec, endSec, unknown, startsIn, endsIn, ...best }) =>
      `  ${at(startSec)} s to ${at(endSec)} s  ${answerText(best, unknown)}${doubtText(startsIn, endsIn)}\n`,
  );
  if (answer.bouts && lines.length === 0) lines.push('  nothing found\n');
  return `${title}, windows of ${short(windowSec)} s every ${short(strideSec)} s)\n${lines.join('')}`;
}
