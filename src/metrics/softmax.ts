/** Logits -> probabilities -> top k, for one view or the mean of several. */
import { ConfigError, WeightsError } from '../errors.js';

/** A class and its score. */
export interface Ranked {
  readonly labelIndex: number;
  readonly score: number;
}

/**
 * Softmax of logits [classes] / temperature -> probabilities [classes] that sum to 1. Throws `WeightsError` for no classes, and
 * for a NaN or infinite logit: the network has diverged.
 */
export function softmax(logits: ArrayLike<number>, temperature = 1): number[] {
  const values = Array.from(logits);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0 || values.length === 0) {
    const got = bad >= 0 ? `the logit of class ${bad} is ${values[bad]}` : 'there are no logits';
    throw new WeightsError(`${got}; expected finite numbers: the weights have diverged or do not fit the network`);
  }
  const largest = values.reduce((a, b) => Math.max(a, b));
  const powers = values.map((value) => Math.exp((value - largest) / temperature));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** The `k` highest scores (all of them when there are fewer), best first; of equal scores the lower class comes first. */
export function topK(scores: ArrayLike<number>, k: number): Ranked[] {
  return Array.from(scores, (score, labelIndex) => ({ labelIndex, score }))
    .sort((a, b) => b.score - a.score || a.labelIndex - b.labelIndex)
    .slice(0, k);
}

/** Views of one video, logits [views][classes] -> the mean of their softmax probabilities [classes] at a temperature. */
export function averageViews(viewLogits: readonly ArrayLike<number>[], temperature = 1): number[] {
  const first = viewLogits[0];
  if (!first) throw new ConfigError('a video has no views to average; expected at least one clip');
  const mean = new Array<number>(first.length).fill(0);
  for (const logits of viewLogits) {
    if (logits.length !== mean.length) {
      throw new ConfigError(`views of one video have ${mean.length} and ${logits.length} classes; expected the same`);
    }
    for (const [i, probability] of softmax(logits, temperature).entries())
      mean[i] = (mean[i] ?? 0) + probability / viewLogits.length;
  }
  return mean;
}
