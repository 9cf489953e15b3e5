/** Segments that lie over each other: shares and labels against counting on a fine grid, at random. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rng } from '../rng.js';
import type { FoundVideo } from './labelledVideos.js';
import { decideLabels } from './labelSets.js';
import { overlapShare, withOverlaps } from './overlaps.js';

const row = (path: string, startSec: number, endSec: number, label: string): FoundVideo => ({
  ...{ path, name: path, label, split: undefined, columns: {}, where: `list.csv:${startSec}` },
  segment: { startSec, endSec },
});

/** Whole seconds, so that a grid of seconds is exact. */
function randomRows(rng: Rng): FoundVideo[] {
  return Array.from({ length: 1 + rng.integer(8) }, () => {
    const startSec = rng.integer(12);
    return row(rng.pick(['a', 'b']), startSec, startSec + 1 + rng.integer(8), rng.pick(['x', 'y', 'z']));
  });
}

const holdsAt = (rows: readonly FoundVideo[], path: string, second: number): Set<string> =>
  new Set(
    rows.flatMap((each) => {
      const { startSec = 0, endSec = 0 } = each.segment ?? {};
      return each.path === path && startSec <= second && second < endSec ? [each.label] : [];
    }),
  );

test('the share of the labelled time with more than one class', () => {
  const rng = new Rng(['overlaps']);
  for (let round = 0; round < 300; round++) {
    const rows = randomRows(rng);
    const counts = ['a', 'b'].flatMap((path) => Array.from({ length: 20 }, (_, second) => holdsAt(rows, path, second).size));
    const [any, several] = [1, 2].map((least) => counts.filter((count) => count >= least).length) as [number, number];
    assert.ok(Math.abs(overlapShare(rows) - several / any) < 1e-12);
  }
});

test('a segment has all labels that hold for at least half of it, and equal segments become one', () => {
  const rng = new Rng(['during']);
  for (let round = 0; round < 300; round++) {
    const rows = randomRows(rng);
    const found = withOverlaps(rows);
    const keys = found.map(({ path, segment }) => `${path} ${segment?.startSec} ${segment?.endSec}`);
    assert.equal(new Set(keys).size, keys.length);
    assert.equal(new Set(rows.map(({ path, segment }) => `${path} ${segment?.startSec} ${segment?.endSec}`)).size, keys.length);
    for (const { path, segment, labels = [], label } of found) {
      const { startSec = 0, endSec = 0 } = segment ?? {};
      const seconds = Array.from({ length: endSec - startSec }, (_, i) => holdsAt(rows, path, startSec + i));
      const expected = ['x', 'y', 'z'].filter((name) => 2 * seconds.filter((set) => set.has(name)).length >= seconds.length);
      assert.deepEqual(labels, expected);
      assert.equal(label, expected.join('|'));
    }
  }
});

test('more than 5 % of the labelled time mean several labels, which is said; less does not, unless asked for', () => {
  const apart = [row('a', 0, 10, 'x'), row('a', 9.6, 20, 'y')];
  assert.deepEqual(decideLabels(apart, undefined), { videos: apart, multiLabel: false, notes: [] });
  const over = [row('a', 0, 10, 'x'), row('a', 5, 20, 'y')];
  const { multiLabel, videos, notes } = decideLabels(over, undefined);
  assert.deepEqual([multiLabel, videos.map(({ labels }) => labels)], [true, [['x', 'y'], ['y']]]); // biome-ignore format: pairs
  assert.match(notes[0] ?? '', /segments overlap for 25 % of the labelled time; --labels one takes each alone\): 1\.50 a video/);
  assert.equal(decideLabels(over, 'one').multiLabel, false);
  assert.equal(decideLabels(apart, 'many').multiLabel, true);
  const repeated = [row('a', 0, 10, 'x'), row('a', 5, 20, 'x')];
  assert.equal(decideLabels(repeated, undefined).multiLabel, false, 'of one class: nothing happens at once');
});
