/**
 * The linear baseline: fits only a linear classifier, in closed form, to clip features of a frozen network, trained or random.
 * Gives a run folder.
 */

import type { ClipTensor } from '../../clip/clipTensor.js';
import { type ClipBatch, DataLoader } from '../../dataset/dataLoader.js';
import { readDataset } from '../../dataset/dataset.js';
import { type LabelledVideo, videosOf } from '../../dataset/labelledVideos.js';
import { ConfigError } from '../../errors.js';
import { softmax } from '../../metrics/softmax.js';
import type { NetworkConfig } from '../../models/config.js';
import { type FlatWeights, initialWeights, inventoryOf } from '../../models/network.js';
import { countValues } from '../../models/variables.js';
import { platformOf } from '../../node/platform.js';
import type { GraphRuntime } from '../../platform/graphRuntime.js';
import { Rng } from '../../rng.js';
import { type Checkpoint, transferWeights } from '../../weights/checkpoint.js';
import type { TrainJob, TrainJobEvent, TrainSummary } from '../job.js';
import { dataDigest } from '../progress.js';
import { RunFolder } from '../runFolder/runFolder.js';
import { beginRecord, type Recording } from '../runFolder/runRecord.js';
import { newSetup, type TrainSetup } from '../setup.js';
import type { EpochMetrics } from '../trainer.js';
import { correctIn } from '../validation.js';
import { type FeatureSource, featuresOfVideos } from './featureSource.js';
import { type ClipFeatures, fitProbe, type PenaltyTrial, type ProbeFit } from './fitProbe.js';
import { FrozenFeatures, seenStatistics } from './frozenFeatures.js';

/** As a training job without what only training has. */
export interface LinearProbeJob extends Omit<TrainJob, 'resume' | 'recipe' | 'unlabelled' | 'options'> {
  readonly options?: Pick<NonNullable<TrainJob['options']>, 'seed' | 'maxBadShare'>;
}

/** `epochs` holds one row, as if all were one epoch; none when a signal ended it: nothing is stored then. */
export interface LinearProbeSummary extends TrainSummary {
  /** The leave-one-out estimate over the training videos; undefined when interrupted. */
  readonly foreseen: PenaltyTrial | undefined;
  /** Share of the training videos that the largest class has: what answers without looking reach. */
  readonly chanceTop1: number;
  readonly seconds: number;
}

/** Batch size, also for the statistics of random networks. */
const batch = 8;
const statisticsBatches = 4;

/** Errors as those of `train`. */
export async function trainLinearProbe(given: LinearProbeJob): Promise<LinearProbeSummary> {
  const startedMs = performance.now();
  const said: string[] = [];
  const onEvent = (event: TrainJobEvent) => {
    if (event.kind === 'note' || event.kind === 'warning') said.push(event.message);
    given.onEvent?.(event);
  };
  const job = { ...given, onEvent, ...(given.model !== undefined && { model: withoutReadout(given.model) }) };
  const folder = RunFolder.check(job.out, false);
  const data = typeof job.data === 'string' ? readDataset(job.data, job.dataset) : job.data;
  for (const note of data.notes) onEvent({ kind: 'note', message: note });
  const start = await newSetup({ ...job, recipe: false }, data);
  const config = withReadout(start.config);
  if (start.init === undefined) {
    const message = 'the network is random, and such features tell little: --init WEIGHTS, trained on any videos, tells far more';
    onEvent({ kind: 'note', message });
  }
  const loader = loaderFor(job, start);
  const engine = platformOf(job).openRuntime(job.threads === undefined ? {} : { threads: job.threads });
  try {
    await folder.open();
    const recording = await recorded(job, start, config, folder, said);
    return await recording.during(() => new Baseline({ job, start, config, folder, loader, engine, recording, startedMs }).run());
  } finally {
    await Promise.all([folder.close(), engine.close(), loader.close()]);
  }
}

function withoutReadout(model: string | NetworkConfig): string | NetworkConfig {
  if (typeof model === 'string') return model;
  const { readout: _, ...plain } = model;
  return plain;
}

function withReadout(config: NetworkConfig): NetworkConfig {
  if (config.causal) {
    throw new ConfigError(`${config.name}: the baseline reads whole clips, which a causal network has not; use another --model`);
  }
  return { ...config, readout: 'linear' };
}

type Job = LinearProbeJob & { readonly onEvent: (event: TrainJobEvent) => void };

function loaderFor({ onEvent, workers, decoder, cacheFolder }: Job, { preprocess, options }: TrainSetup): DataLoader {
  return new DataLoader({
    ...{ preprocess, maxBadShare: options.maxBadShare },
    ...(workers !== undefined && { workers }),
    ...(decoder !== undefined && { decoder }),
    ...(cacheFolder !== undefined && { cacheFolder }),
    onLeftOut: (_, { message }) => onEvent({ kind: 'warning', message: `left out: ${message}` }),
    onWarning: (message) => onEvent({ kind: 'warning', message }),
  });
}

function recorded(
  job: Job,
  { data, init, preprocess, options }: TrainSetup,
  config: NetworkConfig,
  folder: RunFolder,
  said: string[],
) {
  const { command, threads, workers, dataset } = job;
  const { seed, maxBadShare } = options;
  return beginRecord({
    ...{ folder: folder.path, resume: false, command, threads, workers, said, init, config, preprocess, data },
    ...{ recipe: { baseline: 'linear classifier on frozen features', seed, maxBadShare }, chosen: job.options },
    ...{ dataOptions: dataset, digest: dataDigest(data), dataPath: typeof job.data === 'string' ? job.data : undefined },
  });
}

interface Parts {
  readonly job: Job;
  readonly start: TrainSetup;
  readonly config: NetworkConfig;
  readonly folder: RunFolder;
  readonly loader: DataLoader;
  readonly engine: GraphRuntime;
  readonly recording: Recording;
  readonly startedMs: number;
}

type Prepared = Awaited<ReturnType<DataLoader['prepare']>>;

class Baseline {
  private readonly train: readonly LabelledVideo[];
  private readonly val: readonly LabelledVideo[];

  constructor(private readonly parts: Parts) {
    const { data } = parts.start;
    this.train = videosOf(data, 'train');
    this.val = data.videos.filter(({ split }) => split === 'val');
  }

  async run(): Promise<LinearProbeSummary> {
    try {
      return await this.fitAndStore();
    } catch (error) {
      if (!this.parts.job.signal?.aborted) throw error;
      return this.summary(undefined);
    }
  }

  private async fitAndStore(): Promise<LinearProbeSummary> {
    const { job, start, config, folder, loader, engine, recording } = this.parts;
    const { onEvent, signal } = job;
    const onProgress = (done: number, of: number) => onEvent({ kind: 'reading', done, of });
    const prepared = await loader.prepare(this.train, { ...(signal && { signal }), onProgress });
    recording.noteClues(prepared.read);
    const usable = this.train.filter(({ path }) => !loader.leftOut.has(path));
    const weights = await this.frozenWeights(usable);
    await folder.reserveFor(this.checkpoint(weights, {}));
    const frozen = await FrozenFeatures.load(engine, config, weights, batch);
    const clips = await this.features(frozen, usable);
    const fit = fitProbe(clips, config.classes);
    const validation = this.val.length > 0 ? resultOf(await this.features(frozen, this.val), fit) : undefined;
    signal?.throwIfAborted();
    const metrics = this.metrics(resultOf(clips, fit), validation, usable.length);
    const notes = { penalty: String(fit.chosen.penalty), ...(validation && { valTop1: validation.top1.toFixed(4) }) };
    const preprocess = { ...start.preprocess, ...(prepared.medianSec > 0 && { windowSec: prepared.medianSec }) };
    const checkpoint = { ...this.checkpoint(withLinear(config, weights, fit), notes), preprocess };
    const { rate: _, gradientNorm: __, ...row } = metrics; // nothing was trained
    await folder.log({ ...row, leftOutLoss: fit.chosen.loss, leftOutTop1: fit.chosen.top1 });
    await folder.saveBest(checkpoint);
    await folder.saveLast(checkpoint);
    return this.summary({ fit, metrics, prepared });
  }

  private metrics(seen: Result, validation: Result | undefined, clips: number): EpochMetrics {
    const seconds = this.seconds();
    return {
      ...{ epoch: 1, step: 0, rate: 0, gradientNorm: 0, trainLoss: seen.loss, trainTop1: seen.top1 },
      ...(validation && { valLoss: validation.loss, valTop1: validation.top1 }),
      ...{ clipsPerSec: clips / seconds, seconds },
    };
  }

  private seconds(): number {
    return (performance.now() - this.parts.startedMs) / 1000;
  }

  private summary(done: { fit: ProbeFit; metrics: EpochMetrics; prepared: Prepared } | undefined): LinearProbeSummary {
    const { start, config, folder, loader } = this.parts;
    const { labels } = start.data;
    const largest = Math.max(...labels.map((_, k) => this.train.filter(({ labelIndex }) => labelIndex === k).length));
    return {
      ...{ epochs: done ? [done.metrics] : [], bestEpoch: done ? 1 : 0, bestTop1: done?.metrics.valTop1 },
      ...{ interrupted: !done, stoppedEarly: false, config, labels },
      ...{ trainVideos: done?.prepared.usable ?? this.train.length, valVideos: this.val.length },
      leftOut: [...loader.leftOut].map(([path, reason]) => ({ path, reason: reason.message })),
      ...{ lastPath: folder.lastPath, bestPath: folder.bestPath },
      ...{ foreseen: done?.fit.chosen, chanceTop1: largest / this.train.length, seconds: this.seconds() },
    };
  }

  /** The initial weights with the readout; random ones with statistics from training clips. */
  private async frozenWeights(videos: readonly LabelledVideo[]): Promise<FlatWeights> {
    const { config, start, engine, loader } = this.parts;
    const { seed } = start.options;
    const weights = initialWeights(config, new Rng([seed, 'weights']));
    transferWeights(config, weights, { ...this.checkpoint(start.weights, {}), config: start.config }, false, 'the network');
    if (start.init !== undefined) return weights;
    const size = Math.min(batch, videos.length);
    const batches = loader.batches(videos, { batch: size, train: true, seed: seed + 1 });
    return { ...weights, statistics: await seenStatistics(engine, config, weights, size, this.firstOf(batches)) };
  }

  private async *firstOf(batches: AsyncIterable<Pick<ClipBatch, 'clips'>>): AsyncGenerator<ClipTensor> {
    let left = statisticsBatches;
    for await (const { clips } of batches) {
      this.parts.job.signal?.throwIfAborted();
      yield clips;
      if (--left === 0) return;
    }
  }

  private features(frozen: FeatureSource, videos: readonly LabelledVideo[]): Promise<ClipFeatures> {
    const { loader, job } = this.parts;
    const { signal, onEvent } = job;
    return featuresOfVideos(frozen, loader, videos, {
      signal,
      onProgress: (done, of) => onEvent({ kind: 'reading', done, of }),
    });
  }

  private checkpoint(weights: FlatWeights, more: Readonly<Record<string, string>>): Checkpoint {
    const { config, start } = this.parts;
    const { data, preprocess, options } = start;
    const { root, splitBy, labels } = data;
    const origin = { data: root, splitBy, model: config.name, seed: String(options.seed), baseline: start.init ?? 'random' };
    const { parameters, statistics } = weights;
    return { config, labels, preprocess, notes: { ...origin, ...more }, parameters, statistics };
  }
}

/** The last two parameters are the readout's weights and bias. */
function withLinear(config: NetworkConfig, { parameters, statistics }: FlatWeights, fit: ProbeFit): FlatWeights {
  const out = parameters.slice();
  const all = countValues(inventoryOf(config).parameters);
  out.set(fit.weights, all - fit.bias.length - fit.weights.length);
  out.set(fit.bias, all - fit.bias.length);
  return { parameters: out, statistics };
}

/** Logits [N, K]. */
export function logitsOf(
  { features, labels }: ClipFeatures,
  { weights, bias }: Pick<ProbeFit, 'weights' | 'bias'>,
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
interface Result {
  readonly loss: number;
  readonly top1: number;
}

function resultOf(clips: ClipFeatures, fit: ProbeFit): Result {
  const classes = fit.bias.length;
  const logits = logitsOf(clips, fit);
  let loss = 0;
  clips.labels.forEach((label, n) => {
    loss -= Math.log(Math.max(softmax(logits.subarray(n * classes, (n + 1) * classes))[label] ?? 0, 1e-12));
  });
  return { loss: loss / clips.labels.length, top1: correctIn(logits, clips.labels, classes) / clips.labels.length };
}
