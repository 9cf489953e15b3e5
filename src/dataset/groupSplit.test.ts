import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rng } from '../rng.js';
import { partsByGroup, splitByGroup } from './groupSplit.js';
import { groupsOf } from './groups.js';

/** Samples of random films and classes. */
function drawn(rng: Rng) {
  const [films, classes] = [1 + rng.integer(12), 1 + rng.integer(4)];
  return Array.from({ length: 2 + rng.integer(60) }, (_, i) => ({
    path: `film${rng.integer(films)}`,
    segment: { startSec: i, endSec: i + 1 },
    label: `class${rng.integer(classes)}`,
    columns: {},
  }));
}

test('a split by groups keeps every film on one side and every class in training', () => {
  let [divided, refused] = [0, 0];
  for (let i = 0; i < 300; i++) {
    const rng = new Rng(['groups', i]);
    const samples = drawn(rng);
    const labels = samples.map(({ label }) => label);
    const groups = groupsOf(samples);
    if (groups === undefined) continue;
    const shares = rng.chance(0.5) ? { train: 0.8, val: 0.1, test: 0.1 } : { train: 0.8, val: 0.2, test: 0 };
    const splits = splitByGroup(labels, groups, shares, i);
    assert.deepEqual(splitByGroup(labels, groups, shares, i), splits);
    if (splits === undefined) {
      refused++;
      continue;
    }
    divided++;
    for (const { path } of samples) {
      assert.equal(new Set(splits.filter((_, k) => samples[k]?.path === path)).size, 1, `${path} of set ${i}`);
    }
    const trained = new Set(labels.filter((_, k) => splits[k] === 'train'));
    assert.deepEqual(trained, new Set(labels));
    assert.ok(splits.includes(shares.test > 0 ? 'test' : 'val'));
  }
  assert.ok(divided > 100 && refused > 10, `${divided} divided, ${refused} refused`);
});

test('the shares are kept as far as films of different sizes allow', () => {
  const samples = Array.from({ length: 400 }, (_, i) => ({
    path: `film${i % 40}`,
    segment: { startSec: i, endSec: i + 1 },
    label: i % 3 === 0 ? 'a' : 'b',
    columns: {},
  }));
  const groups = groupsOf(samples);
  assert.ok(groups);
  const labels = samples.map(({ label }) => label);
  const splits = splitByGroup(labels, groups, { train: 0.8, val: 0.1, test: 0.1 }, 0) ?? [];
  for (const split of ['val', 'test'] as const) {
    for (const label of ['a', 'b']) {
      const share =
        splits.filter((each, i) => each === split && labels[i] === label).length / labels.filter((each) => each === label).length;
      assert.ok(Math.abs(share - 0.1) <= 0.03, `${label} in ${split}: ${share}`);
    }
  }
});

test('parts of a cross-validation keep films whole and are never empty', () => {
  for (let i = 0; i < 100; i++) {
    const rng = new Rng(['parts', i]);
    const samples = drawn(rng);
    const groups = groupsOf(samples);
    if (groups === undefined || groups.count < 2) continue;
    const count = 2 + rng.integer(groups.count - 1);
    const parts = partsByGroup(
      samples.map(({ label }) => label),
      groups,
      count,
      i,
    );
    assert.equal(new Set(parts).size, count);
    for (const { path } of samples) assert.equal(new Set(parts.filter((_, k) => samples[k]?.path === path)).size, 1);
  }
});

test('a column joins films, unless it would join all', () => {
  const at = (film: string, columns: Record<string, string> = {}) => ({
    path: film,
    segment: { startSec: 0, endSec: 1 },
    columns,
  });
  const day = groupsOf([at('a', { group: '1' }), at('b', { group: '1' }), at('c', { group: '2' }), at('c', { group: '2' })]);
  assert.deepEqual([[...(day?.of ?? [])], day?.by], [[0, 0, 1, 1], 'film and column group']);
  const all = groupsOf([at('a', { subject: 'ann' }), at('a', { subject: 'bob' }), at('b', { subject: 'ann' })]);
  assert.deepEqual([[...(all?.of ?? [])], all?.by], [[0, 0, 1], 'film']);
  assert.equal(
    groupsOf([
      { path: 'a', columns: {} },
      { path: 'b', columns: {} },
    ]),
    undefined,
  );
  const whole = groupsOf([
    { path: 'a', columns: { group: 'x' } },
    { path: 'b', columns: { group: 'x' } },
    { path: 'c', columns: { group: 'y' } },
  ]);
  assert.deepEqual([[...(whole?.of ?? [])], whole?.by], [[0, 0, 1], 'column group']);
});
