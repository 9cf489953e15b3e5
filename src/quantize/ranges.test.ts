import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rng } from '../rng.js';
import { Histogram, rangeMethods, type Steps } from './ranges.js';

function error(values: Float32Array, { scale, zero }: Steps): number {
  const rounded = values.map((value) => scale * (Math.min(Math.max(Math.round(value / scale) + zero, 0), 255) - zero));
  return values.reduce((sum, value, i) => sum + (value - (rounded[i] ?? 0)) ** 2, 0) / values.length;
}

const seen = (values: Float32Array): Histogram => {
  const histogram = new Histogram(Math.min(...values), Math.max(...values));
  histogram.add(values.subarray(0, 100));
  histogram.add(values.subarray(100));
  return histogram;
};

const rng = new Rng(['ranges']);
const normal = Float32Array.from({ length: 20_000 }, () => rng.normal(0.5, 1));

test('minmax spans all values, and 0 is exact', () => {
  const { scale, zero } = seen(normal).steps('minmax');
  assert.ok(Math.abs(scale * (0 - zero) - Math.min(...normal)) <= scale);
  assert.ok(Math.abs(scale * (255 - zero) - Math.max(...normal)) <= scale);
  assert.ok(Number.isInteger(zero) && zero >= 0 && zero <= 255);
});

test('values of one sign start at 0', () => {
  for (const method of rangeMethods) {
    assert.equal(seen(normal.map((value) => Math.abs(value) + 1)).steps(method).zero, 0, method);
    assert.equal(seen(normal.map((value) => -Math.abs(value) - 1)).steps(method).zero, 255, method);
  }
});

test('one far value: minmax wastes its steps on it, the others do not', () => {
  const values = normal.slice();
  values[17] = 4000;
  const [minmax = 0, percentile = 0, mse = 0] = rangeMethods.map((method) => error(normal, seen(values).steps(method)));
  assert.ok(percentile < minmax / 100, `${percentile} against ${minmax}`);
  assert.ok(mse <= minmax, `${mse} against ${minmax}`);
});

test('mse is never worse than minmax on what was seen', () => {
  for (const spread of [0.1, 1, 8]) {
    const values = normal.map((value) => Math.sign(value) * Math.abs(value) ** spread);
    const histogram = seen(values);
    assert.ok(error(values, histogram.steps('mse')) <= error(values, histogram.steps('minmax')) * 1.02, `power ${spread}`);
  }
});

test('a tensor that is always 0 has steps all the same', () => {
  for (const method of rangeMethods) {
    const { scale, zero } = seen(new Float32Array(200)).steps(method);
    assert.ok(scale > 0 && Number.isFinite(scale) && zero === 0, method);
  }
});
