/** Calibration with several labels at once: every score of every class is a decision of its own. */

import { ConfigError } from '../errors.js';
import {
  type CalibrationReport,
  equalCounts,
  equalWidths,
  type FittedTemperature,
  gap,
  leastCalibrationClips,
  leastOf,
  temperatureRange,
} from './calibration.js';
import { averageSigmoids, bestThreshold, binaryCrossEntropy, columnOf, type MultiLabelClip } from './multiLabel.js';

/** Views of one clip, logits [views][classes], and the classes that are true of it. */
export interface MultiLabelLogits {
  readonly labelIndices: readonly number[];
  readonly logits: readonly ArrayLike<number>[];
}

const leastScore = 1e-12;

/** Probabilities of a clip at a temperature. */
export const scoredMany = ({ labelIndices, logits }: MultiLabelLogits, temperature: number) => ({
  labelIndices,
  scores: averageSigmoids(logits, temperature),
});

/**
 * How well scores match how often their classes are true: over all decisions, N x K of them. Brier score and likelihood are means over
 * decisions. Throws a ConfigError without clips.
 */
export function binaryCalibration(clips: readonly MultiLabelClip[]): CalibrationReport {
  if (clips.length === 0) throw new ConfigError('no clips to tell a calibration of; expected at least one');
  const answers = clips.flatMap(({ scores, labelIndices }) =>
    Array.from(scores, (score, k) => ({ score, right: labelIndices.includes(k) })),
  );
  const mean = (of: (score: number, right: boolean) => number) =>
    answers.reduce((sum, { score, right }) => sum + of(score, right), 0) / answers.length;
  const bins = equalWidths(answers);
  return {
    ece: gap(bins, answers.length),
    adaptiveEce: gap(equalCounts(answers), answers.length),
    nll: mean((score, right) => -Math.log(Math.max(right ? score : 1 - score, leastScore))),
    brier: mean((score, right) => (score - Number(right)) ** 2),
    bins,
  };
}

/**
 * The temperature of least binary cross-entropy of sigmoid(logits / T), averaged over the views. Throws a ConfigError for fewer than 20
 * clips, and when all decisions at score 0.5 are right: the likelihood then has no maximum.
 */
export function fitBinaryTemperature(clips: readonly MultiLabelLogits[]): FittedTemperature {
  if (clips.length < leastCalibrationClips)
    throw new ConfigError(`a temperature needs at least ${leastCalibrationClips} videos to be fitted on, got ${clips.length}`);
  const allRight = clips.every((clip) =>
    scoredMany(clip, 1).scores.every((score, k) => score >= 0.5 === clip.labelIndices.includes(k)),
  );
  if (allRight) {
    throw new ConfigError(`all labels of the ${clips.length} videos are right: they cannot tell how sure an answer should be`);
  }
  const nllAt = (logT: number) => binaryCalibration(clips.map((clip) => scoredMany(clip, Math.exp(logT)))).nll;
  const temperature = Math.exp(leastOf(nllAt, Math.log(temperatureRange.least), Math.log(temperatureRange.most)));
  return { temperature, nllBefore: nllAt(0), nllAfter: nllAt(Math.log(temperature)) };
}

/** The threshold of each class that gives it the greatest F1 on these clips. [classes] */
export const fitThresholds = (clips: readonly MultiLabelClip[], classes: number): number[] =>
  Array.from({ length: classes }, (_, k) => bestThreshold(columnOf(clips, k)));

/** Least mean binary cross-entropy of logits / T against 0 and 1, and that T. */
export function atBestTemperature(
  logits: Float32Array,
  targets: Float32Array,
): { readonly temperature: number; readonly loss: number } {
  const lossAt = (logT: number) =>
    binaryCrossEntropy(
      logits.map((value) => value / Math.exp(logT)),
      targets,
    );
  const logT = leastOf(lossAt, Math.log(temperatureRange.least), Math.log(temperatureRange.most));
  return { temperature: Math.exp(logT), loss: lossAt(logT) };
}
