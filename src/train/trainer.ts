/**
 * The training loop: epochs of batches from a loader, steps on an engine, statistics and validation after each epoch, metrics and
 * checkpoints into a run folder. Everything random comes from the seed, so a run can be repeated, and a resumed run continues it
 * exactly, also from the middle of an epoch.
 */

import type { Preprocess } from '../clip/preprocess.js';
import type { ClipBatch, ClipLoader } from '../dataset/clipLoader.js';
import { type LabelledVideo, type LabelledVideos, videosOf } from '../dataset/labelledVideos.js';
import { ConfigError, DatasetError, VmfError } from '../errors.js';
import type { NetworkConfig } from '../models/config.js';
import { inventoryOf } from '../models/network.js';
import { Rng } from '../rng.js';
import { softmax } from '../scores/softmax.js';
import type { Checkpoint } from '../weights/checkpoint.js';
import type { TrainOptions } from './options.js';
import { type Progress, startOfRun } from './progress.js';
import type { RunFolder } from './runFolder.js';
import { rateAt } from './schedule.js';
import { StatisticsEstimate } from './statisticsEstimate.js';
import { smoothedTargets } from './step.js';
import type { TrainingPrograms } from './trainingPrograms.js';

/** One line of metrics.jsonl. Accuracies are shares; validation is absent without validation videos. */
export interface EpochMetrics {
  readonly epoch: number;
  readonly step: number;
  readonly rate: number;
  readonly trainLoss: number;
  readonly trainTop1: number;
  readonly valLoss?: number;
  readonly valTop1?: number;
  readonly clipsPerSec: number;
  readonly seconds: number;
}

export type TrainEvent =
  | {
      readonly kind: 'step';
      readonly epoch: number;
      readonly batch: number;
      readonly batches: number;
      readonly loss: number;
      readonly top1: number;
      readonly clipsPerSec: number;
      readonly secondsLeft: number;
    }
  | { readonly kind: 'epoch'; readonly metrics: EpochMetrics; readonly best: boolean };

/** What a run works on and with. */
export interface TrainerParts {
  readonly config: NetworkConfig;
  readonly preprocess: Preprocess;
  readonly data: LabelledVideos;
  readonly options: TrainOptions;
  readonly folder: RunFolder;
  readonly loader: ClipLoader;
  readonly programs: TrainingPrograms;
  readonly notes: Readonly<Record<string, string>>;
  readonly onEvent: (event: TrainEvent) => void;
  readonly signal: AbortSignal | undefined;
}

export interface TrainOutcome {
  readonly epochs: readonly EpochMetrics[];
  /** Validation top-1 of the best checkpoint; undefined without validation videos. */
  readonly bestTop1: number | undefined;
  readonly bestEpoch: number;
  /** True when the signal ended the run; `last` then continues it. */
  readonly interrupted: boolean;
}

export class Trainer {
  private readonly train: readonly LabelledVideo[];
  private readonly val: readonly LabelledVideo[];
  private readonly rows: EpochMetrics[] = [];
  private startedMs = performance.now();
  private clipsDone = 0;

  constructor(
    private readonly parts: TrainerParts,
    private progress: Progress = startOfRun(parts),
  ) {
    if (parts.config.causal && parts.options.batch % 2 !== 0)
      throw new ConfigError(
        `--batch: a causal network learns from pairs of clips; expected an even number, got ${parts.options.batch}`,
      );
    this.train = videosOf(parts.data, 'train');
    this.val = parts.data.videos.filter((video) => video.split === 'val');
  }

  /** Trains from where the progress stands to the last epoch, or until the signal. */
  async run(): Promise<TrainOutcome> {
    const { options, signal } = this.parts;
    while (this.progress.epoch < options.epochs && !signal?.aborted) {
      const finished = await this.epoch();
      if (finished) await this.finishEpoch();
      else await this.saveLast();
    }
    const { best } = this.progress;
    const interrupted = this.progress.epoch < options.epochs;
    return { epochs: this.rows, bestTop1: best?.top1, bestEpoch: best?.epoch ?? this.progress.epoch, interrupted };
  }

  /** The first epoch in which a causal network sees pairs of clips: first it learns what clips show, then what went before them. */
  private get chainedFrom(): number {
    return Math.floor(this.parts.options.epochs / 2);
  }

  private get chained(): boolean {
    return this.parts.config.causal === true && this.progress.epoch >= this.chainedFrom;
  }

  private get batchesPerEpoch(): number {
    return this.parts.loader.batchCount(this.train, this.parts.options.batch);
  }

  /** The rest of the current epoch. False when the signal cut it short. */
  private async epoch(): Promise<boolean> {
    const { loader, options, signal } = this.parts;
    const { epoch, batch: firstBatch } = this.progress;
    this.startedMs = performance.now();
    this.clipsDone = 0;
    if (this.batchesPerEpoch === 0) {
      throw new DatasetError(
        `${this.train.length} training videos do not fill a batch of ${options.batch}; use a smaller --batch`,
      );
    }
    const batches = loader.batches(this.train, { batch: options.batch, train: true, epoch, seed: options.seed, firstBatch });
    let waiting = batches.next();
    for (let next = await waiting; !next.done; next = await waiting) {
      waiting = batches.next(); // the next batch is put together while this one is learnt
      await this.step(next.value);
      if (signal?.aborted) {
        await waiting;
        await batches.return(undefined);
        return false;
      }
    }
    return true;
  }

  private async step(batch: ClipBatch): Promise<void> {
    const { config, options, programs } = this.parts;
    const { step } = this.progress;
    const rate = this.rateAt(step);
    const result = await programs.step({
      clips: batch.clips,
      targets: smoothedTargets(batch.labels, config.classes, options.labelSmoothing),
      dropout: this.dropout(step),
      step: step + 1,
      rate,
      weightDecay: options.weightDecay,
      chained: this.chained,
    });
    if (!Number.isFinite(result.loss)) {
      throw new VmfError(
        `training diverged: the loss is ${result.loss} at step ${step}; the checkpoint before this epoch is kept; try a lower --rate`,
      );
    }
    this.account(batch, result.loss, correctIn(result.logits, batch.labels, config.classes));
  }

  private account(batch: ClipBatch, loss: number, correct: number): void {
    const { progress } = this;
    this.clipsDone += batch.size;
    this.progress = {
      ...progress,
      step: progress.step + 1,
      batch: progress.batch + 1,
      lossSum: progress.lossSum + loss * batch.size,
      correct: progress.correct + correct,
      clips: progress.clips + batch.size,
    };
    const clipsPerSec = this.clipsDone / ((performance.now() - this.startedMs) / 1000);
    const { epoch, clips, lossSum } = this.progress;
    const batches = this.batchesPerEpoch;
    const left = (this.parts.options.epochs - epoch) * batches - this.progress.batch;
    this.parts.onEvent({
      kind: 'step',
      epoch: epoch + 1,
      batch: this.progress.batch,
      batches,
      loss: lossSum / clips,
      top1: this.progress.correct / clips,
      clipsPerSec,
      secondsLeft: (left * this.parts.options.batch) / clipsPerSec,
    });
  }

  private rateAt(step: number): number {
    const { options } = this.parts;
    const batches = this.batchesPerEpoch;
    return rateAt(step, {
      peak: options.rate,
      warmupSteps: Math.round(Math.min(options.warmupEpochs, options.epochs / 2) * batches),
      totalSteps: options.epochs * batches,
      finalShare: options.finalRate,
    });
  }

  /** [B, F]: 0 with probability p, else 1 / (1 - p); drawn anew for each step from the seed. */
  private dropout(step: number): Float32Array {
    const { config, options } = this.parts;
    const p = options.dropout ?? config.dropout;
    const rng = new Rng([options.seed, 'dropout', step]);
    return Float32Array.from({ length: options.batch * config.head }, () => (rng.chance(p) ? 0 : 1 / (1 - p)));
  }

  private async finishEpoch(): Promise<void> {
    const { folder } = this.parts;
    const seconds = (performance.now() - this.startedMs) / 1000;
    await this.estimateStatistics();
    const validation = await this.validate();
    const { progress } = this;
    const metrics: EpochMetrics = {
      epoch: progress.epoch + 1,
      step: progress.step,
      rate: this.rateAt(progress.step - 1),
      trainLoss: progress.lossSum / progress.clips,
      trainTop1: progress.correct / progress.clips,
      ...(validation && { valLoss: validation.loss, valTop1: validation.top1 }),
      clipsPerSec: this.clipsDone / seconds,
      seconds,
    };
    // What was best before pairs of clips is no yardstick for a network that is to understand a stream.
    const before = this.chained && progress.epoch === this.chainedFrom ? undefined : progress.best;
    const best = isBetter(metrics, before);
    const bestSoFar = best ? { epoch: metrics.epoch, top1: metrics.valTop1, loss: metrics.valLoss } : before;
    this.progress = { ...progress, epoch: progress.epoch + 1, batch: 0, lossSum: 0, correct: 0, clips: 0, best: bestSoFar };
    this.rows.push(metrics);
    folder.log(metrics);
    const checkpoint = await this.checkpoint(metrics);
    if (best) await folder.saveBest(checkpoint);
    await folder.saveLast(checkpoint);
    this.parts.onEvent({ kind: 'epoch', metrics, best });
  }

  /** Replaces the running statistics of all batch norms by those of a few training batches under the present weights. */
  private async estimateStatistics(): Promise<void> {
    const { config, loader, options, programs } = this.parts;
    const count = Math.min(options.statisticsBatches, this.batchesPerEpoch);
    if (count === 0) return;
    const estimate = new StatisticsEstimate(inventoryOf(config).statistics);
    const epoch = this.progress.epoch;
    const batches = loader.batches(this.train, { batch: options.batch, train: true, epoch, seed: options.seed + 1 });
    let done = 0;
    for await (const batch of batches) {
      estimate.add(await programs.statistics(batch.clips, this.chained));
      if (++done === count) break;
    }
    await programs.setStatistics(estimate.result());
  }

  /** Cross-entropy and top-1 over the validation videos, one centre view each. */
  private async validate(): Promise<{ loss: number; top1: number } | undefined> {
    const { config, loader, options, programs } = this.parts;
    if (this.val.length === 0) return undefined;
    let loss = 0;
    let correct = 0;
    for await (const batch of loader.batches(this.val, { batch: options.batch, train: false })) {
      const logits = await programs.logits(batch.clips, batch.size);
      correct += correctIn(logits, batch.labels, config.classes);
      batch.labels.forEach((label, i) => {
        loss -= Math.log(Math.max(softmax(logits.subarray(i * config.classes, (i + 1) * config.classes))[label] ?? 0, 1e-12));
      });
    }
    return { loss: loss / this.val.length, top1: correct / this.val.length };
  }

  private async saveLast(): Promise<void> {
    await this.parts.folder.saveLast(await this.checkpoint(undefined));
  }

  private async checkpoint(metrics: EpochMetrics | undefined): Promise<Checkpoint> {
    const { config, data, preprocess, programs, notes } = this.parts;
    const { parameters, statistics, first, second } = await programs.weights();
    const reached = metrics?.valTop1 === undefined ? {} : { valTop1: metrics.valTop1.toFixed(4) };
    return {
      config,
      labels: data.labels,
      preprocess,
      notes: { ...notes, epoch: String(this.progress.epoch), ...reached },
      parameters,
      statistics,
      training: { first, second, progress: this.progress },
    };
  }
}

/** How many rows of logits [B, classes] have their largest value on the label. */
function correctIn(logits: Float32Array, labels: Int32Array, classes: number): number {
  let correct = 0;
  labels.forEach((label, i) => {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    const value = row[label] ?? Number.NaN;
    if (row.every((other, k) => k === label || other < value)) correct++;
  });
  return correct;
}

/** Higher validation top-1, or as high with a lower loss; without validation the latest epoch. NaN is never better. */
function isBetter(metrics: EpochMetrics, best: Progress['best']): boolean {
  if (metrics.valTop1 === undefined || metrics.valLoss === undefined) return true;
  if (Number.isNaN(metrics.valLoss)) return false;
  if (best?.top1 === undefined || best.loss === undefined) return true;
  return metrics.valTop1 > best.top1 || (metrics.valTop1 === best.top1 && metrics.valLoss < best.loss);
}
