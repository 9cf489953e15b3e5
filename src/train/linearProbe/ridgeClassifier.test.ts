import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rng } from '../../rng.js';
import { RidgeClassifier, type RidgeFit } from './ridgeClassifier.js';
import { RowSpace } from './rowSpace.js';

const [count, width, classes] = [12, 30, 3];
const penalty = 0.7;
const labels = Int32Array.from({ length: count }, (_, n) => n % classes);

function randomRows(): Float64Array {
  const rng = new Rng(['ridge']);
  return Float64Array.from({ length: count * width }, () => rng.normal());
}

/** Rows less the mean of those that count, and that mean. */
function centred(rows: Float64Array, of: readonly number[]): { rows: Float64Array; mean: Float64Array } {
  const mean = Float64Array.from(
    { length: width },
    (_, d) => of.reduce((sum, n) => sum + at(rows, n * width + d), 0) / of.length,
  );
  return { rows: rows.map((value, i) => value - at(mean, i % width)), mean };
}

const at = (values: ArrayLike<number>, i: number): number => values[i] ?? Number.NaN;
const chosen = (rows: Float64Array, of: readonly number[]) =>
  Float64Array.from(of.flatMap((n) => [...rows.subarray(n * width, (n + 1) * width)]));
const scoreOf = ({ weights, bias }: RidgeFit, row: Float64Array, k: number) =>
  row.reduce((sum, value, d) => sum + value * at(weights, k * row.length + d), at(bias, k));

function close(got: number, expected: number, within: number): void {
  assert.ok(Math.abs(got - expected) < within, `expected ${expected}, got ${got}`);
}

/** Left-out scores are those of a classifier fitted without the row's group. */
function checkLeftOut(groups: Int32Array | undefined, groupOf: (n: number) => number): void {
  const all = Array.from({ length: count }, (_, n) => n);
  const raw = randomRows();
  const { leftOut } = new RidgeClassifier({ features: centred(raw, all).rows, width, labels, groups }, classes).fit(penalty);
  for (const n of all) {
    const others = all.filter((other) => groupOf(other) !== groupOf(n));
    const { rows } = centred(raw, others);
    const kept = { features: chosen(rows, others), width, labels: Int32Array.from(others, (other) => at(labels, other)) };
    const fit = new RidgeClassifier(kept, classes).fit(penalty);
    for (let k = 0; k < classes; k++) {
      close(at(leftOut, n * classes + k), scoreOf(fit, rows.subarray(n * width, (n + 1) * width), k), 1e-9);
    }
  }
}

test('leave-one-out scores are those of a classifier fitted without the row', () => checkLeftOut(undefined, (n) => n));

test('rows of a group are left out together', () => {
  const groups = Int32Array.of(0, 0, 1, 2, 2, 2, 3, 4, 4, 4, 4, 1);
  checkLeftOut(groups, (n) => at(groups, n));
});

test('in coordinates of the rows it is the same classifier', () => {
  const all = Array.from({ length: count }, (_, n) => n);
  const { rows } = centred(randomRows(), all);
  const wide = new RidgeClassifier({ features: rows, width, labels }, classes).fit(penalty);
  const space = new RowSpace(rows, count, 100);
  assert.equal(space.rank, count - 1);
  const narrow = new RidgeClassifier({ features: space.coordinates, width: space.rank, labels }, classes).fit(penalty);
  for (const [i, score] of narrow.leftOut.entries()) close(score, at(wide.leftOut, i), 1e-9);
  for (let k = 0; k < classes; k++) {
    const expanded = space.inFeatures(narrow.weights.subarray(k * space.rank, (k + 1) * space.rank));
    for (const [d, weight] of expanded.entries()) close(weight, at(wide.weights, k * width + d), 1e-9);
  }
});

test('a space of fewer directions takes the rows that say most, and still maps back', () => {
  const rows = Float64Array.from([3, 0, 0, 0, 0.1, 0, 0, 0, 2, 3, 0, 2]);
  const space = new RowSpace(rows, 4, 2);
  assert.equal(space.rank, 2);
  const weights = space.inFeatures(Float64Array.from([1, 1]));
  close(at(weights, 1), 0, 1e-12);
  for (let n = 0; n < 4; n++) {
    const coordinates = at(space.coordinates, 2 * n) + at(space.coordinates, 2 * n + 1);
    close(
      coordinates,
      weights.reduce((sum, weight, d) => sum + weight * at(rows, 3 * n + d), 0),
      1e-12,
    );
  }
});
