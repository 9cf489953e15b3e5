import type { ValidationResult } from '../quality.js';
import { resultOf as resultOfRows } from '../validation.js';
import type { ClipFeatures, ProbeFit } from './fitProbe.js';

/** Logits [N, K]. */
export function logitsOf(
  { features, labels }: ClipFeatures,
  { weights, bias }: Pick<ProbeFit, 'weights' | 'bias'>,
): Float32Array {
  const width = features.length / labels.length;
  const classes = bias.length;
  return Float32Array.from({ length: labels.length * classes }, (_, i) => {
    const [n, k] = [Math.floor(i / classes), i % classes];
    let sum = bias[k] as number;
    for (let d = 0; d < width; d++) sum += (weights[k * width + d] as number) * (features[n * width + d] as number);
    return sum;
  });
}

/** Mean cross-entropy and top-1 of a fit on clips; with several labels at once binary cross-entropy and mean average precision. */
export const resultOf = (clips: ClipFeatures, fit: ProbeFit): ValidationResult =>
  resultOfRows(logitsOf(clips, fit), clips, fit.bias.length);
