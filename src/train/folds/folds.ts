/**
 * Cross-validation: each fold is a run in a subfolder, trained and then tested on its held-out clips. An interrupted one resumes,
 * also within a fold.
 */

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Views } from '../../clip/clipView.js';
import { readDataset } from '../../dataset/dataset.js';
import { describeFolds, type Fold, type FoldsBy, foldSplit, foldsOf } from '../../dataset/folds.js';
import { type LabelledVideos, videosOf } from '../../dataset/labelledVideos.js';
import { ConfigError } from '../../errors.js';
import { evaluateDataset } from '../../inference/evaluate.js';
import { loadRecogniser } from '../../inference/fileRecogniser.js';
import { pretrainedNamed } from '../../models/pretrained.js';
import { pretrainedWeights } from '../../models/pretrainedCatalogue.js';
import { writeFileAtomically } from '../../weights/files.js';
import { startOf } from '../initialWeights.js';
import { RunFolder } from '../runFolder/runFolder.js';
import { type TrainJob, type TrainSummary, train } from '../train.js';
import { type FoldResult, FoldsFile } from './foldsFile.js';
import { type FoldsSummary, summarise } from './foldsSummary.js';

export interface FoldsOptions {
  /** A column of the list whose groups are left out one by one, or a number of parts made by class. */
  readonly by: FoldsBy;
  /** Each goes through all folds, which stay the same; by default the seed of the options, or 0. */
  readonly seeds?: readonly number[];
  /** Part of each fold's training videos that chooses the best epoch; 0 by default: the last weights are tested. */
  readonly valShare?: number;
  /** Clips in time and crops in space of each tested video; 1 and 1 by default. */
  readonly views?: Views;
  readonly onFold?: (event: FoldEvent) => void;
}

export type FoldEvent =
  | { readonly kind: 'begin'; readonly fold: string; readonly seed: number; readonly number: number; readonly of: number }
  | { readonly kind: 'testing'; readonly done: number; readonly of: number }
  | { readonly kind: 'end'; readonly result: FoldResult; readonly before: boolean };

/** The summary, or the progress when a signal ended it. */
export type FoldsOutcome = ({ readonly interrupted: false } & FoldsSummary) | FoldsInterrupted;

export interface FoldsInterrupted {
  readonly interrupted: true;
  readonly done: number;
  readonly of: number;
}

interface Task {
  readonly fold: Fold;
  readonly seed: number;
  readonly folder: string;
}

/**
 * Trains and tests all folds. Appends to RUN/folds.jsonl and writes RUN/folds.json at the end. Rejects as `train` and
 * `evaluateDataset`; a ConfigError when RUN holds something else.
 */
export async function trainFolds(job: TrainJob, options: FoldsOptions): Promise<FoldsOutcome> {
  if (job.resume) throw new ConfigError('folds go on when the same command is given again; leave out --resume');
  const { by, views = { clips: 1, crops: 1 }, onFold = () => {} } = options;
  // Checked before training: the first test would be too late.
  if (views.crops > 1 && job.preprocess?.resize !== 'crop')
    throw new ConfigError(`views: ${views.crops} crops are for frames that are cut; use resize "crop", or 1 crop`);
  const data =
    typeof job.data === 'string'
      ? await readDataset(job.data, { ...job.dataset, ignoreSplits: true }, { decoder: job.decoder })
      : job.data;
  if (data.multiLabel) {
    const message = 'folds test one label a clip, and these have several at once; test a split of your own, or --labels one';
    throw new ConfigError(message, { path: data.root });
  }
  const tasks = tasksOf(job, data, options);
  const run = RunFolder.check(job.out, false);
  for (const message of data.notes) job.onEvent?.({ kind: 'note', message });
  await run.open();
  try {
    const head = { run: runName(job, data, { ...options, views }), by: describeFolds(by, data) };
    const file = await FoldsFile.open(join(job.out, 'folds.jsonl'), head, tasks.some(isBegun));
    const results: FoldResult[] = [];
    for (const [i, task] of tasks.entries()) {
      const known = file.before.find(({ fold, seed }) => fold === task.fold.name && seed === task.seed);
      onFold({ kind: 'begin', fold: task.fold.name, seed: task.seed, number: i + 1, of: tasks.length });
      const result = known ?? (await unlessStopped(job.signal, () => runFold(job, data, options, task)));
      if (result === undefined) return { interrupted: true, done: results.length, of: tasks.length };
      if (!known) file.add(result);
      results.push(result);
      onFold({ kind: 'end', result, before: known !== undefined });
    }
    const summary = summarise(head.by, data.labels, results);
    await writeFileAtomically(join(job.out, 'folds.json'), [new TextEncoder().encode(`${JSON.stringify(summary, null, 1)}\n`)]);
    return { interrupted: false, ...summary };
  } finally {
    await run.close();
  }
}

function tasksOf(job: TrainJob, data: LabelledVideos, options: FoldsOptions): Task[] {
  const seeds = options.seeds ?? [job.options?.seed ?? 0];
  if (seeds.length === 0 || new Set(seeds).size < seeds.length)
    throw new ConfigError(`seeds: expected different ones, got ${seeds.join(',') || 'none'}`);
  const folds = foldsOf(data, options.by, job.dataset?.seed);
  const names = folderNames(folds.map(({ name }) => name));
  return seeds.flatMap((seed) => {
    const below = seeds.length > 1 ? join(job.out, `seed-${seed}`) : job.out;
    return folds.map((fold, i) => ({ fold, seed, folder: join(below, names[i] ?? String(i)) }));
  });
}

/** `fold-<value>`, escaped as %XX for file systems, with a number against duplicates. */
function folderNames(values: readonly string[]): string[] {
  const code = (letter: string) => `%${(letter.codePointAt(0) ?? 0).toString(16)}`;
  const plain = values.map((value) => `fold-${value.replace(/[^\w.-]/gu, code)}`.slice(0, 100));
  const alike = (name: string, other: string) => name.toLowerCase() === other.toLowerCase();
  return plain.map((name, i) => (plain.some((other, j) => j !== i && alike(name, other)) ? `${name}-${i + 1}` : name));
}

/** undefined when a signal ended it. */
async function unlessStopped<T>(signal: AbortSignal | undefined, run: () => Promise<T | undefined>): Promise<T | undefined> {
  if (signal?.aborted) return undefined;
  try {
    return await run();
  } catch (error) {
    if (signal?.aborted) return undefined;
    throw error;
  }
}

/** undefined when a signal ended the training. */
async function runFold(job: TrainJob, data: LabelledVideos, options: FoldsOptions, task: Task): Promise<FoldResult | undefined> {
  const started = performance.now();
  const { valShare = 0, views = { clips: 1, crops: 1 }, onFold = () => {} } = options;
  const split = foldSplit(data, options.by, task.fold, { valShare, seed: job.dataset?.seed ?? 0 });
  const trained = await trainFold(job, split, task);
  if (trained.interrupted) return undefined;
  const { threads, workers, decoder, signal } = job;
  const machine = {
    ...(threads !== undefined && { threads }),
    ...(workers !== undefined && { workers }),
    ...(decoder && { decoder }),
  };
  const recogniser = await loadRecogniser(trained.bestPath, { ...machine, mode: 'throughput' });
  try {
    const onProgress = (done: number, of: number) => onFold({ kind: 'testing', done, of });
    const { metrics, rows } = await evaluateDataset(recogniser, videosOf(split, 'test'), { ...views, onProgress, signal });
    return {
      ...{ fold: task.fold.name, seed: task.seed, folder: relative(job.out, task.folder) },
      ...{ trainVideos: trained.trainVideos, testVideos: metrics.count, correct: metrics.correct, top1: metrics.top1 },
      seconds: (performance.now() - started) / 1000,
      answers: rows.map(({ name, label, predicted, score }) => ({ name, label, predicted, score })),
    };
  } finally {
    await recogniser.close();
  }
}

const isBegun = ({ folder }: Pick<Task, 'folder'>): boolean => existsSync(join(folder, 'last.safetensors'));

function trainFold(job: TrainJob, data: LabelledVideos, { folder, seed }: Task): Promise<TrainSummary> {
  if (isBegun({ folder })) return train({ ...onTheMachine(job), data, out: folder, resume: true });
  rmSync(join(folder, 'metrics.jsonl'), { force: true }); // of a fold that was killed before its first checkpoint
  return train({ ...job, data, out: folder, options: { ...job.options, seed } });
}

/** Parts of a job that do not change what is learnt; the data have their own digest. */
const notOfResults = new Set(['data', 'out', 'threads', 'workers', 'decoder', 'cacheFolder', 'command', 'onEvent', 'signal']);

/** What a checkpoint does not hold. */
function onTheMachine({
  threads,
  workers,
  decoder,
  cacheFolder,
  command,
  unlabelled,
  teacher,
  onEvent,
  signal,
}: TrainJob): Omit<TrainJob, 'data' | 'out'> {
  return {
    ...(threads !== undefined && { threads }),
    ...(workers !== undefined && { workers }),
    ...(decoder !== undefined && { decoder }),
    ...(cacheFolder !== undefined && { cacheFolder }),
    ...(command && { command }),
    ...(unlabelled !== undefined && { unlabelled }),
    ...(teacher !== undefined && { teacher }),
    ...(onEvent && { onEvent }),
    ...(signal && { signal }),
  };
}

/** Digest of the videos, folds, recipe and initial weights. */
function runName(job: TrainJob, data: LabelledVideos, { by, valShare = 0, views, seeds }: FoldsOptions): string {
  const choices = Object.entries(job).filter(([key]) => !notOfResults.has(key));
  const hash = createHash('sha256').update(JSON.stringify({ by, valShare, views, seeds, choices }));
  for (const { name, label, columns } of data.videos) hash.update(JSON.stringify([name, label, columns]));
  for (const path of [job.init, job.recipe, job.teacher]) {
    if (typeof path !== 'string') continue;
    if (statSync(path, { throwIfNoEntry: false })?.isFile()) hash.update(readFileSync(path));
    else hash.update(pretrainedNamed(path)?.sha256 ?? ''); // or the name of a recipe
  }
  if (startOf(job) === 'default') for (const { sha256 } of pretrainedWeights) hash.update(sha256);
  return hash.digest('hex').slice(0, 12);
}
