import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backgroundOf, type CompleteFilm } from './background.js';
import type { Film, Films } from './films.js';
import type { FoundVideo, Split } from './labelledVideos.js';

const film = (startSec: number, endSec: number) => ({ startSec, endSec, lastSec: endSec, frameRate: 25 }) as Film;
const films: Films = new Map([
  ['a', film(0, 60)],
  ['b', film(0, 20)],
]);
const row = (path: string, startSec: number, endSec: number, split: Split): FoundVideo => {
  const name = `${path}.mp4`;
  return { path, name, label: 'run', segment: { startSec, endSec }, split, columns: {}, where: name };
};
const complete = (path: string, more: Partial<CompleteFilm> = {}): CompleteFilm => ({
  ...{ path, name: `${path}.mp4`, split: undefined, where: path },
  ...more,
});
const drawn = (labelled: readonly FoundVideo[], of: readonly CompleteFilm[], seed: number, share = 0.95) =>
  backgroundOf(labelled, of, films, { label: 'none', share, marginSec: 2, seed }).videos.map(({ path, segment, split }) => {
    return { path, split, startSec: segment?.startSec ?? Number.NaN, endSec: segment?.endSec ?? Number.NaN };
  });

test('what is drawn keeps its margin before and after every labelled moment and lies apart, also where a film is filled', () => {
  const labelled = [row('a', 10, 11, 'train'), row('a', 30, 31, 'val')];
  for (let seed = 0; seed < 20; seed++) {
    const found = drawn(labelled, [complete('a')], seed);
    assert.ok(found.length > 15, `${found.length} of seed ${seed}`);
    for (const [i, { startSec, endSec, split }] of found.entries()) {
      assert.ok(startSec >= (found[i - 1]?.endSec ?? 0) - 1e-9, `${startSec} lies over the one before`);
      const between = (from: number, to: number) => startSec >= from - 1e-9 && endSec <= to + 1e-9;
      assert.ok(between(0, 8) || between(13, 28) || between(33, 60), `${startSec} to ${endSec}`);
      const middle = (startSec + endSec) / 2;
      assert.equal(split, middle < 20.5 ? 'train' : 'val', `of the labelled moment nearest to ${middle} s`);
    }
  }
});

test('complete stretches end where the film ends, and a film without labels keeps its own split', () => {
  const stretches = [{ startSec: 15, endSec: 99 }];
  const found = drawn([row('a', 0, 1, 'train')], [complete('b', { stretches, split: 'test' })], 0);
  assert.ok(found.length > 2);
  assert.ok(found.every(({ startSec, endSec, split }) => startSec >= 15 && endSec <= 20 && split === 'test'));
});

test('films are drawn from in proportion to their free time, and lengths that do not fit give way to the shortest', () => {
  const labelled = [row('a', 20, 50, 'train'), row('a', 0, 1, 'train')];
  // Free: 3 to 18 and 52 to 60 s of the first film, all 20 s of the second: 23 to 20.
  const counts = (share: number) => drawn(labelled, [complete('a'), complete('b')], 0, share).map(({ path }) => path);
  assert.deepEqual(counts(0.6), ['a', 'a', 'b']);
  for (let seed = 0; seed < 5; seed++) {
    const lengths = drawn(labelled, [complete('b')], seed, 0.8).map(({ startSec, endSec }) => Math.round(endSec - startSec));
    assert.deepEqual(lengths, Array(8).fill(1), `seed ${seed}`);
  }
});
