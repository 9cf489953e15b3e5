/** Progress stored in the `last` checkpoint, and whether a resumed run is the same run. */

import { createHash } from 'node:crypto';
import * as v from 'valibot';
import type { LabelledVideos } from '../dataset/labelledVideos.js';
import { partKey, type VideoPart } from '../dataset/videoPart.js';
import { ConfigError, WeightsError } from '../errors.js';
import { integer, matching, number } from '../schema.js';
import type { ValidationResult } from './quality.js';
import { type TrainOptions, trainOptions } from './recipe/options.js';

const progressSchema = v.strictObject({
  options: v.unknown(),
  /** Digest of names, labels and splits of the videos. */
  data: v.string(),
  teacher: v.optional(v.string()),
  /** Finished epochs, passes of the current one, and all passes: a step is `gradAccum` of them. */
  epoch: integer(0),
  batch: integer(0),
  pass: integer(0),
  /** Of the current epoch: labelled clips seen and correct, sums of losses and gradient norms. */
  clips: integer(0),
  correct: integer(0),
  lossSum: number(),
  normSum: number(),
  /** Sum of the shares of unlabelled clips with a confident pseudo-label. */
  pseudoSum: number(),
  /** Validations. */
  sinceBest: integer(0),
  best: v.optional(
    v.strictObject({ epoch: integer(), top1: v.optional(number()), map: v.optional(number()), loss: v.optional(number()) }),
  ),
});

export interface Progress {
  readonly options: TrainOptions;
  readonly data: string;
  readonly teacher?: string | undefined;
  readonly epoch: number;
  readonly batch: number;
  readonly pass: number;
  readonly clips: number;
  readonly correct: number;
  readonly lossSum: number;
  readonly normSum: number;
  readonly pseudoSum: number;
  readonly sinceBest: number;
  readonly best?: Best | undefined;
}

interface Best {
  readonly epoch: number;
  readonly top1?: number | undefined;
  readonly map?: number | undefined;
  readonly loss?: number | undefined;
}

/** What is counted within an epoch. */
export const newEpoch = { clips: 0, correct: 0, lossSum: 0, normSum: 0, pseudoSum: 0 } as const;

interface StartOfRun {
  readonly options: TrainOptions;
  readonly data: LabelledVideos;
  readonly unlabelled: readonly VideoPart[];
  readonly teacher: string | undefined;
  /** Validation of the weights that the run starts from, where they are to be beaten. */
  readonly first?: ValidationResult | undefined;
}

export function startOfRun({ options, data, unlabelled, teacher, first }: StartOfRun): Progress {
  const digests = { data: dataDigest(data, unlabelled), ...(teacher !== undefined && { teacher }) };
  return {
    options,
    ...digests,
    epoch: 0,
    batch: 0,
    pass: 0,
    ...newEpoch,
    sinceBest: 0,
    ...(first && { best: { epoch: 0, ...first } }),
  };
}

/** Reads the progress of a checkpoint and makes sure that the data are those of the run. */
export function resumedProgress(value: unknown, data: LabelledVideos, unlabelled: readonly VideoPart[], where: string): Progress {
  const parsed = matching(progressSchema, value);
  if (parsed === undefined)
    throw new WeightsError('its training state is not understood; start anew with another --out', { path: where });
  if (parsed.data !== dataDigest(data, unlabelled)) {
    throw new ConfigError(
      `${where}: the data are not those of this run: names, labels, splits or unlabelled videos differ; resume with the same data`,
    );
  }
  return { ...parsed, options: trainOptions(parsed.options, where) };
}

/** Checks that a resumed run has its first teacher. */
export function checkTeacher(before: Progress, now: string | undefined, where: string): void {
  if (before.teacher === now) return;
  if (before.teacher === undefined) throw new ConfigError(`${where}: this run has no teacher; leave out --teacher`);
  if (now === undefined) throw new ConfigError(`${where}: this run learns from a teacher; give its file again with --teacher`);
  throw new ConfigError(
    `${where}: the teacher is not the one of this run: its file, or how it is read, has changed; resume with the same --teacher`,
  );
}

/** Of names, labels and splits of the videos, and of those without labels: equal digests mean the same data to learn from. */
export function dataDigest(data: LabelledVideos, unlabelled: readonly VideoPart[] = []): string {
  const hash = createHash('sha256');
  if (data.multiLabel) hash.update('several labels\n');
  for (const { name, label, split } of data.videos) hash.update(`${split}\t${label}\t${name}\n`);
  for (const video of unlabelled) hash.update(`unlabelled\t${partKey(video)}\n`);
  return hash.digest('hex');
}
