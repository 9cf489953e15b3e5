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
  assert.ok((fit.chosen.top1 ?? NaN) > 0.9, `${fit.chosen.top1}`);
  assert.ok(fit.chosen.loss < 0.5, `${fit.chosen.loss}`);
  const answers = Array.from(labels, (_, n) => largest(logits(fit, features(3).subarray(n * width, (n + 1) * width))));
  assert.deepEqual(answers, [...labels]);
});

test('features that tell nothing are not believed', () => {
  const { chosen } = fitProbe({ features: features(0), labels }, classes);
  assert.ok((chosen.top1 ?? NaN) < 0.55, `${chosen.top1}`);
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

test('the classifier in two steps gives the same logits; constant features weigh nothing', () => {
  const data = features(3);
  const blocks = [20, width - 20];
  const { standardised, ...fit } = fitProbe({ features: data, labels }, classes, { blocks });
  const row = data.subarray(0, width);
  const scaled = row.map((value, d) => (value - (standardised.mean[d] ?? NaN)) / (standardised.deviation[d] ?? NaN));
  for (const [k, expected] of logits({ ...fit, standardised }, row).entries()) {
    const found = scaled.reduce(
      (sum, value, d) => sum + value * (standardised.weights[k * width + d] ?? NaN),
      standardised.bias[k] ?? NaN,
    );
    assert.ok(Math.abs(found - expected) < 1e-3 * Math.max(1, Math.abs(expected)), `${found} for ${expected}`);
    assert.equal(standardised.weights[k * width + width - 1], 0);
  }
});

test('blocks of features count alike, however wide they are', () => {
  const telling = new Rng(['narrow']);
  const rows = Float32Array.from({ length: count * width }, (_, i) => {
    const [n, d] = [Math.floor(i / width), i % width];
    return telling.normal() + (d < classes && d === labels[n] ? 2 : 0);
  });
  const alike = fitProbe({ features: rows, labels }, classes, { blocks: [classes, width - classes] });
  const drowned = fitProbe({ features: rows, labels }, classes);
  assert.ok(alike.chosen.loss < drowned.chosen.loss - 0.2, `${alike.chosen.loss} against ${drowned.chosen.loss}`);
});

test('clips of one recording are left out together: what tells the recording apart is not believed', () => {
  const noise = new Rng(['recordings']);
  const groups = Int32Array.from(labels, (_, n) => Math.floor(n / 10));
  const own = Int32Array.from(groups, (group) => group % classes); // the class is the recording's
  const rows = Float32Array.from({ length: count * width }, (_, i) => {
    const [n, d] = [Math.floor(i / width), i % width];
    return noise.normal() + (d % 6 === groups[n] ? 2 : 0);
  });
  const alone = fitProbe({ features: rows, labels: own }, classes).chosen;
  const together = fitProbe({ features: rows, labels: own }, classes, { groups }).chosen;
  assert.ok((alone.top1 ?? NaN) > 0.95, `${alone.top1}`);
  assert.ok((together.top1 ?? NaN) < 0.6, `${together.top1}`);
});
