/** One training run in a temporary folder, and its test accuracy. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LabelledVideo, LabelledVideos } from '../src/dataset/labelledVideos.js';
import { type EvaluateOptions, evaluateDataset } from '../src/inference/evaluate.js';
import { loadRecogniser, type RecogniserOptions } from '../src/inference/fileRecogniser.js';
import type { Metrics } from '../src/metrics/metrics.js';
import { Rng } from '../src/rng.js';
import { type TrainJob, train } from '../src/train/train.js';

export interface Tested {
  /** Top-1 on each group of videos. */
  readonly top1: readonly number[];
  readonly trainSeconds: number;
}

/**
 * From scratch the last weights are tested, whatever validation said: nothing is chosen by it. From trained ones those that the run keeps,
 * which validation chooses from the probe, the tuned weights and averages.
 */
export async function trainAndTest(
  job: Omit<TrainJob, 'out'>,
  tests: readonly (readonly LabelledVideo[])[],
  views: EvaluateOptions = {},
): Promise<Tested> {
  return inTemporaryFolder(async (folder) => {
    const start = performance.now();
    const { lastPath, bestPath, probePath } = await train({ ...job, out: join(folder, 'run') });
    const trainSeconds = (performance.now() - start) / 1000;
    return {
      top1: (await metricsOn(probePath === undefined ? lastPath : bestPath, tests, views)).map((metrics) => metrics.top1),
      trainSeconds,
    };
  });
}

export async function inTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'vmf-bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What these weights make of each group of videos. */
export async function metricsOn(
  weights: string,
  tests: readonly (readonly LabelledVideo[])[],
  views: EvaluateOptions = {},
  machine: RecogniserOptions = {},
): Promise<Metrics[]> {
  const recogniser = await loadRecogniser(weights, machine);
  try {
    const found: Metrics[] = [];
    for (const videos of tests) found.push((await evaluateDataset(recogniser, videos, views)).metrics);
    return found;
  } finally {
    await recogniser.close();
  }
}

/** So many training videos of each class, drawn by the seed, then so many others as validation; test videos stay. */
export function fewerVideos(data: LabelledVideos, train: number, val: number, seed: number): LabelledVideos {
  const drawn = data.labels.flatMap((label) => {
    const own = data.videos.filter((video) => video.label === label && video.split === 'train');
    const shuffled = new Rng([seed, 'fewer', label]).shuffle(own);
    return [
      ...shuffled.slice(0, train),
      ...shuffled.slice(train, train + val).map((video) => ({ ...video, split: 'val' as const })),
    ];
  });
  return {
    ...data,
    videos: [...drawn, ...data.videos.filter(({ split }) => split === 'test')],
    splitBy: `${train} of each class, seed ${seed}`,
  };
}

export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Runs tasks side by side, `lanes` at once; results in their order. */
export async function sideBySide<T>(tasks: readonly (() => Promise<T>)[], lanes: number): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const lane = async () => {
    for (let i = next++; i < tasks.length; i = next++) results[i] = await (tasks[i] as () => Promise<T>)();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}
