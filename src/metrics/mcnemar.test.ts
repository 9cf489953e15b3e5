// McNemar's exact test against hand-computed values.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holmAdjusted, mcnemarExact } from './mcnemar.js';

const close = (got: number, expected: number) => assert.ok(Math.abs(got - expected) < 1e-12, `${got}, expected ${expected}`);

test('exact p values', () => {
  close(mcnemarExact(1, 8), (2 * (1 + 9)) / 512); // two tails of C(9, 0) + C(9, 1) out of 2^9
  close(mcnemarExact(8, 1), 20 / 512);
  close(mcnemarExact(0, 6), 2 / 64);
  close(mcnemarExact(2, 10), (2 * (1 + 12 + 66)) / 4096);
  assert.equal(mcnemarExact(0, 0), 1);
  assert.equal(mcnemarExact(5, 5), 1);
  assert.equal(mcnemarExact(3, 4), 1); // both tails reach the middle
});

test('many clips stay within the range of numbers', () => {
  const p = mcnemarExact(4900, 5100);
  assert.ok(p > 0.04 && p < 0.05, String(p)); // two standard deviations: 0.0455, 0.0466 with continuity correction
  assert.ok(mcnemarExact(0, 100_000) >= 0);
  assert.throws(() => mcnemarExact(0.5, 1), { name: 'ConfigError' });
  assert.throws(() => mcnemarExact(-1, 1), { name: 'ConfigError' });
});

test('Holm: the smallest times their number, never decreasing, never above 1', () => {
  const adjusted = holmAdjusted([0.04, 0.01, 0.03]);
  [0.06, 0.03, 0.06].forEach((expected, i) => {
    close(adjusted[i] ?? Number.NaN, expected);
  });
  assert.deepEqual(holmAdjusted([0.6, 0.9]), [1, 1]);
  assert.deepEqual(holmAdjusted([]), []);
});
