import type { DataLoader } from '../dataset/dataLoader.js';
import type { LabelledVideo } from '../dataset/labelledVideos.js';
import { targetsOf } from '../dataset/labelSets.js';
import { resultOfBinaryLogits } from '../metrics/multiLabel.js';
import { softmax } from '../metrics/softmax.js';
import type { NetworkConfig } from '../models/config.js';
import { inventoryOf } from '../models/network.js';
import { joined } from '../runtime/joined.js';
import { PreciseBatchNorm } from './preciseBatchNorm.js';
import type { ValidationResult } from './quality.js';
import type { TrainOptions } from './recipe/options.js';
import type { TrainingSession } from './trainingSession.js';

export interface ValidationParts {
  readonly config: NetworkConfig;
  readonly options: TrainOptions;
  readonly loader: DataLoader;
  readonly session: TrainingSession;
}

/** Replaces the running statistics of all batch norms by those of a few training batches under the weights that are tested. */
export async function estimateStatistics(
  { config, options, loader, session }: ValidationParts,
  videos: readonly LabelledVideo[],
  epoch: number,
  pairedClips: boolean,
): Promise<void> {
  const { batch, seed, preciseBn, batchNorm } = options;
  if (preciseBn === 0 || batchNorm === 'frozen') return;
  const estimate = new PreciseBatchNorm(inventoryOf(config).statistics);
  let left = preciseBn;
  for await (const { clips } of loader.batches(videos, { batch, train: true, epoch, seed: seed + 1 })) {
    estimate.add(await session.statistics(clips, pairedClips));
    if (--left === 0) break;
  }
  await session.setStatistics(estimate.result());
}

/** Of one centre view each of some videos; undefined for none. The loss is NaN when logits are. */
export async function validate(parts: ValidationParts, videos: readonly LabelledVideo[]): Promise<ValidationResult | undefined> {
  if (videos.length === 0) return undefined;
  const { logits, labels, targets } = await validationLogits(parts, videos);
  if (!logits.every(Number.isFinite)) return { loss: Number.NaN, ...(targets ? { map: 0 } : { top1: 0 }) };
  return resultOf(logits, { labels, targets }, parts.config.classes);
}

/** What is true of clips: a label [N] each, or 0 and 1 [N, classes]. */
export interface Truth {
  readonly labels: Int32Array;
  readonly targets?: Float32Array | undefined;
}

/** Of logits [N, classes]. */
export const resultOf = (logits: Float32Array, { labels, targets }: Truth, classes: number): ValidationResult =>
  targets ? resultOfBinaryLogits(logits, targets, classes) : resultOfLogits(logits, labels, classes);

/** Mean cross-entropy and top-1 of logits [N, classes]. */
export function resultOfLogits(
  logits: Float32Array,
  labels: Int32Array,
  classes: number,
): Required<Pick<ValidationResult, 'loss' | 'top1'>> {
  let loss = 0;
  labels.forEach((label, i) => {
    loss -= Math.log(Math.max(softmax(logits.subarray(i * classes, (i + 1) * classes))[label] ?? 0, 1e-12));
  });
  return { loss: loss / labels.length, top1: correctIn(logits, labels, classes) / labels.length };
}

/** Logits [N, classes] of videos, one centre view each, and what is true of them. */
export async function validationLogits(
  { config, options, loader, session }: ValidationParts,
  videos: readonly LabelledVideo[],
): Promise<Truth & { readonly logits: Float32Array }> {
  const [logits, labels, numbers]: [Float32Array[], number[], number[]] = [[], [], []];
  for await (const batch of loader.batches(videos, { batch: options.batch, train: false })) {
    logits.push(await session.logits(batch.clips));
    labels.push(...batch.labels);
    numbers.push(...batch.videos);
  }
  const targets = targetsOf(videos, numbers, config.classes);
  return { logits: joined(logits), labels: Int32Array.from(labels), targets };
}

/** How many rows of logits [B, classes] have their largest value on the label; rows without a label (-1) are wrong. */
export function correctIn(logits: Float32Array, labels: Int32Array, classes: number): number {
  let correct = 0;
  labels.forEach((label, i) => {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    const value = row[label] ?? Number.NaN;
    if (row.every((other, k) => k === label || other < value)) correct++;
  });
  return correct;
}
