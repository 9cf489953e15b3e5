// Metrics of a small test set counted by hand, and invariants.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { computeMetrics, type ScoredClip, top1Among, wilsonInterval } from './metrics.js';

const labels = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
/** A clip with its classes ranked best first. */
const ranked = (labelIndex: number, order: string): ScoredClip => ({
  labelIndex,
  scores: labels.map((label) => -order.indexOf(label)),
});
const clips = [
  ranked(0, 'abcdefg'), // a, right
  ranked(0, 'bacdefg'), // a taken for b, second place
  ranked(0, 'bcdefag'), // a taken for b, sixth place
  ranked(1, 'bacdefg'), // b, right
  ranked(2, 'abdecfg'), // c taken for a, fifth place
];

test('counted by hand', () => {
  const metrics = computeMetrics(clips, labels);
  assert.deepEqual([metrics.count, metrics.correct, metrics.top1, metrics.top5], [5, 2, 2 / 5, 4 / 5]);
  assert.equal(metrics.meanClassAccuracy, (1 / 3 + 1 + 0) / 3);
  assert.deepEqual(
    metrics.confusion.slice(0, 3).map((row) => row.slice(0, 3)),
    [
      [1, 2, 0],
      [0, 1, 0],
      [1, 0, 0],
    ],
  );
  assert.deepEqual(metrics.perClass.slice(0, 4), [
    { label: 'a', count: 3, correct: 1, precision: 1 / 2, recall: 1 / 3 },
    { label: 'b', count: 1, correct: 1, precision: 1 / 3, recall: 1 },
    { label: 'c', count: 1, correct: 0, precision: null, recall: 0 },
    { label: 'd', count: 0, correct: 0, precision: null, recall: null },
  ]);
});

test('accuracy among some classes, all classes competing', () => {
  assert.deepEqual(top1Among(clips, new Set([0, 2])), { count: 4, correct: 1, top1: 1 / 4 });
  assert.throws(() => top1Among(clips, new Set([5])), { name: 'ConfigError' });
});

test('with fewer than five classes top-5 is always met', () => {
  assert.equal(computeMetrics([{ labelIndex: 1, scores: [1, 0] }], ['a', 'b']).top5, 1);
});

test('what cannot be counted is refused', () => {
  assert.throws(() => computeMetrics([], labels), /no clips/);
  assert.throws(() => computeMetrics([{ labelIndex: 2, scores: [1, 0] }], ['a', 'b']), /class 2; expected 0 to 1/);
  assert.throws(() => computeMetrics([{ labelIndex: 0, scores: [1] }], ['a', 'b']), /1 scores; expected one for each of 2/);
  assert.throws(() => computeMetrics([{ labelIndex: 0, scores: [1, Number.NaN] }], ['a', 'b']), /not a number/);
});

test('for any scores: rows and columns of the matrix add up, and the rates agree with it', () => {
  const anyClips = fc.integer({ min: 1, max: 8 }).chain((classes) =>
    fc.record({
      classes: fc.constant(classes),
      clips: fc.array(
        fc.record({
          labelIndex: fc.nat({ max: classes - 1 }),
          scores: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: classes, maxLength: classes }),
        }),
        { minLength: 1, maxLength: 30 },
      ),
    }),
  );
  fc.assert(
    fc.property(anyClips, ({ classes, clips }) => {
      const metrics = computeMetrics(clips, labels.concat('h').slice(0, classes));
      const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
      assert.equal(sum(metrics.confusion.map(sum)), clips.length);
      for (const [i, row] of metrics.confusion.entries()) {
        assert.equal(sum(row), clips.filter(({ labelIndex }) => labelIndex === i).length);
        assert.equal(metrics.perClass[i]?.correct, row[i]);
      }
      assert.equal(sum(metrics.perClass.map(({ correct }) => correct)), metrics.correct);
      assert.ok(metrics.top1 <= metrics.top5 && metrics.top5 <= 1);
      assert.ok(metrics.meanClassAccuracy >= 0 && metrics.meanClassAccuracy <= 1);
    }),
  );
});

test("Wilson's interval: published values, the ends, and the share inside", () => {
  const close = (got: number, expected: number) => assert.ok(Math.abs(got - expected) < 5e-4, `${got} is not ${expected}`);
  close(wilsonInterval(81, 263).low, 0.2553); // Newcombe, Stat. Med. 17 (1998), table I, method 3
  close(wilsonInterval(81, 263).high, 0.3662);
  close(wilsonInterval(1, 29).low, 0.0061);
  close(wilsonInterval(1, 29).high, 0.1718);
  assert.equal(wilsonInterval(0, 10).low, 0);
  assert.equal(wilsonInterval(10, 10).high, 1);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.nat({ max: 500 }), (count, some) => {
      const correct = Math.min(some, count);
      const { low, high } = wilsonInterval(correct, count);
      assert.ok(0 <= low && low <= correct / count && correct / count <= high && high <= 1);
    }),
  );
  assert.throws(() => wilsonInterval(0, 0), { name: 'ConfigError' });
  assert.throws(() => wilsonInterval(3, 2), { name: 'ConfigError' });
});
