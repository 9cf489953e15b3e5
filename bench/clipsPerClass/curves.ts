/** Means over draws with their intervals, as rows and as a table. */

import { textTable } from '../../src/cli/textTable.js';
import { meanInterval } from '../../src/metrics/meanInterval.js';
import { percent } from '../../src/metrics/percent.js';
import type { Count } from './draws.js';
import { type Kind, kinds, type Run } from './resultsFile.js';

export interface CurvePoint {
  readonly what: string;
  readonly kind: Kind;
  readonly count: Count;
  /** Clips drawn over the number of classes, less than the count where classes have fewer. */
  readonly perClass: number;
  /** Mean top-1, and ends of Student's 95 % interval of the mean over draws; null for a single draw. */
  readonly top1: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly draws: number;
  /** Of each draw, in their order. */
  readonly each: readonly number[];
  readonly testClips: number;
  /** Share of the largest class among the test videos: what answers without looking reach. */
  readonly largestClass: number;
  readonly seconds: number;
}

export interface CurveFacts {
  readonly classes: number;
  readonly largestClass: number;
}

/** By kind, then by count. */
export function curvePoints(runs: readonly Run[], counts: readonly Count[], facts: CurveFacts): CurvePoint[] {
  return kinds.flatMap((kind) =>
    counts.flatMap((count) => {
      const own = runs.filter((run) => run.kind === kind && run.count === count).sort((a, b) => a.draw - b.draw);
      return own.length > 0 ? [pointOf(kind, count, own, facts)] : [];
    }),
  );
}

function pointOf(kind: Kind, count: Count, runs: readonly Run[], { classes, largestClass }: CurveFacts): CurvePoint {
  const each = runs.map(({ correct, testClips }) => correct / testClips);
  const { mean, low, high } = meanInterval(each);
  const [first] = runs as [Run];
  const seconds = runs.reduce((sum, run) => sum + run.seconds, 0) / runs.length;
  return {
    ...{ what: `${kind}, ${count} ${count === 1 ? 'clip' : 'clips'} a class`, kind, count },
    perClass: (first.trainClips + first.valClips) / classes,
    ...{ top1: mean, low, high, draws: runs.length, each, testClips: first.testClips, largestClass, seconds },
  };
}

/** A row a count, a column a kind. */
export function curveTable(points: readonly CurvePoint[]): string {
  const shown = kinds.filter((kind) => points.some((point) => point.kind === kind));
  const place = (count: Count) => (count === 'all' ? Infinity : count);
  const counts = [...new Set(points.map(({ count }) => count))].sort((a, b) => place(a) - place(b));
  const rows = counts.map((count) => {
    const own = points.filter((point) => point.count === count);
    const cells = shown.map((kind) => cell(own.find((point) => point.kind === kind)));
    return [String(count), (own[0]?.perClass ?? 0).toFixed(1), ...cells];
  });
  const [{ testClips, largestClass } = { testClips: 0, largestClass: 0 }] = points;
  const below = `top-1 of ${testClips} test videos: mean, and Student's 95 % interval over draws; the largest class alone: ${percent(largestClass)}`;
  return `${textTable(['clips a class', 'on average', ...shown], rows)}${below}\n`;
}

/** Interval ends within 0 to 100 %. */
function cell(point: CurvePoint | undefined): string {
  if (!point) return '-';
  const { top1, low, high, draws } = point;
  if (low === null || high === null) return `${percent(top1)} (${draws} draw)`;
  return `${percent(top1)} (${(100 * Math.max(low, 0)).toFixed(1)} to ${percent(Math.min(high, 1))})`;
}
