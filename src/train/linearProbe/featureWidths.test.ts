import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rng } from '../../rng.js';
import { fitBestWidth } from './featureWidths.js';
import { type ClipFeatures, fitProbe } from './fitProbe.js';

/** 40 features of two classes, of which one tells them apart. */
function clips(telling: number): ClipFeatures {
  const rng = new Rng(['widths']);
  const labels = Int32Array.from({ length: 24 }, (_, n) => n % 2);
  const features = Float32Array.from({ length: 24 * 40 }, (_, i) => {
    const label = labels[Math.floor(i / 40)] ?? 0;
    return i % 40 === telling ? label + 0.1 * rng.normal() : rng.normal();
  });
  return { features, labels };
}

test('features that do not help get weight 0; the others what they get alone', () => {
  const fit = (each: ClipFeatures) => fitProbe(each, 2);
  const first = fitBestWidth(clips(0), [1, 40], fit);
  assert.ok(first.weights.slice(1, 40).every((value) => value === 0));
  assert.ok(Math.abs(first.weights[0] ?? 0) > 1);
  assert.ok(first.standardised.deviation.slice(1).every((value) => value === 1));
  const last = fitBestWidth(clips(39), [1, 40], fit);
  assert.deepEqual(last, fit(clips(39)));
});
