/**
 * Trains a network on labelled videos, from a folder to a run folder: the entry that the library and the command line share. It
 * checks everything that can be checked before anything is written.
 */

import { sidedLabels } from '../clip/augment.js';
import { makePreprocess, type Preprocess } from '../clip/preprocess.js';
import { ClipLoader } from '../dataset/clipLoader.js';
import { type LabelledVideos, videosOf } from '../dataset/labelledVideos.js';
import { type DatasetOptions, readDataset } from '../dataset/list.js';
import { ConfigError, WeightsError } from '../errors.js';
import type { NetworkConfig } from '../models/config.js';
import { networkConfig } from '../models/layouts.js';
import { inventoryOf } from '../models/network.js';
import { countValues, initialValues } from '../models/variables.js';
import { Rng } from '../rng.js';
import { Engine } from '../runtime/engine.js';
import type { DecoderChoice } from '../video/types.js';
import { type Checkpoint, parseCheckpoint, transferWeights } from '../weights/checkpoint.js';
import { readSafetensors } from '../weights/files.js';
import { type TrainChoices, type TrainOptions, trainOptions } from './options.js';
import { type Progress, resumedProgress } from './progress.js';
import { RunFolder } from './runFolder.js';
import { defaultStep } from './step.js';
import { type TrainEvent, Trainer, type TrainOutcome } from './trainer.js';
import { TrainingPrograms, type TrainingWeights } from './trainingPrograms.js';

export interface TrainJob {
  /** A folder or list of labelled videos. */
  readonly data: string;
  /** Where checkpoints and metrics go; made if missing. */
  readonly out: string;
  /** A name such as `vmf-0.1g`, or a configuration of one's own; its classes are replaced by the data's. Default `vmf-0.1g`. */
  readonly model?: string | NetworkConfig;
  /** Weights to start from; a last layer for other classes is begun anew. */
  readonly init?: string;
  readonly resume?: boolean;
  readonly options?: TrainChoices;
  /** Frames, size, crop and sampling other than the network's defaults. */
  readonly preprocess?: Partial<Preprocess>;
  readonly dataset?: DatasetOptions;
  readonly threads?: number;
  readonly workers?: number;
  readonly decoder?: DecoderChoice;
  /** Where decoded clips are kept between epochs and runs; false for memory only. */
  readonly cacheFolder?: string | false;
  readonly onEvent?: (event: TrainJobEvent) => void;
  /** Ends the run after the present step; `last` then continues it. */
  readonly signal?: AbortSignal;
}

export type TrainJobEvent =
  | TrainEvent
  | { readonly kind: 'note' | 'warning'; readonly message: string }
  | { readonly kind: 'reading'; readonly done: number; readonly of: number };

export interface TrainSummary extends TrainOutcome {
  readonly config: NetworkConfig;
  readonly labels: readonly string[];
  readonly trainVideos: number;
  readonly valVideos: number;
  /** Training videos that could not be read, with the reason. */
  readonly leftOut: readonly { readonly path: string; readonly reason: string }[];
  readonly lastPath: string;
  readonly bestPath: string;
}

/** Everything a run starts with, read and checked. */
interface Start {
  readonly data: LabelledVideos;
  readonly config: NetworkConfig;
  readonly preprocess: Preprocess;
  readonly options: TrainOptions;
  readonly weights: TrainingWeights;
  readonly progress: Progress | undefined;
}

export async function train(job: TrainJob): Promise<TrainSummary> {
  const { onEvent = () => {} } = job;
  const folder = RunFolder.check(job.out, job.resume ?? false);
  const data = readDataset(job.data, job.dataset);
  for (const note of data.notes) onEvent({ kind: 'note', message: note });
  const start = job.resume ? await resumed(job, folder, data) : await fresh(job, data);
  const loader = new ClipLoader({
    preprocess: start.preprocess,
    augment: start.options.augment,
    maxBadShare: start.options.maxBadShare,
    ...(job.workers !== undefined && { workers: job.workers }),
    ...(job.decoder !== undefined && { decoder: job.decoder }),
    ...(job.cacheFolder !== undefined && { cacheFolder: job.cacheFolder }),
    onLeftOut: (video, reason) =>
      onEvent({
        kind: 'warning',
        message: `left out: ${reason.message.includes(video.path) ? '' : `${video.path}: `}${reason.message}`,
      }),
    onWarning: (message) => onEvent({ kind: 'warning', message }),
  });
  const engine = new Engine(job.threads === undefined ? {} : { threads: job.threads });
  folder.open();
  try {
    return await runTraining(job, folder, start, loader, engine);
  } finally {
    folder.close();
    await Promise.all([engine.close(), loader.close()]);
  }
}

async function runTraining(
  job: TrainJob,
  folder: RunFolder,
  start: Start,
  loader: ClipLoader,
  engine: Engine,
): Promise<TrainSummary> {
  const { onEvent = () => {}, signal } = job;
  const { data, config, options } = start;
  const videos = videosOf(data, 'train');
  const programs = new TrainingPrograms(engine, config, {
    ...defaultStep,
    clips: options.batch,
    maxGradientNorm: options.maxGradientNorm || Number.POSITIVE_INFINITY,
  });
  await programs.setWeights(start.weights);
  const [prepared] = await Promise.all([
    loader.prepare(videos, { ...(signal && { signal }), onProgress: (done, of) => onEvent({ kind: 'reading', done, of }) }),
    programs.warmUp(),
  ]);
  if (start.progress) await folder.keepEpochs(start.progress.epoch);
  const preprocess = { ...start.preprocess, ...(prepared.medianSec > 0 && { windowSec: prepared.medianSec }) };
  const notes = { data: data.root, splitBy: data.splitBy, model: config.name, seed: String(options.seed) };
  const parts = { config, preprocess, data, options, folder, loader, programs, notes, onEvent, signal };
  const outcome = await new Trainer(parts, start.progress).run();
  return {
    ...outcome,
    config,
    labels: data.labels,
    trainVideos: prepared.usable,
    valVideos: data.videos.filter((video) => video.split === 'val').length,
    leftOut: [...loader.leftOut].map(([path, reason]) => ({ path, reason: reason.message })),
    lastPath: folder.lastPath,
    bestPath: folder.bestPath,
  };
}

/** A new run: first values from the seed, or from other weights. */
async function fresh(job: TrainJob, data: LabelledVideos): Promise<Start> {
  const { onEvent = () => {} } = job;
  if (data.labels.length < 2) throw new ConfigError(`${job.data}: ${data.labels.length} class; training needs at least two`);
  const options = trainOptions(job.options ?? {});
  const from = job.init === undefined ? undefined : parseCheckpoint(await readSafetensors(job.init), job.init);
  const config = chosenConfig(job, data, from);
  const inventory = inventoryOf(config);
  const rng = new Rng([options.seed, 'weights']);
  const weights: TrainingWeights = {
    parameters: initialValues(inventory.parameters, rng),
    statistics: initialValues(inventory.statistics, rng),
    first: new Float32Array(countValues(inventory.parameters)),
    second: new Float32Array(countValues(inventory.parameters)),
  };
  if (from && job.init !== undefined) {
    const sameLabels = from.labels.join('\n') === data.labels.join('\n');
    const { taken, fresh: begun } = transferWeights(config, weights, from, sameLabels, job.init);
    const anew = begun.length === 0 ? 'all' : `all but ${begun.join(', ')}`;
    onEvent({ kind: 'note', message: `start from ${job.init}: ${anew} of ${taken.length + begun.length} tensors` });
  }
  return { data, config, options, weights, progress: undefined, preprocess: chosenPreprocess(job, data, config, from) };
}

function chosenConfig(job: TrainJob, data: LabelledVideos, from: Checkpoint | undefined): NetworkConfig {
  const { model } = job;
  const classes = data.labels.length;
  const base = typeof model === 'object' ? model : model === undefined && from ? from.config : networkConfig(model ?? 'vmf-0.1g');
  const { frames = base.frames, size = base.size } = job.preprocess ?? {};
  return { ...base, classes, frames, size };
}

function chosenPreprocess(job: TrainJob, data: LabelledVideos, config: NetworkConfig, from: Checkpoint | undefined): Preprocess {
  const { onEvent = () => {} } = job;
  const { frames, size } = config;
  const inherited = from && from.config.size === size ? from.preprocess : {};
  const sided = sidedLabels(data.labels);
  if (sided.length > 0 && job.preprocess?.flip === undefined) {
    onEvent({ kind: 'note', message: `clips are not mirrored, since labels tell sides apart: ${sided.join(', ')}` });
  }
  return makePreprocess({ ...inherited, ...(sided.length > 0 && { flip: false }), ...job.preprocess, frames, size });
}

/** A run that goes on: all its choices come from its checkpoint; other ones are refused, not mixed in. */
async function resumed(job: TrainJob, folder: RunFolder, data: LabelledVideos): Promise<Start> {
  const given = [
    job.model !== undefined && '--model',
    job.init !== undefined && '--init',
    job.preprocess && 'preprocessing',
    job.options && 'options',
  ];
  const extra = given.filter((name) => typeof name === 'string');
  if (extra.length > 0) throw new ConfigError(`--resume takes every choice from the run itself; leave out ${extra.join(', ')}`);
  const last = await folder.readLast();
  const { training } = last;
  if (!training) throw new WeightsError(`${folder.lastPath}: holds no training state to resume`);
  const progress = resumedProgress(training.progress, data, folder.lastPath);
  const { config, preprocess, parameters, statistics } = last;
  const weights = { parameters, statistics, first: training.first, second: training.second };
  return { data, config, preprocess, options: progress.options, weights, progress };
}
