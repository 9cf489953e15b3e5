import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meanInterval, studentQuantile } from './meanInterval.js';

test('quantiles of Student’s t are those of the printed tables', () => {
  // Two-sided, NIST handbook of statistics, section 1.3.6.7.2.
  const table: readonly (readonly [number, number, number])[] = [
    ...([
      [1, 0.95, 12.706],
      [2, 0.95, 4.303],
      [3, 0.95, 3.182],
      [4, 0.95, 2.776],
      [5, 0.95, 2.571],
    ] as const),
    ...([
      [9, 0.95, 2.262],
      [10, 0.95, 2.228],
      [30, 0.95, 2.042],
      [100, 0.95, 1.984],
      [4, 0.99, 4.604],
      [7, 0.9, 1.895],
    ] as const),
  ];
  for (const [freedom, confidence, t] of table) {
    assert.ok(
      Math.abs(studentQuantile(freedom, confidence) - t) < 6e-4,
      `${freedom} degrees: ${studentQuantile(freedom, confidence)}`,
    );
  }
});

test('mean, deviation and interval of numbers worked out by hand', () => {
  const { mean, deviation, low, high, count } = meanInterval([0.7, 0.8, 0.9]);
  assert.deepEqual([Number(mean.toFixed(9)), Number(deviation?.toFixed(9)), count], [0.8, 0.1, 3]);
  assert.ok(Math.abs((low ?? 0) - (0.8 - (4.3027 * 0.1) / Math.sqrt(3))) < 1e-4);
  assert.ok(Math.abs((high ?? 0) - (0.8 + (4.3027 * 0.1) / Math.sqrt(3))) < 1e-4);
  assert.deepEqual(meanInterval([0.5]), { mean: 0.5, deviation: null, low: null, high: null, count: 1 });
  assert.throws(() => meanInterval([]), /^ConfigError: no values/);
});
