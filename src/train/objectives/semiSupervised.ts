/**
 * Semi-supervised learning after SVFormer (Xing et al. 2023, arXiv 2211.13222): the moving average of the weights labels a weak
 * view, the network learns confident labels on a strong view, some mixed by tubes. Options were chosen by measurement
 * (recipes/semi.yaml). Unlike there, mixed clips use cross-entropy weighted by confidence, since a squared error of raw outputs
 * scales with the logits. Labelled and unlabelled clips share a batch, so that batch norms see both; the teacher's see weak
 * views, since running statistics are the student's (SVFormer has layer norms only).
 */

import { joinClips } from '../../clip/clipTensor.js';
import { derangement, mixTargets } from '../../clip/mixClips.js';
import { tubeMix } from '../../clip/tubeMix.js';
import type { ClipBatch } from '../../dataset/dataLoader.js';
import { softmax } from '../../metrics/softmax.js';
import type { NetworkConfig } from '../../models/config.js';
import { Rng } from '../../rng.js';
import { joined } from '../../runtime/joined.js';
import type { TrainOptions } from '../recipe/options.js';
import type { TrainingSession } from '../trainingSession.js';
import { type StepPosition, supervisedBatch, type TrainingBatch } from './supervised.js';
import type { UnlabelledClips } from './unlabelledClips.js';

/** Numbers of labelled and unlabelled clips a pass. */
export function batchParts({ batch, unlabelledRatio }: Pick<TrainOptions, 'batch' | 'unlabelledRatio'>): {
  readonly labelled: number;
  readonly unlabelled: number;
} {
  const unlabelled = Math.min(Math.max(Math.round(batch * unlabelledRatio), 1), batch - 1);
  return { labelled: batch - unlabelled, unlabelled };
}

export interface SemiParts {
  readonly config: NetworkConfig;
  readonly options: TrainOptions;
  readonly session: Pick<TrainingSession, 'teaching'>;
  readonly unlabelled: UnlabelledClips;
}

/** A labelled batch and as many unlabelled clips as fill the pass. */
export async function semiSupervisedBatch(
  { config, options, session, unlabelled }: SemiParts,
  batch: ClipBatch,
  { pass, done }: StepPosition,
): Promise<TrainingBatch> {
  const { classes } = config;
  const parts = batchParts(options);
  const known = supervisedBatch(batch, config, options, pass);
  const { weak, strong } = await unlabelled.at(pass);
  const logits = await session.teaching(weak);
  const { targets, confident } = pseudoTargets(logits, classes, options.pseudoThreshold);
  const rng = new Rng([options.seed, 'tubes', pass]);
  if (parts.unlabelled > 1 && rng.chance(options.tokenMix)) {
    const partners = derangement(rng, parts.unlabelled);
    const kept = tubeMix(strong, partners, rng);
    mixTargets(targets, classes, partners, kept);
  }
  return {
    clips: joinClips([known.clips, strong]),
    // The loss of the labelled clips plus a weight times that of the others, each a mean.
    targets: joined([
      scaled(known.targets, options.batch / parts.labelled),
      scaled(targets, (pseudoWeightAt(done, options) * options.batch) / parts.unlabelled),
    ]),
    labels: Int32Array.from([...known.labels, ...Array<number>(parts.unlabelled).fill(-1)]),
    videos: known.videos,
    pseudoShare: confident / parts.unlabelled,
  };
}

/**
 * The weight of unlabelled clips when a share of the run is done: it rises as exp(-5 (1 - t)^2) over the first `rampUp` of it (Laine
 * and Aila 2017, arXiv 1610.02242), since a teacher that knows little is sure of the wrong things.
 */
export function pseudoWeightAt(done: number, { pseudoWeight, rampUp }: Pick<TrainOptions, 'pseudoWeight' | 'rampUp'>): number {
  const missing = rampUp > 0 ? Math.max(0, 1 - done / rampUp) : 0;
  return pseudoWeight * Math.exp(-5 * missing ** 2);
}

/** The most likely class of each row of logits where its probability reaches the threshold, zeros elsewhere. */
export function pseudoTargets(
  logits: Float32Array,
  classes: number,
  threshold: number,
): { targets: Float32Array; confident: number } {
  const targets = new Float32Array(logits.length);
  let confident = 0;
  for (let at = 0; at < logits.length; at += classes) {
    const scores = softmax(logits.subarray(at, at + classes));
    const best = Math.max(...scores);
    if (!(best >= threshold)) continue;
    targets[at + scores.indexOf(best)] = 1;
    confident++;
  }
  return { targets, confident };
}

const scaled = (values: Float32Array, factor: number): Float32Array => values.map((value) => value * factor);
