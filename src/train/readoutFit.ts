/**
 * The linear readout of a network fitted to the features of training clips: features standardised, the strength of the penalty chosen by
 * cross-validation over the training videos, and all of it folded into one weight matrix and bias.
 */

import { Rng } from '../rng.js';
import { fitLogistic, type LabelledRows, type LinearClassifier, scoresOf, softmaxInPlace } from './logisticRegression.js';
import { RowSpace } from './rowSpace.js';

/** Features of clips; several may show one video. */
export interface ClipFeatures {
  /** [N, D] */
  readonly features: Float32Array;
  /** [N] class and video of each clip. */
  readonly labels: Int32Array;
  readonly videos: Int32Array;
}

export interface ReadoutFit {
  /** [K, D] and [K], for features as they come. */
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  readonly penalty: number;
  /** What cross-validation over the training videos says of each strength, the strongest first. */
  readonly tried: readonly PenaltyTrial[];
}

export interface PenaltyTrial {
  readonly penalty: number;
  /** Mean cross-entropy and share of right answers over clips whose videos the classifier had not seen. */
  readonly loss: number;
  readonly top1: number;
}

/** Features are scaled so that a clip's have a mean square sum of 1: with that these suit any number of features. */
const penalties = [1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003];
const foldCount = 5;
/** A finer optimum changes no answer while strengths are compared. */
const trialTolerance = 1e-3;

export function fitReadout(clips: ClipFeatures, classes: number, seed: number): ReadoutFit {
  const { centre, scale } = standardisation(clips.features, clips.labels.length);
  const rows = standardised(clips, centre, scale);
  const { compact, expand } = inFewCoordinates(rows);
  const tried = crossValidate(compact, clips.videos, classes, seed);
  const { penalty } = tried.reduce((best, trial) => (trial.loss < best.loss ? trial : best));
  return { ...unscaled(expand(fitLogistic(compact, classes, { penalty }).classifier), centre, scale), penalty, tried };
}

/** Mean of each feature, and what its distance from it is multiplied by; 0 for features that are the same everywhere. */
function standardisation(features: Float32Array, count: number): { centre: Float64Array; scale: Float64Array } {
  const width = features.length / count;
  const centre = new Float64Array(width);
  const scale = new Float64Array(width);
  for (let d = 0; d < width; d++) {
    let sum = 0;
    for (let n = 0; n < count; n++) sum += features[n * width + d] as number;
    const mean = sum / count;
    let squares = 0;
    for (let n = 0; n < count; n++) squares += ((features[n * width + d] as number) - mean) ** 2;
    const deviation = Math.sqrt(squares / count);
    centre[d] = mean;
    // What varies by rounding only would be blown up to noise.
    scale[d] = deviation > 1e-5 * Math.abs(mean) + 1e-9 ? 1 / (deviation * Math.sqrt(width)) : 0;
  }
  return { centre, scale };
}

function standardised({ features, labels }: ClipFeatures, centre: Float64Array, scale: Float64Array): LabelledRows {
  const width = centre.length;
  const out = Float64Array.from(features, (value, i) => (value - (centre[i % width] as number)) * (scale[i % width] as number));
  return { features: out, width, labels };
}

/** The rows with no more coordinates than there are rows, and a classifier on those as one on the features. */
function inFewCoordinates(rows: LabelledRows): { compact: LabelledRows; expand: (found: LinearClassifier) => LinearClassifier } {
  const { features, width, labels } = rows;
  const count = labels.length;
  if (count >= width) return { compact: rows, expand: (found) => found };
  const space = new RowSpace(features, count);
  const expand = ({ parameters, classes }: LinearClassifier): LinearClassifier => {
    const wide = new Float64Array(classes * (width + 1));
    for (let k = 0; k < classes; k++) wide.set(space.inFeatures(parameters.subarray(k * count, (k + 1) * count)), k * width);
    wide.set(parameters.subarray(classes * count), classes * width);
    return { parameters: wide, classes, width };
  };
  return { compact: { features: space.coordinates, width: count, labels }, expand };
}

/** Each strength on the same folds, each begun where the stronger one before it ended; given up when it only gets worse. */
function crossValidate(rows: LabelledRows, videos: Int32Array, classes: number, seed: number): PenaltyTrial[] {
  const folds = foldsOf(rows.labels, videos, seed).map((held) => ({ held, kept: others(held, videos.length) }));
  const starts = new Map<readonly number[], LinearClassifier>();
  const tried: PenaltyTrial[] = [];
  for (const penalty of penalties) {
    let [loss, right] = [0, 0];
    for (const { held, kept } of folds) {
      const start = starts.get(held);
      const options = { penalty, tolerance: trialTolerance, maxSteps: 100, ...(start && { start }) };
      const { classifier } = fitLogistic(chosenRows(rows, kept), classes, options);
      starts.set(held, classifier);
      for (const n of held) {
        const scores = scoresOf(classifier, rows.features, n);
        const label = rows.labels[n] as number;
        if (scores.every((score, k) => k === label || score < (scores[label] as number))) right++;
        loss += softmaxInPlace(scores, label);
      }
    }
    tried.push({ penalty, loss: loss / videos.length, top1: right / videos.length });
    const best = Math.min(...tried.map((trial) => trial.loss));
    if (tried.slice(-2).every((trial) => trial.loss > best)) break;
  }
  return tried;
}

/** Clips held back by each fold: a video's clips stay together, and classes are spread evenly. */
function foldsOf(labels: Int32Array, videos: Int32Array, seed: number): number[][] {
  const labelOf = new Map<number, number>();
  videos.forEach((video, n) => {
    labelOf.set(video, labels[n] as number);
  });
  const shuffled = new Rng([seed, 'readout folds']).shuffle([...labelOf.keys()].sort((a, b) => a - b));
  const ordered = shuffled.sort((a, b) => (labelOf.get(a) as number) - (labelOf.get(b) as number));
  const foldOf = new Map(ordered.map((video, i) => [video, i % foldCount]));
  const folds = Array.from({ length: foldCount }, (): number[] => []);
  videos.forEach((video, n) => {
    folds[foldOf.get(video) as number]?.push(n);
  });
  return folds.filter((fold) => fold.length > 0);
}

function others(held: readonly number[], count: number): number[] {
  const set = new Set(held);
  return Array.from({ length: count }, (_, n) => n).filter((n) => !set.has(n));
}

function chosenRows({ features, width, labels }: LabelledRows, chosen: readonly number[]): LabelledRows {
  const out = new Float64Array(chosen.length * width);
  chosen.forEach((n, i) => {
    out.set(features.subarray(n * width, (n + 1) * width), i * width);
  });
  return { features: out, width, labels: Int32Array.from(chosen, (n) => labels[n] as number) };
}

/** The same scores from features as they come: W diag(s) and b - W diag(s) c. */
function unscaled({ parameters, classes, width }: LinearClassifier, centre: Float64Array, scale: Float64Array) {
  const weights = new Float32Array(classes * width);
  const bias = new Float32Array(classes);
  for (let k = 0; k < classes; k++) {
    let shift = parameters[classes * width + k] as number;
    for (let d = 0; d < width; d++) {
      const weight = (parameters[k * width + d] as number) * (scale[d] as number);
      weights[k * width + d] = weight;
      shift -= weight * (centre[d] as number);
    }
    bias[k] = shift;
  }
  return { weights, bias };
}
