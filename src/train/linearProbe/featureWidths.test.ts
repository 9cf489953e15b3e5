import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rng } from '../../rng.js';
import { fitBestWidth } from './featureWidths.js';
import { type ClipFeatures, fitProbe } from './fitProbe.js';

/** Two classes that the first feature tells apart, and three features of noise, or that the last one tells apart. */
function clips(telling: number): ClipFeatures {
  const rng = new Rng(['widths']);
  const labels = Int32Array.from({ length: 24 }, (_, n) => n % 2);
  const features = Float32Array.from({ length: 24 * 4 }, (_, i) => {
    const label = labels[Math.floor(i / 4)] ?? 0;
    return i % 4 === telling ? label + 0.1 * rng.normal() : rng.normal();
  });
  return { features, labels };
}

test('features that do not help get weight 0; the others what they get alone', () => {
  const fit = (each: ClipFeatures) => fitProbe(each, 2);
  const first = fitBestWidth(clips(0), [1, 4], fit);
  assert.deepEqual([...first.weights].slice(1, 4), [0, 0, 0]);
  assert.ok(Math.abs(first.weights[0] ?? 0) > 1);
  assert.deepEqual([...first.standardised.deviation].slice(1), [1, 1, 1]);
  const last = fitBestWidth(clips(3), [1, 4], fit);
  assert.deepEqual(last, fit(clips(3)));
});
