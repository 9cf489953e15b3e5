import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rng } from '../rng.js';
import { causalParameter } from './causalKernels.js';

const rng = new Rng(['causal kernels']);
const random = (count: number) => Float32Array.from({ length: count }, () => rng.normal());

test('of frames t - 1, t and t + 1 two taps are left, the third is added to the second', () => {
  const kernel = Float32Array.of(1, 2, 10, 20, 100, 200); // [1, 1, 3, 1, 2]
  assert.deepEqual(causalParameter([1, 1, 3, 1, 2], kernel), Float32Array.of(0, 0, 1, 2, 110, 220));
  assert.deepEqual(kernel, Float32Array.of(1, 2, 10, 20, 100, 200));
});

test('parameters without a kernel over time stay as they are', () => {
  for (const shape of [[8, 3, 1, 3, 3], [24, 1, 1, 3, 3], [16, 8], [7]]) {
    const values = random(shape.reduce((a, b) => a * b, 1));
    assert.equal(causalParameter(shape, values), values);
  }
});
