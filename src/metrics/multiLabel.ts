/** Several labels at once: average precision, F1 at a threshold a class, and the thresholds that F1 wants. */

import { ConfigError } from '../errors.js';
import { sigmoid } from './sigmoid.js';

/** One clip: the classes that are true of it, and a score for every class, 0 to 1. */
export interface MultiLabelClip {
  readonly labelIndices: readonly number[];
  readonly scores: ArrayLike<number>;
}

export interface MultiLabelClassMetrics {
  readonly label: string;
  /** Clips of which it is true. */
  readonly count: number;
  /** Average precision; null without such a clip. */
  readonly ap: number | null;
  readonly threshold: number;
  /** Clips whose score reaches the threshold. */
  readonly given: number;
  readonly correct: number;
  /** null where nothing was given, where the class never happens, and where neither. */
  readonly precision: number | null;
  readonly recall: number | null;
  readonly f1: number | null;
}

export interface MultiLabelMetrics {
  readonly count: number;
  /** Mean average precision: over classes that happen in some clip; null where none does. */
  readonly map: number | null;
  /** F1 of all decisions together, and the mean of the classes that happen. */
  readonly microF1: number | null;
  readonly macroF1: number | null;
  /** Share of clips whose set of labels is exactly right. */
  readonly exactMatch: number;
  readonly perClass: readonly MultiLabelClassMetrics[];
}

/** Of a class where nothing tells a better one. */
export const usualThreshold = 0.5;

/** Metrics of scored clips over these labels, with a threshold each. Throws a `ConfigError` for no clips, or NaN scores. */
export function multiLabelMetrics(
  clips: readonly MultiLabelClip[],
  labels: readonly string[],
  thresholds: readonly number[],
): MultiLabelMetrics {
  if (clips.length === 0) throw new ConfigError('no clips to compute a precision of; expected at least one');
  for (const clip of clips) checkClip(clip, labels);
  const perClass = labels.map((label, k) => classMetrics(label, columnOf(clips, k), thresholds[k] ?? usualThreshold));
  const total = (of: (row: MultiLabelClassMetrics) => number) => perClass.reduce((sum, row) => sum + of(row), 0);
  const [count, given, correct] = [total((row) => row.count), total((row) => row.given), total((row) => row.correct)];
  return {
    count: clips.length,
    map: meanOf(perClass.map(({ ap }) => ap)),
    microF1: f1Of(count, given, correct),
    macroF1: meanOf(perClass.map((row) => (row.count > 0 ? row.f1 : null))),
    exactMatch: clips.filter((clip) => isExact(clip, thresholds)).length / clips.length,
    perClass,
  };
}

/** Scores of one class and whether it is true, [N] each. */
export interface ClassColumn {
  readonly scores: Float64Array;
  readonly truth: Uint8Array;
}

/** One class of all clips. */
export const columnOf = (clips: readonly MultiLabelClip[], k: number): ClassColumn => ({
  scores: Float64Array.from(clips, ({ scores }) => scores[k] ?? Number.NaN),
  truth: Uint8Array.from(clips, ({ labelIndices }) => Number(labelIndices.includes(k))),
});

/** What is accepted at a threshold of a class: clips with at least this score, and how many of them are right. */
interface Operating {
  readonly score: number;
  readonly given: number;
  readonly correct: number;
}

/** From the highest score down; equal scores are accepted together, so that the order of clips does not matter. */
function operatingPoints({ scores, truth }: ClassColumn): Operating[] {
  const order = Array.from(scores, (_, i) => i).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
  const points: Operating[] = [];
  let correct = 0;
  order.forEach((clip, i) => {
    correct += truth[clip] ?? 0;
    const next = order[i + 1];
    if (next === undefined || scores[next] !== scores[clip]) points.push({ score: scores[clip] ?? 0, given: i + 1, correct });
  });
  return points;
}

/**
 * Average precision: the sum over thresholds of precision times the gain in recall, without interpolation, as scikit-learn's
 * average_precision_score. Equal scores are one threshold. null without a true clip.
 */
export function averagePrecision(column: ClassColumn): number | null {
  const positives = column.truth.reduce((sum, value) => sum + value, 0);
  if (positives === 0) return null;
  let [sum, before] = [0, 0];
  for (const { given, correct } of operatingPoints(column)) {
    sum += (correct / given) * ((correct - before) / positives);
    before = correct;
  }
  return sum;
}

/**
 * The threshold of greatest F1, half way to the next lower score; of equal ones the highest. The usual one for a class that is true of
 * no clip or of all.
 */
export function bestThreshold(column: ClassColumn): number {
  const positives = column.truth.reduce((sum, value) => sum + value, 0);
  if (positives === 0 || positives === column.truth.length) return usualThreshold;
  const points = operatingPoints(column);
  const f1 = points.map(({ given, correct }) => f1Of(positives, given, correct) ?? 0);
  const best = f1.indexOf(Math.max(...f1));
  return ((points[best]?.score ?? usualThreshold) + (points[best + 1]?.score ?? 0)) / 2;
}

/** 2 correct / (true + given); null where that is 0 / 0. */
export const f1Of = (count: number, given: number, correct: number): number | null =>
  count + given === 0 ? null : (2 * correct) / (count + given);

/** The classes whose score reaches their threshold, the surest first. */
export function acceptedOf(scores: ArrayLike<number>, thresholds: ArrayLike<number>): number[] {
  const places = Array.from(scores, (_, k) => k).filter((k) => (scores[k] ?? 0) >= (thresholds[k] ?? usualThreshold));
  return places.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
}

/** mAP and mean binary cross-entropy of logits [N, K] against 0 and 1 [N, K]; mAP is 0 where no class happens. */
export function resultOfBinaryLogits(logits: ArrayLike<number>, targets: ArrayLike<number>, classes: number) {
  const count = targets.length / classes;
  const column = (k: number): ClassColumn => ({
    scores: Float64Array.from({ length: count }, (_, n) => logits[n * classes + k] as number),
    truth: Uint8Array.from({ length: count }, (_, n) => targets[n * classes + k] as number),
  });
  const map = meanOf(Array.from({ length: classes }, (_, k) => averagePrecision(column(k)))) ?? 0;
  return { loss: binaryCrossEntropy(logits, targets), map };
}

/** Mean over all decisions, nats. */
export function binaryCrossEntropy(logits: ArrayLike<number>, targets: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < targets.length; i++) {
    const x = logits[i] as number;
    sum += Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))) - (targets[i] as number) * x;
  }
  return sum / targets.length;
}

/** Views of one video, logits [views][classes] -> the mean of their sigmoids [classes] at a temperature. */
export function averageSigmoids(viewLogits: readonly ArrayLike<number>[], temperature = 1): number[] {
  const mean = new Array<number>(viewLogits[0]?.length ?? 0).fill(0);
  for (const logits of viewLogits) {
    sigmoid(logits, temperature).forEach((value, k) => {
      mean[k] = (mean[k] ?? 0) + value / viewLogits.length;
    });
  }
  return mean;
}

function classMetrics(label: string, column: ClassColumn, threshold: number): MultiLabelClassMetrics {
  const { scores, truth } = column;
  const count = truth.reduce((sum, value) => sum + value, 0);
  const given = scores.reduce((sum, score) => sum + Number(score >= threshold), 0);
  const correct = scores.reduce((sum, score, i) => sum + (score >= threshold ? (truth[i] ?? 0) : 0), 0);
  const [precision, recall] = [given ? correct / given : null, count ? correct / count : null];
  return {
    ...{ label, count, ap: averagePrecision(column), threshold, given, correct },
    ...{ precision, recall, f1: f1Of(count, given, correct) },
  };
}

function isExact({ labelIndices, scores }: MultiLabelClip, thresholds: readonly number[]): boolean {
  const accepted = acceptedOf(scores, thresholds);
  return accepted.length === labelIndices.length && accepted.every((k) => labelIndices.includes(k));
}

function checkClip({ labelIndices, scores }: MultiLabelClip, labels: readonly string[]): void {
  const stray = labelIndices.find((k) => !(Number.isInteger(k) && k >= 0 && k < labels.length));
  if (stray !== undefined) throw new ConfigError(`a clip has the class ${stray}; expected 0 to ${labels.length - 1}`);
  if (scores.length !== labels.length)
    throw new ConfigError(`a clip has ${scores.length} scores; expected one for each of ${labels.length} labels`);
  if (Array.from(scores).some(Number.isNaN))
    throw new ConfigError('a clip has a score that is not a number: the weights have diverged');
}

/** Of those that are numbers; null without any. */
function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
