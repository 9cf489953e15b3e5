import { type MeanInterval, meanInterval } from '../../metrics/meanInterval.js';
import { wilsonInterval } from '../../metrics/metrics.js';
import type { FoldResult } from './foldsFile.js';

/** Accuracy over a number of clips, with Wilson's 95 % interval. */
export interface Share {
  readonly correct: number;
  readonly count: number;
  readonly top1: number;
  readonly low: number;
  readonly high: number;
}

export interface FoldShare extends Share {
  readonly fold: string;
  /** Top-1 of each seed, in the seeds' order. */
  readonly bySeed: readonly number[];
}

export interface SeedResult {
  readonly seed: number;
  /** Over the folds. */
  readonly mean: MeanInterval;
  /** Over all clips, each tested once. */
  readonly pooled: Share;
}

export interface FoldsSummary {
  /** Description of the folds: "groups of the column "set" left out one by one". */
  readonly by: string;
  readonly labels: readonly string[];
  /** With several seeds the mean over them, `correct` too. */
  readonly folds: readonly FoldShare[];
  /** Of the folds' accuracies, with the interval of Student's t over the folds. */
  readonly mean: MeanInterval;
  readonly pooled: Share;
  /** confusion[true][predicted] in clips, over all folds and seeds. */
  readonly confusion: readonly (readonly number[])[];
  readonly seeds: readonly SeedResult[];
  /** Of the seeds' means; its deviation is the spread of the training itself. */
  readonly overSeeds: MeanInterval;
  readonly results: readonly FoldResult[];
}

/** Of at least one fold; every seed has been through the same ones. */
export function summarise(by: string, labels: readonly string[], results: readonly FoldResult[]): FoldsSummary {
  const seedNumbers = [...new Set(results.map(({ seed }) => seed))];
  const names = [...new Set(results.map(({ fold }) => fold))];
  const folds = names.map((fold) =>
    foldShare(
      fold,
      results.filter((result) => result.fold === fold),
    ),
  );
  const seeds = seedNumbers.map((seed) =>
    seedResult(
      seed,
      results.filter((result) => result.seed === seed),
    ),
  );
  const count = seeds[0]?.pooled.count ?? 0;
  const correct = seeds.reduce((sum, { pooled }) => sum + pooled.correct, 0) / seeds.length;
  return {
    ...{ by, labels, folds, mean: meanInterval(folds.map(({ top1 }) => top1)), pooled: share(correct, count) },
    confusion: confusionOf(labels, results),
    ...{ seeds, overSeeds: meanInterval(seeds.map(({ mean }) => mean.mean)), results },
  };
}

function foldShare(fold: string, results: readonly FoldResult[]): FoldShare {
  const correct = results.reduce((sum, result) => sum + result.correct, 0) / results.length;
  return { fold, ...share(correct, results[0]?.testVideos ?? 0), bySeed: results.map(({ top1 }) => top1) };
}

function seedResult(seed: number, results: readonly FoldResult[]): SeedResult {
  const count = results.reduce((sum, { testVideos }) => sum + testVideos, 0);
  const correct = results.reduce((sum, result) => sum + result.correct, 0);
  return { seed, mean: meanInterval(results.map(({ top1 }) => top1)), pooled: share(correct, count) };
}

/** Seeds test the same clips: the interval is that of the clips, with the mean number correct. */
function share(correct: number, count: number): Share {
  return { correct, count, top1: correct / count, ...wilsonInterval(correct, count) };
}

function confusionOf(labels: readonly string[], results: readonly FoldResult[]): number[][] {
  const place = new Map(labels.map((label, i) => [label, i]));
  const confusion = labels.map(() => new Array<number>(labels.length).fill(0));
  for (const { label, predicted } of results.flatMap(({ answers }) => answers)) {
    const row = confusion[place.get(label) ?? -1];
    const column = place.get(predicted) ?? -1;
    if (row) row[column] = (row[column] ?? 0) + 1;
  }
  return confusion;
}
