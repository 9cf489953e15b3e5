/**
 * The linear baseline: fits only a linear classifier, in closed form, to clip features of a frozen network, trained or random.
 * Gives a run folder.
 */

import type { Preprocess } from '../../clip/preprocess.js';
import type { DataLoader } from '../../dataset/dataLoader.js';
import { readDataset } from '../../dataset/dataset.js';
import { footageOf } from '../../dataset/footage.js';
import { type LabelledVideo, type LabelledVideos, videosOf } from '../../dataset/labelledVideos.js';
import { ConfigError } from '../../errors.js';
import type { NetworkConfig } from '../../models/config.js';
import { platformOf } from '../../node/platform.js';
import type { GraphRuntime } from '../../platform/graphRuntime.js';
import { isOnnxFile } from '../../weights/onnxFile.js';
import { chosenView } from '../finetune/probeStart.js';
import { isRandom } from '../initialWeights.js';
import type { TrainJob, TrainJobEvent, TrainSummary } from '../job.js';
import { openLoader } from '../openLoader.js';
import { dataDigest } from '../progress.js';
import { reachedNotes, type ValidationResult, validated } from '../quality.js';
import { trainOptions } from '../recipe/options.js';
import { RunFolder } from '../runFolder/runFolder.js';
import { beginRecord, type Recording } from '../runFolder/runRecord.js';
import { newSetup, type TrainSetup } from '../setup.js';
import type { EpochMetrics } from '../trainer.js';
import { type FeatureSource, featuresOfVideos } from './featureSource.js';
import { fitBestWidth } from './featureWidths.js';
import { type ClipFeatures, fitProbe, type PenaltyTrial, type ProbeFit } from './fitProbe.js';
import { ForeignNetwork, type FrozenNetwork, OwnNetwork, type StoredFacts } from './frozenNetwork.js';
import { openOnnxEncoder } from './onnxEncoder.js';
import { resultOf } from './probeResult.js';

/** As a training job without what only training has. */
export interface LinearProbeJob extends Omit<TrainJob, 'resume' | 'recipe' | 'unlabelled' | 'options'> {
  readonly options?: Pick<NonNullable<TrainJob['options']>, 'seed' | 'maxBadShare'>;
}

/** `epochs` holds one row, as if all were one epoch; none when a signal ended it: nothing is stored then. */
export interface LinearProbeSummary extends TrainSummary {
  /** The estimate over the training videos, left out by recording or one by one; undefined when interrupted. */
  readonly foreseen: PenaltyTrial | undefined;
  /** Share of the training videos that the largest class has: what answers without looking reach. */
  readonly chanceTop1?: number;
  /** Instead of it with several labels at once: the mean average precision of scores at random. */
  readonly chanceMap?: number;
  /** What tells recordings apart that are left out together; undefined where nothing does. */
  readonly leftOutBy?: string | undefined;
  readonly seconds: number;
}

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
  const data = typeof job.data === 'string' ? await readDataset(job.data, job.dataset, { decoder: job.decoder }) : job.data;
  for (const note of data.notes) onEvent({ kind: 'note', message: note });
  const engine = platformOf(job).openRuntime(job.threads === undefined ? {} : { threads: job.threads });
  let loader: DataLoader | undefined;
  try {
    const frozen = await frozenNetwork(job, data, engine, folder);
    loader = loaderFor(job, frozen);
    await folder.open();
    const recording = await recorded(job, data, frozen, folder, said);
    const parts = { job, data, frozen, folder, loader, recording, startedMs };
    return await recording.during(() => new Baseline(parts).run());
  } finally {
    await Promise.all([folder.close(), engine.close(), loader?.close()]);
  }
}

/** An ONNX file is read as it is; else the network is set up as for training. */
async function frozenNetwork(job: Job, data: LabelledVideos, engine: GraphRuntime, folder: RunFolder): Promise<FrozenNetwork> {
  const { init } = job;
  if (init !== undefined && (await isOnnxFile(init))) {
    if (job.model !== undefined || job.temporal !== undefined)
      throw new ConfigError(
        `--init ${init} is an ONNX network, which is used as it is; leave out --model, --temporal and --config`,
      );
    return new ForeignNetwork(await openOnnxEncoder(init, job, data, engine), folder);
  }
  const stray = (['pixels', 'features'] as const).find((key) => job[key] !== undefined);
  if (stray !== undefined) throw new ConfigError(`--${stray} is for a network in an ONNX file; give one with --init`);
  return new OwnNetwork(job, await ownSetup(job, data, engine), engine, folder);
}

/** As for fine-tuning, with the view that a probe prefers; a random network sees videos as its configuration says. */
async function ownSetup(job: Job, data: LabelledVideos, engine: GraphRuntime): Promise<TrainSetup> {
  if (isRandom(job)) {
    const message = 'the network is random, and such features tell little: --init WEIGHTS, trained on any videos, tells far more';
    job.onEvent({ kind: 'note', message });
    return newSetup({ ...job, recipe: false }, data);
  }
  const options = { ...job.options, epochs: 1, classBalanced: false }; // nothing is trained: no reasons for other values
  const start = await newSetup({ ...job, recipe: 'finetune', options }, data);
  const quiet = (preprocess: Preprocess) => loaderFor({ ...job, onEvent: () => {} }, { preprocess });
  return { ...start, ...(await chosenView({ job, start, engine, openLoader: quiet })) };
}

function withoutReadout(model: string | NetworkConfig): string | NetworkConfig {
  if (typeof model === 'string') return model;
  const { readout: _, ...plain } = model;
  return plain;
}

type Job = LinearProbeJob & { readonly onEvent: (event: TrainJobEvent) => void };

const loaderFor = (job: Job, { preprocess }: Pick<FrozenNetwork, 'preprocess'>): DataLoader =>
  openLoader(job, preprocess, { maxBadShare: trainOptions(job.options ?? {}).maxBadShare });

function recorded(
  job: Job,
  data: LabelledVideos,
  { config, preprocess, init }: FrozenNetwork,
  folder: RunFolder,
  said: string[],
) {
  const { command, threads, workers, dataset, options } = job;
  const { seed, maxBadShare } = trainOptions(options ?? {});
  return beginRecord({
    ...{ folder: folder.path, resume: false, command, threads, workers, said, init, config, preprocess, data },
    ...{ recipe: { baseline: 'linear classifier on frozen features', seed, maxBadShare }, chosen: job.options },
    ...{ dataOptions: dataset, digest: dataDigest(data), dataPath: typeof job.data === 'string' ? job.data : undefined },
  });
}

interface Parts {
  readonly job: Job;
  readonly data: LabelledVideos;
  readonly frozen: FrozenNetwork;
  readonly folder: RunFolder;
  readonly loader: DataLoader;
  readonly recording: Recording;
  readonly startedMs: number;
}

interface Done {
  readonly fit: ProbeFit;
  readonly metrics: EpochMetrics;
  readonly prepared: Awaited<ReturnType<DataLoader['prepare']>>;
  readonly bestPath: string;
  readonly leftOutBy: string | undefined;
}

const leftOutOf = ({ top1, map }: PenaltyTrial) => ({
  ...(top1 !== undefined && { leftOutTop1: top1 }),
  ...(map !== undefined && { leftOutMap: map }),
});

class Baseline {
  private readonly train: readonly LabelledVideo[];
  private readonly val: readonly LabelledVideo[];

  constructor(private readonly parts: Parts) {
    const { data } = parts;
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
    const { job, frozen, folder, loader, recording } = this.parts;
    const { onEvent, signal } = job;
    const onProgress = (done: number, of: number) => onEvent({ kind: 'reading', done, of });
    const prepared = await loader.prepare(this.train, { ...(signal && { signal }), onProgress });
    recording.noteClues(prepared.read);
    const usable = this.train.filter((video) => loader.isUsable(video));
    const source = await frozen.open(loader, usable, this.facts({}));
    const clips = await this.features(source, usable);
    const footage = footageOf(usable);
    const kinds = { groups: footage?.groups, blocks: source.blocks };
    const fitted = (each: ClipFeatures) => fitProbe(each, frozen.config.classes, kinds);
    const fit = source.widths ? fitBestWidth(clips, source.widths, fitted) : fitted(clips);
    const validation = this.val.length > 0 ? resultOf(await this.features(source, this.val), fit) : undefined;
    signal?.throwIfAborted();
    const metrics = this.metrics(resultOf(clips, fit), validation, usable.length);
    const notes = { penalty: String(fit.chosen.penalty), ...(validation && reachedNotes(validation)) };
    const preprocess = { ...frozen.preprocess, ...(prepared.medianSec > 0 && { windowSec: prepared.medianSec }) };
    const { rate: _, gradientNorm: __, ...row } = metrics; // nothing was trained
    await folder.log({ ...row, leftOutLoss: fit.chosen.loss, ...leftOutOf(fit.chosen) });
    const bestPath = await frozen.save({ ...this.facts(notes), preprocess }, fit);
    return this.summary({ fit, metrics, prepared, bestPath, leftOutBy: footage?.by });
  }

  private metrics(seen: ValidationResult, validation: ValidationResult | undefined, clips: number): EpochMetrics {
    const seconds = this.seconds();
    return {
      ...{ epoch: 1, step: 0, rate: 0, gradientNorm: 0, trainLoss: seen.loss },
      ...(seen.top1 !== undefined && { trainTop1: seen.top1 }),
      ...(validation && validated(validation)),
      ...{ clipsPerSec: clips / seconds, seconds },
    };
  }

  private seconds(): number {
    return (performance.now() - this.parts.startedMs) / 1000;
  }

  private summary(done: Done | undefined): LinearProbeSummary {
    const { data, frozen, folder, loader } = this.parts;
    const { labels } = data;
    return {
      ...{
        epochs: done ? [done.metrics] : [],
        bestEpoch: done ? 1 : 0,
        bestTop1: done?.metrics.valTop1,
        ...(done?.metrics.valMap !== undefined && { bestMap: done.metrics.valMap }),
        bestLoss: done?.metrics.valLoss,
      },
      ...{ interrupted: !done, stoppedEarly: false, config: frozen.config, labels },
      ...{ trainVideos: done?.prepared.usable ?? this.train.length, valVideos: this.val.length },
      leftOut: loader.leftOut,
      ...{ lastPath: folder.lastPath, bestPath: done?.bestPath ?? folder.bestPath },
      ...{
        foreseen: done?.fit.chosen,
        leftOutBy: done?.leftOutBy,
        ...this.chance(),
        seconds: this.seconds(),
      },
    };
  }

  /** What answers without looking reach: the largest class, or scores at random, whose average precision is the share of a class. */
  private chance(): { readonly chanceTop1?: number; readonly chanceMap?: number } {
    const { labels, multiLabel } = this.parts.data;
    const places = this.train.map(({ labelIndex, labelIndices = [labelIndex] }) => labelIndices);
    const shares = labels.map((_, k) => places.filter((own) => own.includes(k)).length / this.train.length);
    const happening = shares.filter((share) => share > 0);
    if (!multiLabel) return { chanceTop1: Math.max(...shares) };
    return { chanceMap: happening.reduce((sum, share) => sum + share, 0) / Math.max(happening.length, 1) };
  }

  private features(frozen: FeatureSource, videos: readonly LabelledVideo[]): Promise<ClipFeatures> {
    const { loader, job } = this.parts;
    const { signal, onEvent } = job;
    return featuresOfVideos(frozen, loader, videos, this.parts.data.labels.length, {
      signal,
      onProgress: (done, of) => onEvent({ kind: 'reading', done, of }),
    });
  }

  /** What is stored with the readout. */
  private facts(more: Readonly<Record<string, string>>): StoredFacts {
    const { data, frozen, job } = this.parts;
    const { root, splitBy, labels, multiLabel } = data;
    const { config, preprocess, init = 'random' } = frozen;
    const { seed } = trainOptions(job.options ?? {});
    const origin = { data: root, splitBy, model: config.name, seed: String(seed), baseline: init };
    return { labels, ...(multiLabel && { multiLabel }), preprocess, notes: { ...origin, ...more } };
  }
}
