/**
 * The quickest useful model, and the floor that training must beat: the network stays as it is, trained on other videos or random, and
 * only a linear classifier on its features of each clip is fitted, in closed optimum. Gives a run folder like any other.
 */

import { ClipLoader } from '../dataset/clipLoader.js';
import { type LabelledVideo, videosOf } from '../dataset/labelledVideos.js';
import { readDataset } from '../dataset/list.js';
import { ConfigError } from '../errors.js';
import type { NetworkConfig } from '../models/config.js';
import { type FlatWeights, inventoryOf } from '../models/network.js';
import { countValues, initialValues } from '../models/variables.js';
import { Rng } from '../rng.js';
import { Engine } from '../runtime/engine.js';
import { softmax } from '../scores/softmax.js';
import { type Checkpoint, transferWeights } from '../weights/checkpoint.js';
import { FrozenFeatures, seenStatistics } from './frozenFeatures.js';
import { type ClipFeatures, fitReadout, type PenaltyTrial } from './readoutFit.js';
import { RunFolder } from './runFolder.js';
import { freshStart, type Start } from './runStart.js';
import type { TrainJob, TrainJobEvent } from './train.js';
import type { EpochMetrics } from './trainer.js';
import { correctIn } from './validation.js';

/** As a training job, of whose options only the seed counts. */
export interface BaselineJob extends Omit<TrainJob, 'resume' | 'options' | 'onEvent'> {
  readonly seed?: number;
  /** Clips of each training video: the one that testing looks at, and others drawn at random. Default 1. */
  readonly views?: number;
  readonly onEvent?: (event: TrainJobEvent) => void;
}

export interface BaselineSummary {
  readonly config: NetworkConfig;
  readonly labels: readonly string[];
  readonly trainVideos: number;
  readonly valVideos: number;
  readonly leftOut: readonly { readonly path: string; readonly reason: string }[];
  /** Strength of the penalty that cross-validation over the training videos chose, and the accuracy that it foresees. */
  readonly penalty: number;
  readonly foreseenTop1: number;
  /** Undefined without validation videos. */
  readonly valTop1: number | undefined;
  readonly seconds: number;
  readonly lastPath: string;
  readonly bestPath: string;
}

/** Clips a run of the network; statistics of random networks are estimated from batches of the same size. */
const batch = 8;
const statisticsBatches = 12;

/** Errors as those of `train`; rejects with the signal's reason when aborted, and leaves no checkpoint then. */
export async function trainBaseline(job: BaselineJob): Promise<BaselineSummary> {
  const startedMs = performance.now();
  const { onEvent = () => {}, seed = 0 } = job;
  const folder = RunFolder.check(job.out, false);
  const data = typeof job.data === 'string' ? readDataset(job.data, job.dataset) : job.data;
  for (const note of data.notes) onEvent({ kind: 'note', message: note });
  const model = job.model ?? (job.init === undefined ? 'vmf-0.1g' : undefined);
  const start = await freshStart({ ...job, ...(model !== undefined && { model }), options: { seed } }, data);
  const loader = new ClipLoader({
    preprocess: start.preprocess,
    maxBadShare: start.options.maxBadShare,
    ...(job.workers !== undefined && { workers: job.workers }),
    ...(job.decoder !== undefined && { decoder: job.decoder }),
    ...(job.cacheFolder !== undefined && { cacheFolder: job.cacheFolder }),
    onLeftOut: ({ path }, { message }) =>
      onEvent({ kind: 'warning', message: `left out: ${message.includes(path) ? '' : `${path}: `}${message}` }),
    onWarning: (message) => onEvent({ kind: 'warning', message }),
  });
  const engine = new Engine(job.threads === undefined ? {} : { threads: job.threads });
  try {
    await folder.open();
    return await new Baseline(job, start, folder, loader, engine, startedMs).run();
  } finally {
    await Promise.all([folder.close(), engine.close(), loader.close()]);
  }
}

class Baseline {
  private readonly config: NetworkConfig;
  private readonly train: readonly LabelledVideo[];
  private readonly val: readonly LabelledVideo[];
  private readonly seed: number;

  constructor(
    private readonly job: BaselineJob,
    private readonly start: Start,
    private readonly folder: RunFolder,
    private readonly loader: ClipLoader,
    private readonly engine: Engine,
    private readonly startedMs: number,
  ) {
    this.config = withReadout(start.config);
    this.train = videosOf(start.data, 'train');
    this.val = start.data.videos.filter(({ split }) => split === 'val');
    this.seed = job.seed ?? 0;
  }

  async run(): Promise<BaselineSummary> {
    const { loader, train, engine, config, start, job } = this;
    const { onEvent = () => {}, signal } = job;
    const onProgress = (done: number, of: number) => onEvent({ kind: 'reading', done, of });
    const prepared = await loader.prepare(train, { ...(signal && { signal }), onProgress });
    const usable = train.filter(({ path }) => !loader.leftOut.has(path));
    const weights = await this.frozenWeights(usable);
    await this.folder.reserveFor(this.checkpoint(weights, {}));
    const frozen = await FrozenFeatures.load(engine, config, weights, batch);
    const clips = await this.trainingFeatures(frozen, usable);
    const fit = fitReadout(clips, config.classes, this.seed);
    const chosen = fit.tried.find(({ penalty }) => penalty === fit.penalty) as PenaltyTrial;
    const fitted = withLinear(config, weights, fit);
    const seen = resultOf(clips, fit);
    const validation = this.val.length > 0 ? resultOf(await this.features(frozen, this.val, false, 0), fit) : undefined;
    const seconds = (performance.now() - this.startedMs) / 1000;
    const metrics: EpochMetrics = {
      ...{ epoch: 1, step: 0, rate: 0, gradientNorm: 0, trainLoss: seen.loss, trainTop1: seen.top1 },
      ...(validation && { valLoss: validation.loss, valTop1: validation.top1 }),
      ...{ clipsPerSec: clips.labels.length / seconds, seconds },
    };
    signal?.throwIfAborted();
    const preprocess = { ...start.preprocess, ...(prepared.medianSec > 0 && { windowSec: prepared.medianSec }) };
    const reached = { penalty: String(fit.penalty), ...(validation && { valTop1: validation.top1.toFixed(4) }) };
    const checkpoint = { ...this.checkpoint(fitted, reached), preprocess };
    await this.folder.log({ ...metrics, baseline: true });
    await this.folder.saveBest(checkpoint);
    await this.folder.saveLast(checkpoint);
    onEvent({ kind: 'epoch', metrics, best: true });
    return {
      ...{ config, labels: start.data.labels, trainVideos: prepared.usable, valVideos: this.val.length, seconds },
      leftOut: [...loader.leftOut].map(([path, reason]) => ({ path, reason: reason.message })),
      ...{ penalty: fit.penalty, foreseenTop1: chosen.top1, valTop1: validation?.top1 },
      ...{ lastPath: this.folder.lastPath, bestPath: this.folder.bestPath },
    };
  }

  /** The weights of the start in the network with the readout; random ones with statistics from training clips. */
  private async frozenWeights(videos: readonly LabelledVideo[]): Promise<FlatWeights> {
    const { config, start, engine, loader, seed } = this;
    const { parameters, statistics } = inventoryOf(config);
    const rng = new Rng([seed, 'weights']);
    const weights = { parameters: initialValues(parameters, rng), statistics: initialValues(statistics, rng) };
    const { weights: first, config: plain, data, preprocess } = start;
    const from = {
      config: plain,
      labels: data.labels,
      preprocess,
      notes: {},
      parameters: first.parameters,
      statistics: first.statistics,
    };
    transferWeights(config, weights, from, false, 'the network');
    if (this.job.init !== undefined) return weights;
    const size = Math.min(batch, videos.length);
    const batches = loader.batches(videos, { batch: size, train: true, seed: seed + 1 });
    return { ...weights, statistics: await seenStatistics(engine, config, weights, size, this.firstOf(batches)) };
  }

  private async *firstOf(batches: AsyncIterable<{ readonly clips: Float32Array }>): AsyncGenerator<Float32Array> {
    let left = statisticsBatches;
    for await (const { clips } of batches) {
      this.job.signal?.throwIfAborted();
      yield clips;
      if (--left === 0) return;
    }
  }

  /** The clip of each video that testing looks at, and random ones. */
  private async trainingFeatures(frozen: FrozenFeatures, videos: readonly LabelledVideo[]): Promise<ClipFeatures> {
    const { views = 1 } = this.job;
    if (!(Number.isInteger(views) && views >= 1)) throw new ConfigError(`views: expected a whole number from 1, got ${views}`);
    const parts: ClipFeatures[] = [];
    for (let view = 0; view < views; view++) parts.push(await this.features(frozen, videos, view > 0, view));
    return joined(parts);
  }

  private async features(
    frozen: FrozenFeatures,
    videos: readonly LabelledVideo[],
    random: boolean,
    epoch: number,
  ): Promise<ClipFeatures> {
    const { signal } = this.job;
    const choice = { batch, train: random, epoch, seed: this.seed, dropLast: false, ...(signal && { signal }) };
    const parts: ClipFeatures[] = [];
    for await (const { clips, size, labels, videos: numbers } of this.loader.batches(videos, choice)) {
      parts.push({ features: await frozen.of(clips, size), labels, videos: numbers });
    }
    return joined(parts);
  }

  private checkpoint({ parameters, statistics }: FlatWeights, more: Readonly<Record<string, string>>): Checkpoint {
    const { config, start, seed, job } = this;
    const { data, preprocess } = start;
    const origin = {
      data: data.root,
      splitBy: data.splitBy,
      model: config.name,
      seed: String(seed),
      baseline: job.init ?? 'random',
    };
    return { config, labels: data.labels, preprocess, notes: { ...origin, ...more }, parameters, statistics };
  }
}

function withReadout(config: NetworkConfig): NetworkConfig {
  if (config.causal) {
    throw new ConfigError(`${config.name}: the baseline reads whole clips, which a causal network has not; use another --model`);
  }
  return { ...config, readout: 'linear' };
}

/** The last two parameters of a network with a linear readout are its weights and bias. */
function withLinear(
  config: NetworkConfig,
  { parameters, statistics }: FlatWeights,
  fit: { weights: Float32Array; bias: Float32Array },
): FlatWeights {
  const out = parameters.slice();
  const all = countValues(inventoryOf(config).parameters);
  out.set(fit.weights, all - fit.bias.length - fit.weights.length);
  out.set(fit.bias, all - fit.bias.length);
  return { parameters: out, statistics };
}

function joined(parts: readonly ClipFeatures[]): ClipFeatures {
  const integers = (of: (part: ClipFeatures) => Int32Array) => Int32Array.from(parts.flatMap((part) => [...of(part)]));
  const features = new Float32Array(parts.reduce((sum, part) => sum + part.features.length, 0));
  let at = 0;
  for (const part of parts) {
    features.set(part.features, at);
    at += part.features.length;
  }
  return { features, labels: integers((part) => part.labels), videos: integers((part) => part.videos) };
}

/** Logits [N, K]. */
function logitsOf(
  { features, labels }: ClipFeatures,
  { weights, bias }: { weights: Float32Array; bias: Float32Array },
): Float32Array {
  const width = features.length / labels.length;
  const classes = bias.length;
  return Float32Array.from({ length: labels.length * classes }, (_, i) => {
    const [n, k] = [Math.floor(i / classes), i % classes];
    let sum = bias[k] as number;
    for (let d = 0; d < width; d++) sum += (weights[k * width + d] as number) * (features[n * width + d] as number);
    return sum;
  });
}

/** Cross-entropy and top-1. */
function resultOf(clips: ClipFeatures, fit: { weights: Float32Array; bias: Float32Array }) {
  const classes = fit.bias.length;
  const logits = logitsOf(clips, fit);
  let loss = 0;
  clips.labels.forEach((label, n) => {
    loss -= Math.log(Math.max(softmax(logits.subarray(n * classes, (n + 1) * classes))[label] ?? 0, 1e-12));
  });
  return { loss: loss / clips.labels.length, top1: correctIn(logits, clips.labels, classes) / clips.labels.length };
}
