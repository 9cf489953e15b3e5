import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { partsByGroup, splitByGroup } from './groupSplit.js';
import { countsFor, defaultShares, splitByClass } from './split.js';

const videos = (count: number) =>
  Array.from({ length: count }, (_, i) => {
    const name = `${i % 3}/${i}.mp4`;
    return { path: `/${name}`, name, label: String(i % 3), split: undefined, columns: {}, where: name };
  });

test('small classes keep one video for training first, then one for testing, then one for validation', () => {
  const counts = [1, 2, 3, 5, 10, 25].map((count) => countsFor(count, defaultShares));
  assert.deepEqual(counts, [
    { train: 1, val: 0, test: 0 },
    { train: 1, val: 0, test: 1 },
    { train: 1, val: 1, test: 1 },
    { train: 3, val: 1, test: 1 },
    { train: 8, val: 1, test: 1 },
    { train: 19, val: 3, test: 3 },
  ]);
  assert.deepEqual(countsFor(4, { train: 0, val: 0, test: 1 }), { train: 0, val: 0, test: 4 });
});

test('groups of one class fill the parts evenly, the large ones first, and the best of many orders is split', () => {
  const groupsOfSizes = (sizes: readonly number[]) => {
    const of = Int32Array.from(sizes.flatMap((size, group) => Array<number>(size).fill(group)));
    return { labels: Array<string>(of.length).fill('run'), groups: { of, count: sizes.length, by: 'film' } };
  };
  for (let seed = 0; seed < 20; seed++) {
    const folds = groupsOfSizes([2, 3, 3, 4, 6]);
    const parts = partsByGroup(folds.labels, folds.groups, 2, seed);
    assert.equal(parts.filter((part) => part === 0).length, 9, `seed ${seed}`);
    const films = groupsOfSizes([4, 3, 10, 3]);
    const sides = splitByGroup(films.labels, films.groups, { train: 0.7, val: 0.3, test: 0 }, seed);
    assert.equal(sides?.filter((side) => side === 'val').length, 6, `seed ${seed}`);
  }
});

test('a split does not depend on the order of the videos', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(), (count, seed) => {
      const straight = videos(count);
      const splits = splitByClass(straight, defaultShares, seed);
      const reversed = splitByClass([...straight].reverse(), defaultShares, seed).reverse();
      assert.deepEqual(reversed, splits);
    }),
  );
});
