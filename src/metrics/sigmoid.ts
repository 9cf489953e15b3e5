import { WeightsError } from '../errors.js';

/**
 * Sigmoid of logits [classes] / temperature -> probabilities [classes], each of its own class. Throws `WeightsError` for a NaN or
 * infinite logit: the network has diverged.
 */
export function sigmoid(logits: ArrayLike<number>, temperature = 1): number[] {
  return Array.from(logits, (value, k) => {
    if (Number.isFinite(value)) return 1 / (1 + Math.exp(-value / temperature));
    throw new WeightsError(`the logit of class ${k} is ${value}; expected finite numbers: the weights have diverged`);
  });
}
