/** How far a run has come, as it is stored in its `last` checkpoint, and whether a resumed run is the same run. */

import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { LabelledVideos } from '../dataset/labelledVideos.js';
import { ConfigError, WeightsError } from '../errors.js';
import { type TrainOptions, trainOptions } from './options.js';

const progressSchema = z.strictObject({
  options: z.unknown(),
  /** Digest of names, labels and splits of the videos. */
  data: z.string(),
  /** Epochs finished, batches done of the next one, and steps in all. */
  epoch: z.int().min(0),
  batch: z.int().min(0),
  step: z.int().min(0),
  /** Of the unfinished epoch: clips seen, those right, and the sum of their losses. */
  clips: z.int().min(0),
  correct: z.int().min(0),
  lossSum: z.number(),
  best: z.strictObject({ epoch: z.int(), top1: z.number().optional(), loss: z.number().optional() }).optional(),
});

export interface Progress {
  readonly options: TrainOptions;
  readonly data: string;
  readonly epoch: number;
  readonly batch: number;
  readonly step: number;
  readonly clips: number;
  readonly correct: number;
  readonly lossSum: number;
  readonly best?: { readonly epoch: number; readonly top1?: number | undefined; readonly loss?: number | undefined } | undefined;
}

export function startOfRun({ options, data }: { options: TrainOptions; data: LabelledVideos }): Progress {
  return { options, data: digest(data), epoch: 0, batch: 0, step: 0, clips: 0, correct: 0, lossSum: 0 };
}

/** Reads the progress of a checkpoint and makes sure that the data are those of the run. */
export function resumedProgress(value: unknown, data: LabelledVideos, where: string): Progress {
  const parsed = progressSchema.safeParse(value);
  if (!parsed.success) throw new WeightsError(`${where}: its training state is not understood; start anew with another --out`);
  if (parsed.data.data !== digest(data)) {
    throw new ConfigError(
      `${where}: the data are not those of this run: names, labels or splits differ; resume with the same data`,
    );
  }
  return { ...parsed.data, options: trainOptions(parsed.data.options, where) };
}

function digest(data: LabelledVideos): string {
  const hash = createHash('sha256');
  for (const { name, label, split } of data.videos) hash.update(`${split}\t${label}\t${name}\n`);
  return hash.digest('hex');
}
