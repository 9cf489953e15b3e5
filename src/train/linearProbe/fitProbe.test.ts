import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rng } from '../../rng.js';
import { fitProbe, type ProbeFit } from './fitProbe.js';

const [count, width, classes] = [60, 200, 3];
const labels = Int32Array.from({ length: count }, (_, n) => n % classes);

/** Noise of very different sizes and offsets; feature d tells class d by `telling` deviations. The last feature is constant. */
function features(telling: number): Float32Array {
  const rng = new Rng(['readout']);
  return Float32Array.from({ length: count * width }, (_, i) => {
    const [n, d] = [Math.floor(i / width), i % width];
    if (d === width - 1) return 7;
    const size = 10 ** (d % 4);
    return size * (5 + rng.normal() + (d % 20 === labels[n] ? telling : 0));
  });
}

function logits({ weights, bias }: ProbeFit, row: Float32Array): number[] {
  return Array.from(bias, (own, k) => row.reduce((sum, value, d) => sum + value * (weights[k * width + d] ?? NaN), own));
}

const largest = (values: readonly number[]) => values.indexOf(Math.max(...values));

test('features that tell are found, whatever their size; the loss foreseen holds for new clips', () => {
  const fit = fitProbe({ features: features(3), labels }, classes);
  assert.ok(fit.chosen.top1 > 0.9, `${fit.chosen.top1}`);
  assert.ok(fit.chosen.loss < 0.5, `${fit.chosen.loss}`);
  const answers = Array.from(labels, (_, n) => largest(logits(fit, features(3).subarray(n * width, (n + 1) * width))));
  assert.deepEqual(answers, [...labels]);
});

test('features that tell nothing are not believed', () => {
  const { chosen } = fitProbe({ features: features(0), labels }, classes);
  assert.ok(chosen.top1 < 0.55, `${chosen.top1}`);
  assert.ok(chosen.loss > 0.95, `${chosen.loss}`); // ln 3 = 1.0986
});

test('weights for raw features do not depend on a feature that never changes, nor on the order of clips', () => {
  const data = features(3);
  const fit = fitProbe({ features: data, labels }, classes);
  for (let k = 0; k < classes; k++) assert.equal(fit.weights[k * width + width - 1], 0);
  const order = Array.from(labels, (_, n) => (n * 7) % count);
  const moved = Float32Array.from(order.flatMap((n) => [...data.subarray(n * width, (n + 1) * width)]));
  const again = fitProbe({ features: moved, labels: Int32Array.from(order, (n) => labels[n] ?? -1) }, classes);
  assert.equal(again.chosen.penalty, fit.chosen.penalty);
  const row = data.subarray(0, width);
  for (const [k, value] of logits(fit, row).entries()) assert.ok(Math.abs(value - (logits(again, row)[k] ?? NaN)) < 1e-3);
});
