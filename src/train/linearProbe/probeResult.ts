import { softmax } from '../../metrics/softmax.js';
import { correctIn, type ValidationResult } from '../validation.js';
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

export function resultOf(clips: ClipFeatures, fit: ProbeFit): ValidationResult {
  const classes = fit.bias.length;
  const logits = logitsOf(clips, fit);
  let loss = 0;
  clips.labels.forEach((label, n) => {
    loss -= Math.log(Math.max(softmax(logits.subarray(n * classes, (n + 1) * classes))[label] ?? 0, 1e-12));
  });
  return { loss: loss / clips.labels.length, top1: correctIn(logits, clips.labels, classes) / clips.labels.length };
}
