/**
 * The batch and targets of one pass. All randomness comes from the seed and the number of the pass, so that a resumed run is
 * identical.
 */

import type { ClipTensor } from '../../clip/clipTensor.js';
import { mixClips } from '../../clip/mixClips.js';
import type { ClipBatch } from '../../dataset/dataLoader.js';
import type { LabelledVideo } from '../../dataset/labelledVideos.js';
import { targetsOf } from '../../dataset/labelSets.js';
import type { NetworkConfig } from '../../models/config.js';
import { Rng } from '../../rng.js';
import { smoothedBinary } from '../multiLabel.js';
import type { TrainOptions } from '../recipe/options.js';
import { smoothedTargets } from '../step.js';

/** Progress of a run: passes before this one, and their share of the run. */
export interface StepPosition {
  readonly pass: number;
  readonly done: number;
}

export interface TrainingBatch {
  readonly clips: ClipTensor;
  /** [B, classes]; rows sum to the weight of the clip. */
  readonly targets: Float32Array;
  /** A teacher's probabilities times their weight, [B, classes], when there is a teacher. */
  readonly soft?: Float32Array;
  /** [B] the true labels, for counting correct predictions; -1 where unknown. */
  readonly labels: Int32Array;
  /** [B, classes] 0 and 1, where clips have several labels at once; `labels` are -1 then. */
  readonly truth?: Float32Array;
  /** [B] indices of the videos, for messages. */
  readonly videos: Int32Array;
  /** Share of the unlabelled clips that the teacher was sure of. */
  readonly pseudoShare?: number;
}

/** What several labels at once need beside a batch: the videos that it numbers, and how often each class is true. */
export interface MultiLabelFacts {
  readonly videos: readonly LabelledVideo[];
  /** [classes] */
  readonly frequencies: Float32Array;
}

/** As `supervisedBatch`, for videos with several labels at once. */
export function multiLabelBatch(
  batch: ClipBatch,
  { videos: all, frequencies }: MultiLabelFacts,
  options: TrainOptions,
  pass: number,
): TrainingBatch {
  const { clips, labels, videos } = batch;
  const truth = targetsOf(all, videos, frequencies.length);
  if (!truth) throw new TypeError('videos without a set of labels');
  const targets = smoothedBinary(truth, frequencies, options.labelSmoothing);
  mixClips({ clips, targets }, new Rng([options.seed, 'mix', pass]), options);
  return { clips, targets, truth, labels, videos };
}

/** Labels smoothed, clips mixed as the recipe says. The batch's clips are written over. */
export function supervisedBatch(batch: ClipBatch, config: NetworkConfig, options: TrainOptions, pass: number): TrainingBatch {
  const { clips, labels, videos } = batch;
  const targets = smoothedTargets(labels, config.classes, options.labelSmoothing);
  const rng = new Rng([options.seed, 'mix', pass]);
  mixClips({ clips, targets }, rng, options);
  return { clips, targets, labels, videos };
}

/** [B, F] for F values of a clip: 0 with probability p, else 1 / (1 - p). */
export function dropoutMask(values: number, p: number, options: TrainOptions, pass: number): Float32Array {
  const rng = new Rng([options.seed, 'dropout', pass]);
  return Float32Array.from({ length: options.batch * values }, () => (rng.chance(p) ? 0 : 1 / (1 - p)));
}

/** [n, B]: 0 with a probability that rises evenly from 0 (exclusive) to `dropPath` at the last branch, else 1 / (1 - p). */
export function dropPathMask(branches: number, options: TrainOptions, pass: number): Float32Array {
  const rng = new Rng([options.seed, 'drop path', pass]);
  const { batch, dropPath } = options;
  return Float32Array.from({ length: branches * batch }, (_, i) => {
    const p = (dropPath * (Math.floor(i / batch) + 1)) / branches;
    return rng.chance(p) ? 0 : 1 / (1 - p);
  });
}
