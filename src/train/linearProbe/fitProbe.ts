/**
 * Fits the linear readout to standardised features of training clips; penalty and logit scale are chosen by leave-one-out.
 * Returns one weight matrix and bias for raw features.
 */

import { atBestOffsets } from './binaryScale.js';
import { type LabelledRows, RidgeClassifier, type RidgeFit } from './ridgeClassifier.js';
import { RowSpace } from './rowSpace.js';
import { standardisation, standardised } from './standardise.js';

/** Features of clips. */
export interface ClipFeatures {
  /** [N, D] */
  readonly features: Float32Array;
  /** [N] class of each clip. */
  readonly labels: Int32Array;
  /** [N, K] 0 and 1 where clips have several labels at once. */
  readonly targets?: Float32Array | undefined;
}

export interface ProbeOptions {
  /** [N] number of each clip's group: clips of one recording are left out together. By default each clip alone. */
  readonly groups?: Int32Array | undefined;
  /** Widths of blocks of features of one scale, which count alike however wide they are; absent: one block of any scales. */
  readonly blocks?: readonly number[] | undefined;
}

/** A linear classifier on (features - mean) / deviation. */
export interface StandardisedFit {
  /** [K, D] and [K] */
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  /** [D] */
  readonly mean: Float32Array;
  readonly deviation: Float32Array;
}

export interface ProbeFit {
  /** [K, D] and [K], for features as they come; they give logits. */
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  /** The same classifier in two steps. */
  readonly standardised: StandardisedFit;
  readonly chosen: PenaltyTrial;
  /** [N, K] logits of each clip by a classifier fitted without its group. */
  readonly leftOut: Float64Array;
  /** The strongest first. */
  readonly tried: readonly PenaltyTrial[];
}

/** Left-out result of a penalty: each clip is predicted by a classifier fitted without its group. */
export interface PenaltyTrial {
  readonly penalty: number;
  /** Factor from least-squares scores, about 0 and 1, to logits. */
  readonly scale: number;
  /** With several labels at once: what is added to each logit. */
  readonly offsets?: readonly number[];
  /** Mean cross-entropy and share of right answers; binary cross-entropy and mean average precision with several labels at once. */
  readonly loss: number;
  readonly top1?: number;
  readonly map?: number;
}

/** Features are scaled to a mean square sum of 1 a clip, so these suit any number of features. */
const penalties = [100, 30, 10, 3, 1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001];
/** Largest rank of the classifier: time grows as its cube. */
const mostDirections = 256;

export function fitProbe(clips: ClipFeatures, classes: number, options: ProbeOptions = {}): ProbeFit {
  const { centre, scale } = standardisation(clips.features, clips.labels.length, options.blocks);
  const rows = standardised(clips.features, centre, scale);
  const space = new RowSpace(rows, clips.labels.length, mostDirections);
  const compact = {
    features: space.coordinates,
    width: space.rank,
    labels: clips.labels,
    targets: clips.targets,
    groups: options.groups,
  };
  const { chosen, tried, fit } = bestPenalty(compact, classes);
  const wide = { weights: expanded(space, fit.weights, classes), bias: fit.bias };
  return {
    ...folded(wide, chosen, centre, scale),
    standardised: inTwoSteps(wide, chosen, centre, scale),
    ...{ chosen, tried, leftOut: leftOutLogits(fit.leftOut, classes, chosen) },
  };
}

/** Constant features keep a deviation of 1, and weigh 0. */
function inTwoSteps(
  { weights, bias }: { weights: Float64Array; bias: Float64Array },
  { scale: factor, offsets }: PenaltyTrial,
  centre: Float64Array,
  scale: Float64Array,
): StandardisedFit {
  const width = centre.length;
  return {
    weights: Float32Array.from(weights, (value, i) => (scale[i % width] === 0 ? 0 : factor * value)),
    bias: Float32Array.from(bias, (value, k) => factor * value + (offsets?.[k] ?? 0)),
    mean: Float32Array.from(centre),
    deviation: Float32Array.from(scale, (value) => (value === 0 ? 1 : 1 / value)),
  };
}

/** From the strongest on; stops when it gets worse. */
function bestPenalty(rows: LabelledRows, classes: number) {
  const classifier = new RidgeClassifier(rows, classes);
  const tried: { readonly trial: PenaltyTrial; readonly fit: RidgeFit }[] = [];
  for (const penalty of penalties) {
    const fit = classifier.fit(penalty);
    tried.push({ trial: trialOf(penalty, fit.leftOut, rows, classes), fit });
    const least = Math.min(...tried.map(({ trial }) => trial.loss));
    if (tried.slice(-2).every(({ trial }) => trial.loss > least)) break;
  }
  const { trial: chosen, fit } = tried.reduce((best, each) => (each.trial.loss < best.trial.loss ? each : best));
  return { chosen, fit, tried: tried.map(({ trial }) => trial) };
}

const trialOf = (penalty: number, scores: Float64Array, { labels, targets }: LabelledRows, classes: number): PenaltyTrial => ({
  penalty,
  ...(targets ? atBestOffsets(scores, targets, classes) : atBestScale(scores, labels, classes)),
});

/** Cross-entropy of scores [N, K] as logits times the factor that suits them best, and share of right answers. */
export function atBestScale(
  scores: Float64Array,
  labels: Int32Array,
  classes: number,
): Required<Pick<PenaltyTrial, 'scale' | 'loss' | 'top1'>> {
  const scale = logitScale(scores, labels, classes);
  const share = new Float64Array(classes);
  let [loss, right] = [0, 0];
  labels.forEach((label, n) => {
    sharesInto(share, scores, n * classes, scale);
    const own = share[label] as number;
    if (share.every((other, k) => k === label || other < own)) right++;
    loss -= Math.log(Math.max(own, 1e-12));
  });
  return { scale, loss: loss / labels.length, top1: right / labels.length };
}

/**
 * The logit scale of greatest likelihood, by bisection (the loss is convex in it). Targets are smoothed by the number of clips
 * (Platt 1999), so that separable answers give a finite one.
 */
function logitScale(scores: Float64Array, labels: Int32Array, classes: number): number {
  let [low, high] = [0.1, 1000];
  for (let round = 0; round < 30; round++) {
    const middle = Math.sqrt(low * high);
    if (slopeAt(middle, scores, labels, classes) > 0) high = middle;
    else low = middle;
  }
  return Math.sqrt(low * high);
}

function slopeAt(scale: number, scores: Float64Array, labels: Int32Array, classes: number): number {
  const doubt = 1 / (labels.length + 2);
  const share = new Float64Array(classes);
  let slope = 0;
  labels.forEach((label, n) => {
    sharesInto(share, scores, n * classes, scale);
    for (let k = 0; k < classes; k++) {
      const target = k === label ? 1 - doubt : doubt / (classes - 1);
      slope += (scores[n * classes + k] as number) * ((share[k] as number) - target);
    }
  });
  return slope;
}

/** [N, K] */
const leftOutLogits = (scores: Float64Array, classes: number, { scale, offsets }: PenaltyTrial): Float64Array =>
  scores.map((score, i) => scale * score + (offsets?.[i % classes] ?? 0));

/** Softmax of scale times the scores from `at`. */
function sharesInto(out: Float64Array, scores: Float64Array, at: number, scale: number): void {
  let peak = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < out.length; k++) peak = Math.max(peak, scores[at + k] as number);
  let total = 0;
  for (let k = 0; k < out.length; k++) {
    out[k] = Math.exp(scale * ((scores[at + k] as number) - peak));
    total += out[k] as number;
  }
  for (let k = 0; k < out.length; k++) out[k] = (out[k] as number) / total;
}

/** Weights [K, rank] on coordinates to [K, D] on features. */
function expanded(space: RowSpace, weights: Float64Array, classes: number): Float64Array {
  const { rank, width } = space;
  const out = new Float64Array(classes * width);
  for (let k = 0; k < classes; k++) out.set(space.inFeatures(weights.subarray(k * rank, (k + 1) * rank)), k * width);
  return out;
}

/** Logits from raw features: W diag(s) and b - W diag(s) c, both times the scale. */
function folded(
  { weights, bias }: { weights: Float64Array; bias: Float64Array },
  { scale: factor, offsets }: PenaltyTrial,
  centre: Float64Array,
  scale: Float64Array,
): { weights: Float32Array; bias: Float32Array } {
  const width = centre.length;
  const out = weights.map((weight, i) => factor * weight * (scale[i % width] as number));
  const shift = (k: number) => {
    let sum = 0;
    for (let d = 0; d < width; d++) sum += (out[k * width + d] as number) * (centre[d] as number);
    return sum;
  };
  return {
    weights: Float32Array.from(out),
    bias: Float32Array.from(bias, (value, k) => factor * value + (offsets?.[k] ?? 0) - shift(k)),
  };
}
