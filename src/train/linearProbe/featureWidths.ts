import type { ClipFeatures, ProbeFit } from './fitProbe.js';

/**
 * Fits the first features of each width (ascending, the last is all) and gives the fit of least leave-one-out loss, for all
 * features: those that it does not use have weight 0.
 */
export function fitBestWidth(clips: ClipFeatures, widths: readonly number[], fit: (clips: ClipFeatures) => ProbeFit): ProbeFit {
  const all = clips.features.length / clips.labels.length;
  const fits = widths.map((width) => ({ width, found: width === all ? fit(clips) : fit(firstOf(clips, width)) }));
  const best = fits.reduce((least, each) => (each.found.chosen.loss < least.found.chosen.loss ? each : least));
  const wide = (rows: Float32Array, value = 0) => resized(rows, best.width, all, value);
  const { weights, standardised } = best.found;
  const { mean, deviation } = standardised;
  const steps = { weights: wide(standardised.weights), mean: wide(mean), deviation: wide(deviation, 1) };
  return { ...best.found, weights: wide(weights), standardised: { ...standardised, ...steps } };
}

const firstOf = ({ features, labels, targets }: ClipFeatures, width: number): ClipFeatures => ({
  targets,
  features: resized(features, features.length / labels.length, width),
  labels,
});

function resized(rows: Float32Array, from: number, to: number, value = 0): Float32Array {
  const out = new Float32Array((rows.length / from) * to).fill(value);
  for (let row = 0; row * from < rows.length; row++)
    out.set(rows.subarray(row * from, row * from + Math.min(from, to)), row * to);
  return out;
}
