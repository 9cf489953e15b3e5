import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Rng } from '../rng.js';
import { calibrationReport, fitTemperature, type LogitClip, scored, unknownThreshold } from './calibration.js';
import type { ScoredClip } from './metrics.js';
import { softmax, topK } from './softmax.js';

const near = (got: number, expected: number, tolerance = 1e-9) =>
  assert.ok(Math.abs(got - expected) <= tolerance, `${got} is not ${expected}`);

test('errors, likelihood and Brier score of numbers worked out by hand', () => {
  const clips: ScoredClip[] = [
    { labelIndex: 0, scores: [0.95, 0.05] }, // right, bin 15
    { labelIndex: 1, scores: [0.97, 0.03] }, // wrong, bin 15
    { labelIndex: 1, scores: [0.4, 0.6] }, // right, on the upper edge of bin 9
  ];
  const { ece, adaptiveEce, nll, brier, bins } = calibrationReport(clips);
  near(ece, (2 * Math.abs(0.5 - 0.96) + Math.abs(1 - 0.6)) / 3);
  near(adaptiveEce, (0.05 + 0.97 + 0.4) / 3); // three clips make three bins
  near(nll, -(Math.log(0.95) + Math.log(0.03) + Math.log(0.6)) / 3);
  near(brier, (2 * 0.05 ** 2 + 2 * 0.97 ** 2 + 2 * 0.4 ** 2) / 3);
  assert.deepEqual(
    bins.flatMap(({ count }, i) => (count > 0 ? [[i, count]] : [])),
    [
      [8, 1],
      [14, 2],
    ],
  );
  near(bins[8]?.high ?? 0, 0.6);
  assert.throws(() => calibrationReport([]), /^ConfigError: no clips/);
});

test('sure and right costs nothing; sure and wrong costs all, and stays finite', () => {
  const sure = calibrationReport([{ labelIndex: 0, scores: [1, 0] }]);
  assert.deepEqual([sure.ece, sure.adaptiveEce, sure.nll, sure.brier], [0, 0, 0, 0]);
  const wrong = calibrationReport([{ labelIndex: 1, scores: [1, 0] }]);
  assert.deepEqual([wrong.ece, wrong.adaptiveEce, wrong.brier], [1, 1, 2]);
  near(wrong.nll, Math.log(1e12));
});

const clip = fc.integer({ min: 2, max: 6 }).chain((classes) =>
  fc.record({
    labelIndex: fc.nat(classes - 1),
    logits: fc
      .array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: classes, maxLength: classes })
      .map((row) => [row]),
  }),
);

test('calibration errors lie in [0, 1], the Brier score in [0, 2]; every clip is in one bin', () => {
  fc.assert(
    fc.property(fc.array(clip, { minLength: 1, maxLength: 60 }), (clips) => {
      const { ece, adaptiveEce, brier, nll, bins } = calibrationReport(clips.map((each) => scored(each, 1)));
      for (const error of [ece, adaptiveEce, brier / 2]) assert.ok(error >= 0 && error <= 1 + 1e-12, String(error));
      assert.ok(nll >= 0);
      assert.equal(
        bins.reduce((sum, { count }) => sum + count, 0),
        clips.length,
      );
    }),
  );
});

test('a temperature never changes the best class of a view, nor the order of the others', () => {
  const logits = fc
    .array(fc.integer({ min: -400, max: 400 }), { minLength: 2, maxLength: 8 })
    .map((row) => row.map((v) => v / 20));
  fc.assert(
    fc.property(logits, fc.double({ min: 0.1, max: 10, noNaN: true }), (row, temperature) => {
      const order = (scores: readonly number[]) => topK(scores, scores.length).map(({ labelIndex }) => row[labelIndex]);
      const [plain, other] = [softmax(row), softmax(row, temperature)];
      const distinct = other.filter((score) => score > 1e-300).length; // smaller probabilities are not told apart
      assert.deepEqual(order(other).slice(0, distinct), order(plain).slice(0, distinct));
    }),
  );
});

/** Labels drawn from softmax(logits); scores use `factor` times those logits, so the temperature is `factor`. */
function drawn(count: number, factor: number, seed: number): LogitClip[] {
  const rng = new Rng([seed, 'calibration']);
  return Array.from({ length: count }, () => {
    const logits = Array.from({ length: 5 }, () => rng.normal(0, 2));
    const probabilities = softmax(logits);
    let [left, labelIndex] = [rng.uniform(), 0];
    while (labelIndex < 4 && left >= (probabilities[labelIndex] ?? 0)) left -= probabilities[labelIndex++] ?? 0;
    return { labelIndex, logits: [logits.map((value) => factor * value)] };
  });
}

test('the temperature that logits were multiplied with is found within 5 %, and they are calibrated by it', () => {
  for (const factor of [2.5, 1, 0.4]) {
    const clips = drawn(6000, factor, 1);
    const { temperature, nllBefore, nllAfter } = fitTemperature(clips);
    assert.ok(Math.abs(temperature / factor - 1) < 0.05, `${temperature} for ${factor}`);
    const [before, after] = [1, temperature].map((each) => calibrationReport(clips.map((one) => scored(one, each))));
    near(nllBefore, before?.nll ?? 0);
    near(nllAfter, after?.nll ?? 0);
    assert.ok(nllAfter <= nllBefore);
    assert.ok((after?.ece ?? 1) < 0.02, `calibration error ${after?.ece} after`);
    if (factor === 2.5) assert.ok((before?.ece ?? 0) > 0.1, `calibration error ${before?.ece} before`);
  }
});

test('no other temperature has a greater likelihood, with several views too', () => {
  const clips = drawn(200, 1.7, 2).map(({ labelIndex, logits: [view = []] }, i) => {
    const rng = new Rng([i, 'views']);
    return { labelIndex, logits: [view, Array.from(view, (value) => value + rng.normal())] };
  });
  const { nllAfter } = fitTemperature(clips);
  for (let temperature = 0.1; temperature <= 10; temperature *= 1.01) {
    const { nll } = calibrationReport(clips.map((each) => scored(each, temperature)));
    assert.ok(nll >= nllAfter - 1e-9, `${nll} at ${temperature}, ${nllAfter} found`);
  }
});

test('a temperature is refused where videos cannot tell: too few, all right, none right', () => {
  assert.throws(
    () => fitTemperature(drawn(19, 1, 1)),
    /^ConfigError: a temperature needs at least 20 videos to be fitted on, got 19$/,
  );
  const all = (labelIndex: number) => Array.from({ length: 30 }, () => ({ labelIndex, logits: [[2, 1]] }));
  assert.throws(() => fitTemperature(all(0)), /^ConfigError: all of the 30 videos are answered rightly: they cannot tell/);
  assert.throws(() => fitTemperature(all(1)), /^ConfigError: none of the 30 videos/);
});

/** [top score, correct], two classes. */
const answers = (rows: readonly (readonly [number, boolean])[]): ScoredClip[] =>
  rows.map(([score, right]) => ({ labelIndex: right ? 0 : 1, scores: [score, 1 - score] }));

test('the threshold is the lowest that leaves enough right answers', () => {
  const clips = answers([
    [0.9, true],
    [0.85, false],
    [0.8, true],
    [0.75, true],
    [0.7, true],
    [0.6, false],
    [0.55, false],
  ]);
  assert.deepEqual(unknownThreshold(clips, 0.8), { below: 0.7, coverage: 5 / 7, precision: 0.8 });
  assert.deepEqual(unknownThreshold(clips, 0.9), { below: 0.9, coverage: 1 / 7, precision: 1 });
  assert.deepEqual(unknownThreshold(clips, 0.5), { below: 0, coverage: 1, precision: 4 / 7 });
  assert.throws(
    () =>
      unknownThreshold(
        answers([
          [0.9, false],
          [0.8, true],
        ]),
        0.6,
      ),
    /^ConfigError: no threshold makes 60 % of the answers right/,
  );
  assert.throws(() => unknownThreshold(clips, 95), /expected a share of right answers in \(0, 1\], got 95/);
  const equal = answers([
    [0.9, true],
    [0.8, true],
    [0.8, false],
  ]);
  assert.deepEqual(unknownThreshold(equal, 1), { below: 0.9, coverage: 1 / 3, precision: 1 }, 'equal scores stay together');
});

test('whatever the answers: at the threshold enough are right, and one answer more would be too few', () => {
  const rows = fc.array(fc.tuple(fc.integer({ min: 51, max: 100 }), fc.boolean()), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(rows, fc.double({ min: 0.05, max: 1, noNaN: true }), (chosen, wanted) => {
      const clips = answers(chosen.map(([score, right]) => [score / 100, right]));
      const precisionAt = (below: number) => {
        const kept = chosen.filter(([score]) => score / 100 >= below);
        return kept.filter(([, right]) => right).length / kept.length;
      };
      const possible = [...new Set(chosen.map(([score]) => score / 100))].filter((below) => precisionAt(below) >= wanted);
      if (possible.length === 0) {
        assert.throws(() => unknownThreshold(clips, wanted), /no threshold/);
        return;
      }
      const { below, coverage, precision } = unknownThreshold(clips, wanted);
      const lowest = Math.min(...possible);
      const kept = chosen.filter(([score]) => score / 100 >= lowest).length;
      near(coverage, kept / chosen.length);
      near(precision, precisionAt(lowest));
      assert.equal(below, kept === chosen.length ? 0 : lowest);
    }),
  );
});
