import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { averageViews, softmax, topK } from './softmax.js';

const near = (got: readonly number[], expected: readonly number[], tolerance = 1e-12) => {
  assert.equal(got.length, expected.length);
  for (const [i, value] of expected.entries())
    assert.ok(Math.abs((got[i] ?? Number.NaN) - value) <= tolerance, `${got} is not ${expected}`);
};
const anyLogits = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 12 });

test('softmax of logarithms gives the shares', () => {
  near(softmax([Math.log(1), Math.log(2), Math.log(5)]), [0.125, 0.25, 0.625]);
  near(softmax(Float32Array.of(7)), [1]);
});

test('softmax: huge logits stay finite, a constant changes nothing, the sum is 1', () => {
  near(softmax([3e38, 3e38, -3e38]), [0.5, 0.5, 0]);
  fc.assert(
    fc.property(fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 1, maxLength: 12 }), (logits) => {
      const out = softmax(logits);
      near([out.reduce((a, b) => a + b, 0)], [1]);
      near(softmax(logits.map((value) => value + 3)), out, 1e-9);
    }),
  );
});

test('softmax refuses a diverged network', () => {
  assert.throws(() => softmax([1, Number.NaN]), { name: 'WeightsError', message: /the logit of class 1 is NaN/ });
  assert.throws(() => softmax([Infinity]), /class 0 is Infinity/);
  assert.throws(() => softmax([]), /there are no logits/);
});

test('topK: best first, ties to the lower class, never more than there are', () => {
  assert.deepEqual(topK([0.1, 0.5, 0.1, 0.3], 3), [
    { labelIndex: 1, score: 0.5 },
    { labelIndex: 3, score: 0.3 },
    { labelIndex: 0, score: 0.1 },
  ]);
  assert.equal(topK([1, 2], 5).length, 2);
  assert.deepEqual(topK([1, 2], 0), []);
});

test('topK is sorted, and each list begins with the shorter one', () => {
  fc.assert(
    fc.property(anyLogits, fc.nat({ max: 12 }), (scores, k) => {
      const list = topK(scores, k);
      assert.equal(list.length, Math.min(k, scores.length));
      assert.deepEqual(topK(scores, k + 1).slice(0, list.length), list);
      for (const [i, { score }] of list.entries()) assert.ok(i === 0 || score <= (list[i - 1]?.score ?? 0));
      const worst = list.at(-1)?.score ?? Infinity;
      const chosen = new Set(list.map(({ labelIndex }) => labelIndex));
      assert.ok(scores.every((score, i) => chosen.has(i) || score <= worst));
    }),
  );
});

test('views are averaged as probabilities, not as logits', () => {
  near(averageViews([[Math.log(1), Math.log(3)], Float32Array.of(0, 0)]), [0.375, 0.625], 1e-7);
  assert.throws(() => averageViews([]), { name: 'ConfigError', message: /no views/ });
  assert.throws(() => averageViews([[1], [1, 2]]), /1 and 2 classes/);
});
