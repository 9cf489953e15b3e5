/** Training on videos with several labels at once: targets, class weights, and where the classifier begins. */

import type { LabelledVideo } from '../dataset/labelledVideos.js';
import { sizeOf } from '../graph/shape.js';
import type { NetworkConfig } from '../models/config.js';
import { inventoryOf, isClassifier } from '../models/network.js';

type Video = Pick<LabelledVideo, 'labelIndices'>;

/** Share of the videos of which each class is true, never 0 or 1: as if one more video had half of each. [classes] */
export function classFrequencies(videos: readonly Video[], classes: number): Float32Array {
  const counts = new Float32Array(classes).fill(0.5);
  for (const { labelIndices = [] } of videos) for (const k of labelIndices) counts[k] = (counts[k] ?? 0) + 1;
  return counts.map((count) => count / (videos.length + 1));
}

const mostWeight = 10;

/**
 * How many times as much as a false class a true one weighs in the loss: the square root of how many false ones come to it, 1 to 10. The
 * whole ratio would make rare classes be seen everywhere. [classes]
 */
export const positiveWeights = (frequencies: Float32Array): Float32Array =>
  frequencies.map((share) => Math.min(Math.max(Math.sqrt((1 - share) / share), 1), mostWeight));

/** Targets 0 and 1 [B, classes] with a share of the class frequencies, so that smoothing makes no class likelier than it is. */
export function smoothedBinary(targets: Float32Array, frequencies: Float32Array, smoothing: number): Float32Array {
  const classes = frequencies.length;
  return targets.map((value, i) => (1 - smoothing) * value + smoothing * (frequencies[i % classes] ?? 0));
}

/**
 * Writes into the parameters the classifier's bias whose scores are the class frequencies under the loss's weights (Lin et al. 2017, section
 * 4.1, for one frequency): the first steps need not learn that most classes are false.
 */
export function startAtFrequencies(config: NetworkConfig, parameters: Float32Array, frequencies: Float32Array): void {
  const weights = positiveWeights(frequencies);
  let at = 0;
  for (const { name, shape } of inventoryOf(config).parameters) {
    if (isClassifier(config, name) && shape.length === 1 && shape[0] === config.classes)
      parameters.set(
        frequencies.map((share, k) => Math.log(((weights[k] ?? 1) * share) / (1 - share))),
        at,
      );
    at += sizeOf(shape);
  }
}

/** Right decisions for F1 at score 0.5: twice the true classes that are found, of the true and the found. */
export function decisionsIn(logits: Float32Array, truth: Float32Array): { readonly correct: number; readonly of: number } {
  let [correct, of] = [0, 0];
  logits.forEach((logit, i) => {
    const [is, said] = [truth[i] === 1, logit >= 0];
    of += Number(is) + Number(said);
    if (is && said) correct += 2;
  });
  return { correct, of };
}
