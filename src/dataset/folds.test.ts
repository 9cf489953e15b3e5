import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type FoldsBy, foldSplit, foldsOf } from './folds.js';
import type { LabelledVideo, LabelledVideos } from './labelledVideos.js';

function dataOf(rows: readonly (readonly [label: string, group: string])[]): LabelledVideos {
  const labels = [...new Set(rows.map(([label]) => label))].sort();
  const videos = rows.map(([label, set], i): LabelledVideo => {
    const name = `${label}/${i}.mp4`;
    return { path: `/data/${name}`, name, label, labelIndex: labels.indexOf(label), split: 'train', columns: { set } };
  });
  return { root: '/data', source: 'list', labels, videos, splitBy: 'none', notes: ['a note'] };
}

const groupedData = fc
  .record({
    labels: fc.integer({ min: 1, max: 4 }),
    groups: fc.integer({ min: 2, max: 5 }),
    more: fc.array(fc.tuple(fc.nat(3), fc.nat(4)), { maxLength: 30 }),
  })
  .map(({ labels, groups, more }) => {
    const all = Array.from({ length: labels * groups }, (_, i) => [`c${i % labels}`, `g${Math.floor(i / labels)}`] as const);
    return dataOf([...all, ...more.map(([label, group]) => [`c${label % labels}`, `g${group % groups}`] as const)]);
  });

const splitsOf = (data: LabelledVideos, by: FoldsBy, seed: number, valShare: number) =>
  foldsOf(data, by, seed).map((fold) => foldSplit(data, by, fold, { valShare, seed }));

test('every video is tested in exactly one fold, and no group is on both sides', () => {
  fc.assert(
    fc.property(groupedData, fc.nat(99), fc.constantFrom(0, 0.1, 0.3), (data, seed, valShare) => {
      const splits = splitsOf(data, 'set', seed, valShare);
      for (const i of data.videos.keys()) assert.equal(splits.filter(({ videos }) => videos[i]?.split === 'test').length, 1);
      for (const { videos } of splits) {
        const groups = (tested: boolean) =>
          new Set(videos.filter(({ split }) => (split === 'test') === tested).map(({ columns }) => columns['set']));
        assert.equal(groups(true).size, 1);
        assert.ok([...groups(true)].every((group) => !groups(false).has(group)));
        if (valShare === 0) assert.ok(videos.every(({ split }) => split !== 'val'));
      }
    }),
  );
});

test('parts by class: each video tested once, classes and parts as even as can be, the same for the same seed in any order', () => {
  fc.assert(
    fc.property(groupedData, fc.integer({ min: 2, max: 5 }), fc.nat(99), (data, parts, seed) => {
      fc.pre(parts <= data.videos.length);
      let folds: ReturnType<typeof foldsOf>;
      try {
        folds = foldsOf(data, parts, seed);
      } catch (error) {
        assert.match(String(error), /would test what no other fold shows/); // a class with a single video
        fc.pre(false);
        return;
      }
      assert.equal(folds.length, parts);
      for (const video of data.videos) assert.equal(folds.filter(({ tested }) => tested.has(video)).length, 1);
      const even = (counts: readonly number[]) => assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, counts.join());
      even(folds.map(({ tested }) => tested.size));
      for (const label of data.labels)
        even(folds.map(({ tested }) => [...tested].filter((video) => video.label === label).length));
      const again = foldsOf({ ...data, videos: [...data.videos].reverse() }, parts, seed);
      const names = (all: typeof folds) => all.map(({ tested }) => [...tested].map(({ name }) => name).sort());
      assert.deepEqual(names(again), names(folds));
    }),
  );
});

test('another seed gives other parts', () => {
  const data = dataOf(Array.from({ length: 40 }, (_, i) => [`c${i % 2}`, 'g'] as const));
  const tested = (seed: number) => foldsOf(data, 4, seed).map((fold) => [...fold.tested].map(({ name }) => name));
  assert.notDeepEqual(tested(0), tested(1));
});

test('folds are in order, numbers by size; the split says what it is', () => {
  const data = dataOf(['10', '9', 'b', '1'].flatMap((group) => [['x', group] as const, ['y', group] as const]));
  const folds = foldsOf(data, 'set');
  assert.deepEqual(
    folds.map(({ name }) => name),
    ['1', '9', '10', 'b'],
  );
  const [, , ten] = folds;
  assert.ok(ten);
  const split = foldSplit(data, 'set', ten, { valShare: 0.25, seed: 3 });
  assert.equal(
    split.splitBy,
    'groups of the column "set" left out one by one, fold 10 is test, val = 25 % of train by class, seed 3',
  );
  assert.deepEqual(split.notes, []);
  assert.deepEqual(
    ['test', 'val', 'train'].map((name) => split.videos.filter((video) => video.split === name).length),
    [2, 2, 4],
  );
});

test('refused: no such column, a cell that is missing or empty, one group, a class in one group only, too many parts', () => {
  const two = dataOf([...twice('a', '1'), ...twice('b', '2')]);
  assert.throws(
    () => foldsOf(two, 'sett'),
    /^DatasetError: \/data: there is no column "sett" to make folds of; there are set; a whole/,
  );
  assert.throws(() => foldsOf(two, 'constructor'), /there is no column "constructor"/);
  assert.throws(() => foldsOf(two, 'set'), /fold "1" would test what no other fold shows: a; leave these classes or rows out/);
  const missing = { ...two, videos: two.videos.map((video, i) => (i === 2 ? { ...video, columns: {} } : video)) };
  assert.throws(() => foldsOf(missing, 'set'), /^DatasetError: \/data: b\/2\.mp4 has no "set"; every row needs its group$/);
  assert.throws(
    () =>
      foldsOf(
        dataOf([
          ['a', '1'],
          ['a', ''],
        ]),
        'set',
      ),
    /a\/1\.mp4 has nothing in the column "set"/,
  );
  assert.throws(
    () => foldsOf(dataOf(twice('a', '7')), 'set'),
    /the column "set" is "7" in all rows; folds need at least two groups/,
  );
  assert.throws(() => foldsOf(two, 5), /^ConfigError: folds: 5 parts of 4 videos/);
  assert.throws(() => foldsOf(two, 1), /expected at least 2 parts, got 1/);
  assert.throws(() => foldsOf(dataOf([...twice('a', '1'), ['b', '1']]), 2), /would test what no other fold shows: b/);
});

const twice = (label: string, group: string) => [[label, group] as const, [label, group] as const];
