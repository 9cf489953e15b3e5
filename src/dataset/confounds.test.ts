import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rng } from '../rng.js';
import { guessedBy, isTelling } from './confounds.js';

const labels = Array.from({ length: 120 }, (_, i) => 'abcdef'[i % 6] as string);

test('a number that differs by class gives the class away', () => {
  const rng = new Rng(['tells']);
  const values = labels.map((label) => label.charCodeAt(0) + rng.uniform(-0.2, 0.2));
  const guess = guessedBy(values, labels);
  assert.equal(guess.accuracy, 1);
  assert.equal(guess.chance, 1 / 6);
  assert.ok(isTelling(guess, labels.length));
});

test('noise and a constant give nothing away', () => {
  for (let seed = 0; seed < 20; seed++) {
    const rng = new Rng(['noise', seed]);
    const noise = guessedBy(
      labels.map(() => rng.normal()),
      labels,
    );
    assert.ok(!isTelling(noise, labels.length), JSON.stringify(noise));
  }
  const uneven = [...labels, 'a', 'a'];
  const constant = guessedBy(
    uneven.map(() => 1.1),
    uneven,
  );
  assert.equal(constant.accuracy, constant.chance);
});

test('a class of one video cannot be guessed from itself', () => {
  assert.equal(guessedBy([1, 1, 9], ['a', 'a', 'b']).accuracy, 2 / 3);
});
