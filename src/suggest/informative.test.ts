import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rng } from '../rng.js';
import { doubtfulLabels } from './doubtfulLabels.js';
import { informative, uncertaintyOf } from './informative.js';

/** Clips around centres in the plane, `count` of each. */
function around(centres: readonly (readonly [number, number])[], count: number, spread = 0.05): Float32Array {
  const rng = new Rng([1, 'around']);
  return Float32Array.from(
    centres.flatMap((centre) => Array.from({ length: count }, () => centre)).flat(),
    (value) => value + spread * (rng.uniform() - 0.5),
  );
}

const doubt = [0.5, 0.5];
const corners = [
  [0, 0],
  [5, 0],
  [0, 5],
] as const;

test('of equally doubtful clips one of each kind is chosen first', () => {
  const features = around(
    [
      [0, 0],
      [5, 0],
      [0, 5],
      [5, 5],
    ],
    10,
  );
  const chosen = informative({ features, scores: Array.from({ length: 40 }, () => doubt) }, 4);
  assert.deepEqual(chosen.map(({ index }) => Math.floor(index / 10)).sort(), [0, 1, 2, 3]);
});

test('clips like labelled ones come last', () => {
  const features = around(corners, 10);
  const chosen = informative({ features, scores: Array.from({ length: 30 }, () => doubt), labelled: around([[0, 0]], 3) }, 2);
  assert.deepEqual(chosen.map(({ index }) => Math.floor(index / 10)).sort(), [1, 2]);
});

test('what the network is sure of is not asked for', () => {
  const features = around(corners, 10);
  const scores = Array.from({ length: 30 }, (_, i) => (i < 20 ? [0.999, 0.001] : [0.6, 0.4]));
  const chosen = informative({ features, scores }, 3);
  assert.equal(Math.floor((chosen[0]?.index ?? 0) / 10), 2);
  assert.ok(Math.abs((chosen[0]?.uncertainty ?? 0) - 0.8) < 1e-9);
});

test('every candidate once, however many are asked for; the same order again', () => {
  const features = around(
    [
      [0, 0],
      [5, 0],
    ],
    6,
    3,
  );
  const scores = Array.from({ length: 12 }, (_, i) => [0.5 + i / 30, 0.5 - i / 30]);
  const order = informative({ features, scores }, 100).map(({ index }) => index);
  assert.deepEqual(
    [...order].sort((a, b) => a - b),
    Array.from({ length: 12 }, (_, i) => i),
  );
  assert.deepEqual(
    informative({ features, scores }, 5).map(({ index }) => index),
    order.slice(0, 5),
  );
});

test('clips that are all alike, a single one, or none', () => {
  const same = new Float32Array(8).fill(3);
  assert.equal(informative({ features: same, scores: [doubt, doubt, doubt, doubt] }, 2).length, 2);
  assert.equal(informative({ features: Float32Array.of(1, 2), scores: [doubt] }, 2).length, 1);
  assert.deepEqual(informative({ features: new Float32Array(0), scores: [] }, 2), []);
});

test('uncertainty of one label is 1 less the margin, of several the greatest doubt of one', () => {
  assert.ok(Math.abs(uncertaintyOf([0.2, 0.7, 0.1], false) - 0.5) < 1e-9);
  assert.ok(Math.abs(uncertaintyOf([0.99, 0.4, 0.01], true) - 0.8) < 1e-9);
  assert.equal(uncertaintyOf([1], false), 0);
});

test('wrong labels among many right ones are found, the clearest first', () => {
  const rng = new Rng([2, 'labels']);
  const truth = Array.from({ length: 300 }, (_, i) => i % 3);
  const scores = truth.map((own) => {
    const rest = 0.15 * rng.uniform();
    return [0, 1, 2].map((k) => (k === own ? 1 - 2 * rest : rest));
  });
  const given = truth.map((own, i) => (i % 30 === 7 ? (own + 1) % 3 : own));
  const means = [0, 1, 2].map((k) => {
    const own = scores.filter((_, i) => given[i] === k).map((row) => row[k] ?? 0);
    return own.reduce((sum, score) => sum + score, 0) / own.length;
  });
  const wrong = given.flatMap((label, i) => (label === truth[i] ? [] : [i]));
  const clear = wrong.filter((i) => (scores[i]?.[truth[i] as number] ?? 0) >= (means[truth[i] as number] ?? 0));
  const found = doubtfulLabels(scores, given);
  assert.ok(clear.length >= 2);
  assert.deepEqual(
    found.map(({ index }) => index).sort((a, b) => a - b),
    clear,
  );
  assert.ok(found.every(({ index, likely }) => likely === truth[index]));
  const clearness = found.map(({ likelyScore, givenScore }) => likelyScore - givenScore);
  assert.deepEqual(
    [...clearness].sort((a, b) => b - a),
    clearness,
  );
});

test('labels that the scores agree with are not doubted, nor is a class without clips', () => {
  assert.deepEqual(
    doubtfulLabels(
      [
        [0.9, 0.1, 0],
        [0.2, 0.8, 0],
      ],
      [0, 1],
    ),
    [],
  );
  assert.deepEqual(doubtfulLabels([], []), []);
});
