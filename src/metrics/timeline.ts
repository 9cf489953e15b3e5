/**
 * Scores of overlapping windows -> labelled segments. Smoothing: the mean of all windows covering a moment, and a minimum
 * duration.
 */
import { ConfigError } from '../errors.js';

/** Class scores [classes] of one stretch of the video, 0 <= startSec < endSec. */
export interface WindowScores {
  readonly startSec: number;
  readonly endSec: number;
  readonly scores: ArrayLike<number>;
}

export interface Segment {
  readonly startSec: number;
  readonly endSec: number;
  readonly label: string;
  readonly labelIndex: number;
  /** Mean over the segment's time of the label's averaged score. */
  readonly score: number;
}

export interface TimelineOptions {
  /** A shorter segment is given to the neighbour whose label scores higher in it. Default 0: every segment stays. */
  readonly minDurationSec?: number;
}

/** `sums` are scores times seconds, so that stretches are joined by adding. */
interface Stretch {
  startSec: number;
  endSec: number;
  labelIndex: number;
  sums: Float64Array;
}

/**
 * The timeline of a video, in order of time. It covers every moment that some window covers, once; where no window looks it has a gap,
 * and a segment never reaches across one. A segment shorter than the minimum stays only where it has no neighbour.
 * Throws `ConfigError` for a window without length, or scores that are not numbers or not one for each label.
 */
export function timeline(windows: readonly WindowScores[], labels: readonly string[], options: TimelineOptions = {}): Segment[] {
  const onGrid = windows.map((window) => checkedWindow(window, labels));
  const minDurationSec = options.minDurationSec ?? 0;
  let stretches = joinEqual(averagedStretches(onGrid, labels.length));
  for (let before = -1; before !== stretches.length; ) {
    before = stretches.length;
    stretches = joinEqual(absorbShort(stretches, minDurationSec));
  }
  return stretches.map(({ startSec, endSec, labelIndex, sums }) => ({
    startSec,
    endSec,
    label: labels[labelIndex] ?? '',
    labelIndex,
    score: (sums[labelIndex] ?? 0) / (endSec - startSec),
  }));
}

/** Cuts time at every window's start and end; each stretch scores the mean of its windows. */
function averagedStretches(windows: readonly WindowScores[], classes: number): Stretch[] {
  const cuts = [...new Set(windows.flatMap(({ startSec, endSec }) => [startSec, endSec]))].sort((a, b) => a - b);
  const byStart = [...windows].sort((a, b) => a.startSec - b.startSec);
  const out: Stretch[] = [];
  let open: WindowScores[] = [];
  let next = 0;
  for (const [i, startSec] of cuts.entries()) {
    const endSec = cuts[i + 1];
    if (endSec === undefined) break;
    open = open.filter((window) => window.endSec > startSec);
    for (let window = byStart[next]; window && window.startSec <= startSec; window = byStart[++next]) open.push(window);
    if (open.length === 0) continue;
    const sums = meanScores(open, classes).map((score) => score * (endSec - startSec));
    out.push({ startSec, endSec, labelIndex: best(sums), sums });
  }
  return out;
}

function meanScores(windows: readonly WindowScores[], classes: number): Float64Array {
  const mean = new Float64Array(classes);
  for (const { scores } of windows) {
    for (let i = 0; i < classes; i++) mean[i] = (mean[i] ?? 0) + (scores[i] ?? 0) / windows.length;
  }
  return mean;
}

function joinEqual(stretches: readonly Stretch[]): Stretch[] {
  const out: Stretch[] = [];
  for (const stretch of stretches) {
    const last = out.at(-1);
    if (last && last.endSec === stretch.startSec && last.labelIndex === stretch.labelIndex) {
      last.endSec = stretch.endSec;
      last.sums = last.sums.map((sum, i) => sum + (stretch.sums[i] ?? 0));
    } else out.push({ ...stretch });
  }
  return out;
}

/** One pass: a short stretch no longer than its neighbours takes the label of the better fitting one. */
function absorbShort(stretches: readonly Stretch[], minDurationSec: number): Stretch[] {
  let justChanged = false;
  return stretches.map((stretch, i) => {
    const neighbours = [stretches[i - 1], stretches[i + 1]].flatMap((other) =>
      other && touching(stretch, other) ? [other] : [],
    );
    const short = duration(stretch) < minDurationSec && neighbours.every((other) => duration(other) >= duration(stretch));
    justChanged = !justChanged && short && neighbours.length > 0; // never two in a row: they would only swap labels
    if (!justChanged) return stretch;
    const [labelIndex] = neighbours
      .map((other) => other.labelIndex)
      .sort((a, b) => (stretch.sums[b] ?? 0) - (stretch.sums[a] ?? 0));
    return { ...stretch, labelIndex: labelIndex ?? stretch.labelIndex };
  });
}

function touching(a: Stretch, b: Stretch): boolean {
  return a.endSec === b.startSec || b.endSec === a.startSec;
}

function duration({ startSec, endSec }: Stretch): number {
  return endSec - startSec;
}

function best(values: Float64Array): number {
  return values.reduce((top, value, i) => (value > (values[top] ?? 0) ? i : top), 0);
}

/** Times in whole microseconds, so that 0.1 + 0.2 meets 0.3 and adjacent windows leave no gap. */
export function checkedWindow({ startSec: start, endSec: end, scores }: WindowScores, labels: readonly string[]): WindowScores {
  const startSec = Math.round(start * 1e6) / 1e6;
  const endSec = Math.round(end * 1e6) / 1e6;
  if (!(startSec >= 0 && endSec > startSec && Number.isFinite(endSec))) {
    throw new ConfigError(`a window lasts from ${start} s to ${end} s; expected 0 <= start < end`);
  }
  if (scores.length !== labels.length) {
    throw new ConfigError(`a window has ${scores.length} scores; expected one for each of ${labels.length} labels`);
  }
  if (Array.from(scores).some((score) => !Number.isFinite(score))) {
    throw new ConfigError(`the window from ${start} s has a score that is not a number: the weights have diverged`);
  }
  return { startSec, endSec, scores };
}
