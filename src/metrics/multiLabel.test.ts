/** Metrics of several labels against definitions written out anew, on random scores with ties. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rng } from '../rng.js';
import {
  acceptedOf,
  averagePrecision,
  averageSigmoids,
  bestThreshold,
  binaryCrossEntropy,
  type ClassColumn,
  type MultiLabelClip,
  multiLabelMetrics,
} from './multiLabel.js';

/** Few distinct scores, so that many are equal. */
function randomColumn(rng: Rng): ClassColumn {
  const count = 1 + rng.integer(30);
  const steps = rng.pick([2, 5, 1000]);
  return {
    scores: Float64Array.from({ length: count }, () => rng.integer(steps) / steps),
    truth: Uint8Array.from({ length: count }, () => Number(rng.chance(0.3))),
  };
}

/** Precision and recall at every score as threshold, by counting from scratch. */
function curveOf({ scores, truth }: ClassColumn): { threshold: number; precision: number; recall: number }[] {
  const thresholds = [...new Set(scores)].sort((a, b) => b - a);
  const positives = truth.filter((value) => value === 1).length;
  return thresholds.map((threshold) => {
    const given = [...scores.keys()].filter((i) => (scores[i] as number) >= threshold);
    const right = given.filter((i) => truth[i] === 1).length;
    return { threshold, precision: right / given.length, recall: right / positives };
  });
}

test('average precision is the area under the steps of precision over recall, whatever the ties and the order', () => {
  const rng = new Rng(['ap']);
  for (let round = 0; round < 500; round++) {
    const column = randomColumn(rng);
    const found = averagePrecision(column);
    if (!column.truth.includes(1)) {
      assert.equal(found, null);
      continue;
    }
    const curve = curveOf(column);
    const expected = curve.reduce(
      (area, { precision, recall }, i) => area + precision * (recall - (curve[i - 1]?.recall ?? 0)),
      0,
    );
    assert.ok(Math.abs((found ?? NaN) - expected) < 1e-12);
    const order = rng.shuffle([...column.scores.keys()]);
    const shuffled = {
      scores: Float64Array.from(order, (i) => column.scores[i] as number),
      truth: Uint8Array.from(order, (i) => column.truth[i] as number),
    };
    assert.equal(averagePrecision(shuffled), found);
  }
});

test('average precision of known cases', () => {
  // scikit-learn's example: average_precision_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) = 0.83...
  const example = { scores: Float64Array.of(0.1, 0.4, 0.35, 0.8), truth: Uint8Array.of(0, 0, 1, 1) };
  assert.ok(Math.abs((averagePrecision(example) ?? NaN) - 5 / 6) < 1e-12);
  assert.equal(
    averagePrecision({ scores: Float64Array.of(0.5, 0.5), truth: Uint8Array.of(1, 0) }),
    0.5,
    'a tie is one threshold',
  );
});

test('the best threshold has the greatest F1 of all thresholds there are', () => {
  const rng = new Rng(['threshold']);
  const f1At = ({ scores, truth }: ClassColumn, threshold: number): number => {
    let [both, given, count] = [0, 0, 0];
    scores.forEach((score, i) => {
      const [said, is] = [score >= threshold, truth[i] === 1];
      [both, given, count] = [both + Number(said && is), given + Number(said), count + Number(is)];
    });
    return (2 * both) / (given + count);
  };
  for (let round = 0; round < 300; round++) {
    const column = randomColumn(rng);
    const threshold = bestThreshold(column);
    const positives = column.truth.filter((value) => value === 1).length;
    if (positives === 0 || positives === column.truth.length) assert.equal(threshold, 0.5);
    else assert.equal(f1At(column, threshold), Math.max(...[...column.scores].map((score) => f1At(column, score))));
  }
});

test('metrics of clips: mAP over classes that happen, micro and macro F1, exact matches', () => {
  const rng = new Rng(['multi-label']);
  for (let round = 0; round < 200; round++) {
    const classes = 1 + rng.integer(5);
    const labels = Array.from({ length: classes }, (_, k) => `c${k}`);
    const thresholds = labels.map(() => rng.integer(5) / 4);
    const clips: MultiLabelClip[] = Array.from({ length: 1 + rng.integer(12) }, () => ({
      labelIndices: labels.flatMap((_, k) => (rng.chance(0.3) ? [k] : [])),
      scores: labels.map(() => rng.integer(5) / 4),
    }));
    const found = multiLabelMetrics(clips, labels, thresholds);
    const said = clips.map(({ scores }) => labels.map((_, k) => (scores[k] as number) >= (thresholds[k] as number)));
    const is = clips.map(({ labelIndices }) => labels.map((_, k) => labelIndices.includes(k)));
    const tally = (k: number) => {
      const [all, given, both] = [0, 1, 2].map(
        (kind) => clips.filter((_, n) => (kind === 1 || is[n]?.[k]) && (kind === 0 || said[n]?.[k])).length,
      ) as [number, number, number];
      return { all, given, both, f1: all + given === 0 ? null : (2 * both) / (all + given) };
    };
    const each = labels.map((_, k) => tally(k));
    const sumOf = (key: 'all' | 'given' | 'both') => each.reduce((sum, row) => sum + row[key], 0);
    const sums = { all: sumOf('all'), given: sumOf('given'), both: sumOf('both') };
    assert.equal(found.microF1, sums.all + sums.given === 0 ? null : (2 * sums.both) / (sums.all + sums.given));
    const happening = each.flatMap((row) => (row.all > 0 ? [row.f1 ?? NaN] : []));
    const mean = happening.length === 0 ? null : happening.reduce((a, b) => a + b, 0) / happening.length;
    assert.ok(found.macroF1 === mean || Math.abs((found.macroF1 ?? NaN) - (mean ?? NaN)) < 1e-12);
    assert.equal(found.exactMatch, clips.filter((_, n) => said[n]?.join() === is[n]?.join()).length / clips.length);
    const precisions = each.flatMap((row, k) => (row.all > 0 ? [found.perClass[k]?.ap ?? NaN] : []));
    const map = precisions.length === 0 ? null : precisions.reduce((a, b) => a + b, 0) / precisions.length;
    assert.equal(found.map, map);
    each.forEach((row, k) => {
      const { count, given, correct, precision, recall, f1 } = found.perClass[k] ?? assert.fail();
      assert.deepEqual([count, given, correct, f1], [row.all, row.given, row.both, row.f1]);
      assert.deepEqual([precision, recall], [row.given ? row.both / row.given : null, row.all ? row.both / row.all : null]);
    });
  }
});

test('what is accepted, sigmoids of views, and cross-entropy of extreme logits', () => {
  assert.deepEqual(acceptedOf([0.9, 0.2, 0.6, 0.95], [0.5, 0.2, 0.7, 0.5]), [3, 0, 1]);
  assert.deepEqual(
    averageSigmoids([
      [0, 40],
      [0, -40],
    ]),
    [0.5, 0.5],
  );
  assert.ok(Math.abs((averageSigmoids([[2]], 2)[0] ?? NaN) - 1 / (1 + Math.exp(-1))) < 1e-15);
  assert.equal(binaryCrossEntropy([1000, -1000], [1, 0]), 0);
  assert.equal(binaryCrossEntropy([1000, -1000], [0, 1]), 1000);
  assert.ok(Math.abs(binaryCrossEntropy([0, 0], [1, 0]) - Math.log(2)) < 1e-15);
});

test('scores that are none, and classes that there are not, are refused', () => {
  assert.throws(() => multiLabelMetrics([], ['a'], [0.5]), /no clips/);
  assert.throws(() => multiLabelMetrics([{ labelIndices: [0], scores: [NaN] }], ['a'], [0.5]), /not a number/);
  assert.throws(() => multiLabelMetrics([{ labelIndices: [1], scores: [0.5] }], ['a'], [0.5]), /the class 1/);
  assert.throws(() => multiLabelMetrics([{ labelIndices: [], scores: [] }], ['a'], [0.5]), /0 scores/);
});
