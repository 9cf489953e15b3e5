/** The loss of several labels at once against its definition and finite differences, and where training begins. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluate } from '../../test/support/evaluate.js';
import { randomWeights, tinyConfig } from '../../test/support/randomWeights.js';
import { runOnce } from '../../test/support/runOnce.js';
import { input } from '../graph/expr.js';
import { gradients } from '../graph/gradients.js';
import { inventoryOf } from '../models/network.js';
import { countValues } from '../models/variables.js';
import { Rng } from '../rng.js';
import { classFrequencies, decisionsIn, positiveWeights, smoothedBinary, startAtFrequencies } from './multiLabel.js';
import { binaryCrossEntropy } from './teacherHead.js';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

test('binary cross-entropy and its gradient, weighted, for soft targets', async () => {
  const rng = new Rng(['bce']);
  for (let round = 0; round < 20; round++) {
    const [clips, classes] = [1 + rng.integer(4), 1 + rng.integer(6)];
    const shape = [clips, classes];
    const random = (of: () => number, count = clips * classes) => Float32Array.from({ length: count }, of);
    const values = new Map([
      ['targets', random(() => rng.pick([0, 1, rng.uniform()]))],
      ['logits', random(() => 4 * rng.normal())],
      ['positive', random(() => rng.uniform(1, 10), classes)],
    ]);
    const logits = input('logits', shape);
    const loss = binaryCrossEntropy(input('targets', shape), logits, input('positive', [classes]));
    const [slope] = gradients(loss, [logits]);
    const got = await runOnce({ loss, slope: slope ?? assert.fail() }, values, 0);
    const [targets, x, weights] = ['targets', 'logits', 'positive'].map((name) => values.get(name) ?? assert.fail()) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const expected = x.reduce((sum, logit, i) => {
      const [t, w] = [targets[i] ?? NaN, weights[i % classes] ?? NaN];
      return sum - (w * t * Math.log(sigmoid(logit)) + (1 - t) * Math.log(1 - sigmoid(logit))) / x.length;
    }, 0);
    assert.ok(Math.abs((got['loss']?.[0] ?? NaN) - expected) < 1e-5 * Math.max(1, expected));
    x.forEach((_, i) => {
      const at = (by: number) => {
        const moved = new Map<string, Float64Array | Float32Array>(values);
        const shifted = Float64Array.from(x);
        shifted[i] = (shifted[i] ?? NaN) + by;
        return evaluate([loss], moved.set('logits', shifted))[0]?.[0] ?? NaN;
      };
      const difference = (at(1e-5) - at(-1e-5)) / 2e-5;
      assert.ok(Math.abs((got['slope']?.[i] ?? NaN) - difference) < 1e-5, `${got['slope']?.[i]} for ${difference}`);
    });
  }
});

test('the loss stays finite for logits of any size', async () => {
  const values = new Map([
    ['targets', Float32Array.of(1, 0, 0, 1)],
    ['logits', Float32Array.of(-1e4, 1e4, -1e4, 1e4)],
  ]);
  const loss = binaryCrossEntropy(input('targets', [2, 2]), input('logits', [2, 2]), input('positive', [2]));
  const got = await runOnce({ loss }, new Map([...values, ['positive', Float32Array.of(1, 1)]]), 0);
  assert.equal(got['loss']?.[0], 5000);
});

const video = (...labelIndices: number[]) => ({ labelIndices });

test('frequencies, weights and smoothing: rare classes weigh more, within bounds, and no class becomes likelier', () => {
  const videos = [video(0, 1), video(0), video(0), video()];
  const frequencies = classFrequencies(videos, 3);
  assert.deepEqual([...frequencies].map((share) => share.toFixed(2)), ['0.70', '0.30', '0.10']); // biome-ignore format: one line
  const weights = positiveWeights(frequencies);
  assert.deepEqual([...weights].map((weight) => weight.toFixed(3)), ['1.000', '1.528', '3.000']); // biome-ignore format: one line
  assert.deepEqual([...positiveWeights(Float32Array.of(0.9999, 0.00001))], [1, 10]);
  const many = Array.from({ length: 1000 }, (_, i) => video(...(i < 250 ? [0] : [])));
  const [share = NaN] = classFrequencies(many, 1);
  const targets = smoothedBinary(Float32Array.from(many, ({ labelIndices }) => labelIndices.length), Float32Array.of(share), 0.2); // biome-ignore format: one line
  assert.ok(Math.abs(targets.reduce((sum, value) => sum + value, 0) / 1000 - share) < 1e-3);
  assert.ok(Math.abs((targets[0] ?? NaN) - (0.8 + 0.2 * share)) < 1e-6);
});

test('the classifier begins where the loss has no slope in its bias', () => {
  const config = tinyConfig({ classes: 4 });
  const { parameters } = inventoryOf(config);
  const before = randomWeights(config).parameters;
  const values = before.slice();
  const frequencies = Float32Array.of(0.5, 0.1, 0.9, 0.01);
  startAtFrequencies(config, values, frequencies);
  const changed = [...values.keys()].filter((i) => values[i] !== before[i]);
  const names = parameters.map(({ name }) => name);
  const end = (name: string) => countValues(parameters.slice(0, names.indexOf(name) + 1));
  assert.deepEqual(
    changed,
    [4, 3, 2, 1].map((back) => end('head.fc2.bias') - back),
  );
  const weights = positiveWeights(frequencies);
  changed.forEach((at, k) => {
    const [p, w, f] = [sigmoid(values[at] ?? NaN), weights[k] ?? NaN, frequencies[k] ?? NaN];
    assert.ok(Math.abs((1 - f) * p - w * f * (1 - p)) < 1e-6, 'slope of the weighted loss over the data');
  });
});

test('decisions for F1 at score 0.5', () => {
  const { correct, of } = decisionsIn(Float32Array.of(1, -1, 0, -3), Float32Array.of(1, 1, 0, 0));
  assert.deepEqual([correct, of], [2, 4], 'one found of two true, two said');
});
