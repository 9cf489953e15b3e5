import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../../test/smallVideos.js';
import type { Moment } from '../annotations/annotations.js';
import { locateFilms } from './mediaFinder.js';

function folderWith(t: TestContext, names: readonly string[]): string {
  const root = temporaryFolder(t);
  for (const name of names) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), '');
  }
  return root;
}

/** Where each film is found, below the folder of videos. */
function locate(root: string, films: readonly string[], videos?: string): string[] {
  const annotations = { films: films.map((film) => ({ film, moments: [], where: 'list' })), notes: [] };
  const found = locateFilms(annotations, { list: join(root, 'list.csv'), videos: videos && join(root, videos) });
  return found.map(({ path }) => path.slice(root.length + 1));
}

test('paths of other machines, addresses and upload names are found by name below --videos', (t) => {
  const root = folderWith(t, ['v/day 1/a b.mp4', 'v/0a1b.mp4', 'v/my_film_1.mp4', 'list.csv']);
  const names = [
    ...[
      'C:\\data\\day 1\\a b.mp4',
      'file:///home/x/a%20b.mp4',
      'file:///C:/x/a%20b.mp4',
      '/nowhere/a b.mp4',
      'https://x.org/y/a%20b.mp4?z=1',
    ],
    ...[
      '/data/upload/3/0a1b2c3d-a%20b.mp4',
      '/data/upload/3/0a1b2c3d-a_b.mp4',
      '/data/local-files/?d=day%201/a%20b.mp4',
      's3://b/k/a b.mp4',
    ],
  ];
  for (const name of names) assert.deepEqual(locate(root, [name], 'v'), ['v/day 1/a b.mp4'], name);
  assert.deepEqual(locate(root, ['/data/upload/1/ffffffff-my_film_1.mp4', '0a1b.mp4'], 'v'), ['v/my_film_1.mp4', 'v/0a1b.mp4']);
});

test('exactly comes before relative to the list, and that before the name; of several of one name the path decides', (t) => {
  const root = folderWith(t, ['a.mp4', 'v/a.mp4', 'v/x/a.mp4', 'v/y/a.mp4', 'v/y/b.mp4', 'v/x/b.mp4']);
  assert.deepEqual(locate(root, [join(root, 'v/x/a.mp4')], 'v'), ['v/x/a.mp4']);
  assert.deepEqual(locate(root, ['a.mp4'], 'v'), ['a.mp4']);
  assert.deepEqual(locate(root, ['D:\\films\\y\\a.mp4'], 'v'), ['v/y/a.mp4']);
  assert.throws(() => locate(root, ['b.mp4', 'c.mp4', 'd.mp4'], 'v'), {
    message: `${join(root, 'list.csv')}: 2 of 3 films not found: c.mp4, d.mp4; 1 of 3 films found in several places: b.mp4 (${join(root, 'v/x/b.mp4')}, ${join(root, 'v/y/b.mp4')}); searched by name below ${join(root, 'v')}`,
  });
});

test('bare ids: with and without v_, with dots, and clips cut out of the film', (t) => {
  const root = folderWith(t, ['v_abc.mp4', '-x_1.mkv', 'day.1.mp4', 'k_000012_000022.mp4', 'k_000030_000040.mp4']);
  assert.deepEqual(locate(root, ['abc', '-x_1', 'v_-x_1', 'day.1']), ['v_abc.mp4', '-x_1.mkv', 'day.1.mp4']);
  const moment = (startSec: number, endSec: number): Moment => ({ startSec, endSec, labels: ['run'], where: 'list:2' });
  const film = { film: 'k', moments: [moment(12, 22), moment(30, 40)], split: 'val' as const, where: 'list' };
  const clips = locateFilms({ films: [film], notes: [] }, { list: root });
  assert.deepEqual(
    clips.map(({ film: name, moments, split }) => [name, moments, split]),
    ['k_000012_000022.mp4', 'k_000030_000040.mp4'].map((name) => [name, [{ labels: ['run'], where: 'list:2' }], 'val']),
  );
  const other = { ...film, moments: [moment(50, 60)] };
  assert.throws(
    () => locateFilms({ films: [other], notes: [] }, { list: root }),
    /1 of 1 films not found: k from 50 to 60 s; say where/,
  );
});

test('two names of one file are one film', (t) => {
  const root = folderWith(t, ['a.mp4']);
  const films = ['a.mp4', 'C:\\a.mp4'].map((film) => ({ film, moments: [{ labels: [film], where: 'x' }], where: 'x' }));
  const found = locateFilms({ films, notes: [] }, { list: join(root, 'list.csv') });
  assert.deepEqual(
    found.map(({ moments }) => moments.map(({ labels }) => labels[0])),
    [['a.mp4', 'C:\\a.mp4']],
  );
});
