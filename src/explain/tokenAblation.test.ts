import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ablationEffect, EffectTable } from './tokenAblation.js';

const near = (got: number, expected: number) => assert.ok(Math.abs(got - expected) < 1e-9, `${got}, expected ${expected}`);

test('an effect: what goes, in favour of which class, and the answer then', () => {
  const effect = ablationEffect([3, 0, 0], [0, 3, 0]);
  assert.deepEqual([effect.predictedIndex, effect.blindPredictedIndex], [0, 1]);
  assert.deepEqual(effect.evidence, [3, -3, 0]);
  near(effect.score, Math.exp(3) / (Math.exp(3) + 2));
  near(effect.blindScore, 1 / (Math.exp(3) + 2));
});

test('a shift of all logits is no effect', () => {
  const effect = ablationEffect([3, 1, 0], [13, 11, 10]);
  for (const value of effect.evidence) near(value, 0);
  near(effect.blindScore, effect.score);
});

test('over clips: mean and error of what goes, answers lost and to whom, and who drives the class', () => {
  const table = new EffectTable(2, 3);
  // Subject 0 carries class 0, subject 1 does nothing; class 1 has one clip, class 2 none.
  table.add(
    0,
    [2, 0, 0],
    [
      [0, 1, 0],
      [2, 0, 0],
    ],
  );
  table.add(
    0,
    [4, 0, 0],
    [
      [0, 2, 0],
      [4, 0, 0],
    ],
  );
  table.add(
    1,
    [1, 0, 0],
    [
      [0, 1, 0],
      [0, 0, 1],
    ],
  );
  const first = table.effect(0, 0);
  // Centred: 4/3 - (-1/3) = 5/3 and 8/3 - (-2/3) = 10/3; mean 5/2, standard deviation 5/3 / sqrt 2, error 5/6.
  near(first.evidence, 2.5);
  near(first.standardError, 5 / 6);
  assert.deepEqual([first.count, first.lower, first.leads, first.lost, first.gained], [2, 2, 2, 2, 0]);
  assert.deepEqual(first.lostTo, { labelIndex: 1, count: 2 });
  assert.deepEqual(
    [0, 1, 2].map((label) => table.driverOf(label)),
    [undefined, undefined, undefined],
    'too few clips',
  );
  assert.deepEqual([table.effect(0, 1).gained, table.effect(1, 0).lower, table.effect(1, 0).lostTo], [1, 0, undefined]);
  near(table.top1(), 2 / 3);
  near(table.top1(0), 1 / 3);
  near(table.top1(1), 2 / 3);
});

test('only rivals compete: a place that includes a token does not take its class away', () => {
  const table = new EffectTable(2, 2, 1);
  for (let i = 0; i < 5; i++)
    table.add(
      0,
      [2, 0],
      [
        [1, 0],
        [0, 0],
      ],
    );
  assert.equal(table.effect(0, 0).leads, 5);
  assert.equal(table.driverOf(0)?.subject, 0);
});

test('who drives a class must stand out from chance', () => {
  const table = new EffectTable(2, 2);
  for (const gone of [1, -1, 1.2, -0.9, 1.1, -1])
    table.add(
      0,
      [2, 0],
      [
        [2 - gone, 0],
        [1.5, 0.1 * gone],
      ],
    );
  const [wild, steady] = [table.effect(0, 0), table.effect(1, 0)];
  assert.ok(wild.evidence > 0 && wild.evidence < 2 * wild.standardError);
  assert.ok(steady.evidence > 2 * steady.standardError);
  assert.equal(table.driverOf(0)?.subject, 1);
});
