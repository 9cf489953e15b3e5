import type { DataLoader } from '../dataset/dataLoader.js';
import type { LabelledVideo } from '../dataset/labelledVideos.js';
import { softmax } from '../metrics/softmax.js';
import type { NetworkConfig } from '../models/config.js';
import { inventoryOf } from '../models/network.js';
import { joined } from '../runtime/joined.js';
import { PreciseBatchNorm } from './preciseBatchNorm.js';
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

/** Mean cross-entropy, and share of right answers. */
export interface ValidationResult {
  readonly loss: number;
  readonly top1: number;
}

/** Cross-entropy and top-1 over videos, one centre view each; undefined for none. The loss is NaN when logits are. */
export async function validate(parts: ValidationParts, videos: readonly LabelledVideo[]): Promise<ValidationResult | undefined> {
  if (videos.length === 0) return undefined;
  const { logits, labels } = await validationLogits(parts, videos);
  if (!logits.every(Number.isFinite)) return { loss: Number.NaN, top1: 0 };
  return resultOfLogits(logits, labels, parts.config.classes);
}

/** Mean cross-entropy and top-1 of logits [N, classes]. */
export function resultOfLogits(logits: Float32Array, labels: Int32Array, classes: number): ValidationResult {
  let loss = 0;
  labels.forEach((label, i) => {
    loss -= Math.log(Math.max(softmax(logits.subarray(i * classes, (i + 1) * classes))[label] ?? 0, 1e-12));
  });
  return { loss: loss / labels.length, top1: correctIn(logits, labels, classes) / labels.length };
}

/** Logits [N, classes] of videos, one centre view each, and their labels [N]. */
export async function validationLogits({ options, loader, session }: ValidationParts, videos: readonly LabelledVideo[]) {
  const [logits, labels]: [Float32Array[], number[]] = [[], []];
  for await (const batch of loader.batches(videos, { batch: options.batch, train: false })) {
    logits.push(await session.logits(batch.clips));
    labels.push(...batch.labels);
  }
  return { logits: joined(logits), labels: Int32Array.from(labels) };
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
