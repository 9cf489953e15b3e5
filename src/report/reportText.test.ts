import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duration, grouped, percent, scaled } from './reportText.js';

const spaced = (text: string) => text.replaceAll('\u202f', ' ');

test('numbers read as people write them', () => {
  assert.equal(spaced(percent(0.9342)), '93.4 %');
  assert.equal(spaced(percent(1, 0)), '100 %');
  assert.equal(grouped(2495547), '2,495,547');
  assert.deepEqual([97_300_000, 1_250_000_000, 999, 60_529, 999_999].map(scaled).map(spaced), [
    '97.3 M',
    '1.25 G',
    '999',
    '60.5 k',
    '1.00 M',
  ]);
  assert.deepEqual([1.71e12, 2.5e15].map(scaled).map(spaced), ['1.71 T', '2.50 P']);
  assert.deepEqual([0.42, 59.7, 119.6, 252.4, 3599.9, 7260].map(duration).map(spaced), [
    '0.4 s',
    '1 min 0 s',
    '2 min 0 s',
    '4 min 12 s',
    '1 h 0 min',
    '2 h 1 min',
  ]);
});
