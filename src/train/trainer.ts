/**
 * The training loop: epochs of batches, optimizer steps, statistics, validation, metrics and checkpoints. All randomness comes
 * from the seed, so that a resumed run continues exactly, also within an epoch.
 */

import type { Preprocess } from '../clip/preprocess.js';
import type { ClipBatch, DataLoader } from '../dataset/dataLoader.js';
import { type LabelledVideo, type LabelledVideos, videosOf } from '../dataset/labelledVideos.js';
import type { VideoPart } from '../dataset/videoPart.js';
import { ConfigError, DatasetError, VmfError } from '../errors.js';
import type { NetworkConfig } from '../models/config.js';
import type { Checkpoint } from '../weights/checkpoint.js';
import { DivergenceWatch, lossWeight } from './divergence.js';
import { layerLrScales, learnsEvenly } from './layerDecay.js';
import { decisionsIn } from './multiLabel.js';
import { dropoutMask, dropPathMask, type StepPosition, type TrainingBatch } from './objectives/supervised.js';
import { newEpoch, type Progress, startOfRun } from './progress.js';
import { isBetter, reachedNotes, type ValidationResult, validated } from './quality.js';
import type { TrainOptions } from './recipe/options.js';
import type { RunFolder } from './runFolder/runFolder.js';
import { lrAt } from './schedule.js';
import type { StepResult, TrainingSession } from './trainingSession.js';
import { correctIn, estimateStatistics, validate } from './validation.js';

/**
 * One line of metrics.jsonl. Accuracies are shares; validation is absent without validation videos and between validations. With several
 * labels at once F1 at score 0.5 and mean average precision take the place of top-1.
 */
export interface EpochMetrics {
  readonly epoch: number;
  readonly step: number;
  readonly rate: number;
  readonly trainLoss: number;
  readonly trainTop1?: number;
  readonly trainF1?: number;
  /** Mean L2 norm of the gradient, before it is limited. */
  readonly gradientNorm: number;
  /** Share of unlabelled clips that the teacher was sure of, with unlabelled videos. */
  readonly pseudoShare?: number;
  readonly valLoss?: number;
  readonly valTop1?: number;
  readonly valMap?: number;
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
      readonly top1?: number;
      readonly f1?: number;
      readonly clipsPerSec: number;
      readonly secondsLeft: number;
    }
  | { readonly kind: 'epoch'; readonly metrics: EpochMetrics; readonly best: boolean };

/** Parts of a run. */
export interface TrainerParts {
  readonly config: NetworkConfig;
  readonly preprocess: Preprocess;
  readonly data: LabelledVideos;
  readonly unlabelled: readonly VideoPart[];
  /** Digest of the teacher's file, when there is one. */
  readonly teacher: string | undefined;
  /** Validation of the weights that the run starts from, where they are to be beaten. */
  readonly first?: ValidationResult | undefined;
  /** The linear probe that the run started from, where there is one. */
  readonly probe?: Checkpoint | undefined;
  /** Of the network, or of a teacher of other classes if those are more. */
  readonly mostClasses: number;
  readonly options: TrainOptions;
  readonly folder: RunFolder;
  /** Labelled clips a pass, and what a pass learns from them. */
  readonly labelledBatch: number;
  readonly makeBatch: (batch: ClipBatch, at: StepPosition) => Promise<TrainingBatch>;
  readonly loader: DataLoader;
  readonly session: TrainingSession;
  readonly notes: Readonly<Record<string, string>>;
  readonly onEvent: (event: TrainEvent) => void;
  readonly signal: AbortSignal | undefined;
}

export interface TrainOutcome {
  readonly epochs: readonly EpochMetrics[];
  /** Validation top-1 of the best checkpoint; undefined without validation videos. */
  readonly bestTop1: number | undefined;
  /** Instead of it with several labels at once: mean average precision. */
  readonly bestMap?: number;
  readonly bestLoss: number | undefined;
  /** 0: the linear probe that the run started from. */
  readonly bestEpoch: number;
  /** True when the signal ended the run; `last` then continues it. */
  readonly interrupted: boolean;
  /** True when patience ended the run before its last epoch. */
  readonly stoppedEarly: boolean;
}

/** `last` is written after an epoch unless that takes more than this share of the time: small sets have epochs of a second. */
const savingShare = 0.05;

export class Trainer {
  private readonly train: readonly LabelledVideo[];
  private readonly val: readonly LabelledVideo[];
  private readonly rows: EpochMetrics[] = [];
  private readonly watch: DivergenceWatch;
  private startedMs = performance.now();
  private savedMs = 0;
  private savingTookMs = 0;
  private clipsDone = 0;
  /** Passes of the present epoch; counted at its start, since counting draws the epoch's whole order. */
  private batchesPerEpoch = 0;
  /** The weights as of the epoch that is being finished are in `last`. */
  private lastSaved: number;

  constructor(
    private readonly parts: TrainerParts,
    private progress: Progress = startOfRun(parts),
  ) {
    const { config, options, data } = parts;
    if (config.causal) checkCausal(options);
    this.train = videosOf(data, 'train');
    this.val = data.videos.filter((video) => video.split === 'val');
    const more = { teacher: parts.teacher !== undefined, unlabelled: parts.unlabelled.length > 0 };
    this.watch = new DivergenceWatch(data.multiLabel ? 2 : parts.mostClasses, lossWeight(options, more));
    this.lastSaved = progress.epoch;
  }

  /** Trains from where the progress stands to the last epoch, until patience ends, or until the signal. */
  async run(): Promise<TrainOutcome> {
    const { folder, options, signal } = this.parts;
    await folder.reserveFor(await this.checkpoint(undefined));
    await this.saveStart();
    while (!this.done && !signal?.aborted) {
      const finished = await this.epoch();
      if (finished) await this.finishEpoch();
      else await this.saveLast();
    }
    const { best, epoch } = this.progress;
    return {
      epochs: this.rows,
      bestTop1: best?.top1,
      ...(best?.map !== undefined && { bestMap: best.map }),
      bestLoss: best?.loss,
      bestEpoch: best?.epoch ?? epoch,
      interrupted: !this.done,
      stoppedEarly: this.done && epoch < options.epochs,
    };
  }

  /** From a probe on a run can be resumed at any time; the probe is its best answer until others are better. */
  private async saveStart(): Promise<void> {
    const { folder, probe } = this.parts;
    if (!probe) return;
    const { hasLast, hasBest } = folder;
    if (!hasLast) await this.saveLast(); // first: a folder with `best` alone is neither resumed nor begun
    if (!hasBest && this.progress.best?.epoch === 0) await folder.saveBest(probe);
  }

  private get done(): boolean {
    const { epochs, patience } = this.parts.options;
    const { epoch, sinceBest } = this.progress;
    return epoch >= epochs || (patience > 0 && sinceBest >= patience);
  }

  /**
   * The first epoch in which a causal network sees pairs of clips: first it learns what clips show, then what went before them.
   */
  private get pairedClipsFrom(): number {
    return Math.floor(this.parts.options.epochs / 2);
  }

  private get pairedClips(): boolean {
    return this.parts.config.causal === true && this.progress.epoch >= this.pairedClipsFrom;
  }

  private countBatches(): number {
    const { repeatedAug: repeats, classBalanced } = this.parts.options;
    return this.parts.loader.batchCount(this.train, { batch: this.parts.labelledBatch, repeats, classBalanced });
  }

  /** The rest of the current epoch. False when the signal cut it short. */
  private async epoch(): Promise<boolean> {
    const { loader, options, signal } = this.parts;
    const { seed, repeatedAug: repeats, classBalanced } = options;
    const { labelledBatch: batch } = this.parts;
    const { epoch, batch: firstBatch } = this.progress;
    this.startedMs = performance.now();
    this.clipsDone = 0;
    this.batchesPerEpoch = this.countBatches();
    if (this.batchesPerEpoch === 0) {
      throw new DatasetError(`${this.train.length} training videos do not fill a batch of ${batch}; use a smaller --batch`);
    }
    await this.setRates();
    const batches = loader.batches(this.train, { batch, train: true, epoch, seed, repeats, classBalanced, firstBatch });
    let waiting = batches.next();
    for (let next = await waiting; !next.done; next = await waiting) {
      waiting = batches.next(); // prefetch while this batch is learnt
      waiting.catch(() => {}); // awaited later, if this pass does not throw
      await this.pass(next.value);
      if (signal?.aborted) {
        await waiting;
        await batches.return(undefined);
        return false;
      }
    }
    return true;
  }

  private async setRates(): Promise<void> {
    const { config, options, session } = this.parts;
    if (learnsEvenly(options)) return;
    await session.setRates(layerLrScales(config, this.progress.epoch, options));
  }

  private async pass(batch: ClipBatch): Promise<void> {
    const { config, options, session } = this.parts;
    const { pass } = this.progress;
    const { gradAccum, ema, dropPath, weightDecay } = options;
    const step = Math.floor(pass / gradAccum) + 1;
    const made = await this.parts.makeBatch(batch, { pass, done: pass / this.totalPasses });
    const result = await session.step({
      clips: made.clips,
      targets: made.targets,
      ...(made.soft && { soft: made.soft }),
      dropout: dropoutMask(session.masks.dropouts, options.dropout ?? config.dropout, options, pass),
      ...(dropPath > 0 && { dropPath: dropPathMask(session.masks.branches, options, pass) }),
      ...{ step, rate: this.rateAt(pass), weightDecay },
      // Early averages forget their start sooner.
      keep: Math.min(ema, (1 + step) / (10 + step)),
      pairedClips: this.pairedClips,
      partial: (pass + 1) % gradAccum !== 0,
    });
    this.refuseDivergence(made, result, step);
    this.updateMetrics(made, result);
  }

  private refuseDivergence({ videos }: TrainingBatch, { loss, gradientNorm }: StepResult, step: number): void {
    const fault = this.watch.fault(loss, gradientNorm);
    if (fault === undefined) return;
    const names = [...videos].map((video) => this.train[video]?.name ?? '?');
    this.stopDiverged(`at step ${step}, epoch ${this.progress.epoch + 1}: ${fault}; clips: ${names.join(', ')}`);
  }

  private stopDiverged(where: string): never {
    const { folder, options } = this.parts;
    const kept =
      this.lastSaved > 0 ? `${folder.lastPath} (epoch ${this.lastSaved}) is the last good checkpoint` : 'nothing was saved yet';
    throw new VmfError(`training diverged ${where}; ${kept}; try a lower --lr than ${options.lr}`);
  }

  private updateMetrics(made: TrainingBatch, { loss, gradientNorm, logits }: StepResult): void {
    const { progress } = this;
    const { options } = this.parts;
    const { labels, pseudoShare = 0 } = made;
    const { correct, of } = this.right(made, logits);
    this.clipsDone += labels.length;
    this.progress = {
      ...progress,
      pass: progress.pass + 1,
      batch: progress.batch + 1,
      lossSum: progress.lossSum + loss,
      normSum: progress.normSum + gradientNorm,
      pseudoSum: progress.pseudoSum + pseudoShare,
      correct: progress.correct + correct,
      clips: progress.clips + of,
    };
    const clipsPerSec = this.clipsDone / ((performance.now() - this.startedMs) / 1000);
    const { epoch, clips, lossSum, batch } = this.progress;
    const batches = this.batchesPerEpoch;
    const left = (options.epochs - epoch) * batches - batch;
    this.parts.onEvent({
      ...{ kind: 'step', epoch: epoch + 1, batch, batches, clipsPerSec },
      loss: lossSum / batch,
      ...(made.truth ? { f1: this.progress.correct / Math.max(clips, 1) } : { top1: this.progress.correct / Math.max(clips, 1) }),
      secondsLeft: (left * options.batch) / clipsPerSec,
    });
  }

  /** Clips that are right of those with a label; with several labels, what F1 is the quotient of. */
  private right({ labels, truth }: TrainingBatch, logits: Float32Array): { readonly correct: number; readonly of: number } {
    if (truth) return decisionsIn(logits, truth);
    const of = labels.filter((label) => label >= 0).length;
    return { correct: correctIn(logits, labels, this.parts.config.classes), of };
  }

  private get totalPasses(): number {
    return this.parts.options.epochs * this.batchesPerEpoch;
  }

  private rateAt(pass: number): number {
    const { options } = this.parts;
    const batches = this.batchesPerEpoch;
    return lrAt(pass, {
      peak: options.lr,
      warmupSteps: Math.round(Math.min(options.warmupEpochs, options.epochs / 2) * batches),
      totalSteps: this.totalPasses,
      finalShare: options.minLrRatio,
    });
  }

  private async finishEpoch(): Promise<void> {
    const { folder, options } = this.parts;
    const seconds = (performance.now() - this.startedMs) / 1000;
    const { progress } = this;
    const epoch = progress.epoch + 1;
    const isLast = epoch === options.epochs;
    const looks = isLast || (this.val.length > 0 && epoch % options.validateEvery === 0);
    const validation = looks ? await this.evaluate() : undefined;
    if (Number.isNaN(validation?.loss))
      this.stopDiverged(`in epoch ${epoch}: the network's answers on validation videos are no numbers`);
    const metrics: EpochMetrics = {
      ...{ epoch, step: Math.floor(progress.pass / options.gradAccum), rate: this.rateAt(progress.pass - 1) },
      trainLoss: progress.lossSum / progress.batch,
      [this.parts.data.multiLabel ? 'trainF1' : 'trainTop1']: progress.correct / Math.max(progress.clips, 1),
      gradientNorm: progress.normSum / progress.batch,
      ...(this.parts.labelledBatch < options.batch && { pseudoShare: progress.pseudoSum / progress.batch }),
      ...(validation && validated(validation)),
      ...{ clipsPerSec: this.clipsDone / seconds, seconds },
    };
    const best = this.updateBest(metrics, looks);
    this.rows.push(metrics);
    await folder.log(metrics);
    if (best || this.done || this.savingIsDue()) await this.save(metrics, best);
    this.parts.onEvent({ kind: 'epoch', metrics, best });
  }

  /** Moves the progress on to the next epoch. True when these are the weights to keep. */
  private updateBest(metrics: EpochMetrics, looked: boolean): boolean {
    const { progress } = this;
    // The best result before clip pairs is not comparable with that of a network for streams.
    const before = this.pairedClips && progress.epoch === this.pairedClipsFrom ? undefined : progress.best;
    const best = looked && isBetter(metrics, before);
    const { valTop1: top1, valMap: map, valLoss: loss } = metrics;
    const bestSoFar = best ? { epoch: metrics.epoch, top1, ...(map !== undefined && { map }), loss } : before;
    const sinceBest = best ? 0 : progress.sinceBest + Number(looked && loss !== undefined);
    this.progress = { ...progress, ...newEpoch, epoch: metrics.epoch, batch: 0, best: bestSoFar, sinceBest };
    return best;
  }

  private async evaluate(): Promise<ValidationResult | undefined> {
    await estimateStatistics(this.parts, this.train, this.progress.epoch, this.pairedClips);
    return validate(this.parts, this.val);
  }

  private savingIsDue(): boolean {
    return this.savingTookMs <= savingShare * (performance.now() - this.savedMs);
  }

  private async save(metrics: EpochMetrics, best: boolean): Promise<void> {
    const startMs = performance.now();
    const checkpoint = await this.checkpoint(metrics);
    if (best) await this.parts.folder.saveBest(checkpoint);
    await this.parts.folder.saveLast(checkpoint);
    this.lastSaved = metrics.epoch;
    this.savedMs = performance.now();
    this.savingTookMs = this.savedMs - startMs;
  }

  private async saveLast(): Promise<void> {
    await this.parts.folder.saveLast(await this.checkpoint(undefined));
  }

  private async checkpoint(metrics: EpochMetrics | undefined): Promise<Checkpoint> {
    const { config, data, preprocess, session, notes } = this.parts;
    const { parameters, statistics, expAvg, expAvgSq, ema, gradients, teacherHead } = await session.weights();
    const { valTop1: top1, valMap: map } = metrics ?? {};
    const reached = reachedNotes({ ...(top1 !== undefined && { top1 }), ...(map !== undefined && { map }) });
    return {
      ...{ config, labels: data.labels, preprocess, statistics },
      ...(data.multiLabel && { multiLabel: true as const }),
      notes: { ...notes, epoch: String(this.progress.epoch), ...reached },
      parameters: ema ?? parameters,
      training: {
        expAvg,
        expAvgSq,
        ...(ema && { rawParams: parameters }),
        ...(gradients && { gradients }),
        ...(teacherHead && { teacherHead }),
        progress: this.progress,
      },
    };
  }
}

function checkCausal({ batch, dropPath }: TrainOptions): void {
  if (batch % 2 !== 0)
    throw new ConfigError(`--batch: a causal network learns from pairs of clips; expected an even number, got ${batch}`);
  if (dropPath > 0)
    throw new ConfigError(`--drop-path: is not for causal networks, which learn from pairs of clips; leave it at 0`);
}
