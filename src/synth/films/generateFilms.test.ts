import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ConfigError } from '../../errors.js';
import { openDecoder, probe } from '../../video/decoder.js';
import { type GenerateFilmsOptions, generateFilms } from './generateFilms.js';

const root = mkdtempSync(join(tmpdir(), 'vmf-films-'));
after(() => rmSync(root, { recursive: true, force: true }));

const small: GenerateFilmsOptions = {
  counts: { train: 2, val: 1, test: 1 },
  minutes: 0.25,
  width: 64,
  height: 48,
  frameRate: 8,
  seed: 3,
  workers: 2,
};
const rowsOf = (path: string) => {
  const [header, ...rows] = readFileSync(path, 'utf8').trimEnd().split('\n');
  assert.equal(header, 'path,label,start,end,subject,split');
  return rows.map((row) => row.split(',') as [string, string, string, string, string, string]);
};
const digest = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

test('writes films and their labels, the same bytes whatever the number of threads', async () => {
  const [one, other] = [join(root, 'a'), join(root, 'b')];
  const { labelsPath, summary, written } = await generateFilms(one, small);
  assert.deepEqual([written, summary.films, summary.complete], [4, 4, true]);
  const rows = rowsOf(labelsPath);
  assert.equal(rows.length, summary.segments);
  assert.deepEqual([...new Set(rows.map(([path, , , , , split]) => `${path} ${split}`))].sort(), [
    'films/film-001.mp4 train',
    'films/film-002.mp4 train',
    'films/film-003.mp4 val',
    'films/film-004.mp4 test',
  ]);
  for (const [, , start, end] of rows) assert.ok(Number(start) >= 0 && Number(end) > Number(start) && Number(end) <= 15);
  await generateFilms(other, { ...small, workers: 1 });
  for (const name of ['films/film-001.mp4', 'films/film-004.mp4', 'labels.csv']) {
    assert.equal(digest(join(other, name)), digest(join(one, name)), name);
  }
});

test('a finished set is left as it is, an incomplete one completed, another one refused', async () => {
  const folder = join(root, 'a');
  assert.equal((await generateFilms(folder, small)).written, 0);
  const film = join(folder, 'films/film-002.mp4');
  const before = digest(film);
  rmSync(film);
  const { written, reused } = await generateFilms(folder, small);
  assert.deepEqual([written, reused], [1, 3]);
  assert.equal(digest(film), before);
  await assert.rejects(generateFilms(folder, { ...small, people: 3 }), /other options \(people 2\); use --force/);
  mkdirSync(join(root, 'mine'));
  writeFileSync(join(root, 'mine/thesis.txt'), 'years of work');
  await assert.rejects(generateFilms(join(root, 'mine'), { ...small, force: true }), /not written by this generator/);
});

test('film k does not depend on how many are made, and lasts what it should', async () => {
  const folder = join(root, 'one');
  await generateFilms(folder, { ...small, counts: { train: 1, val: 0, test: 0 } });
  const film = join(folder, 'films/film-001.mp4');
  assert.equal(digest(film), digest(join(root, 'a/films/film-001.mp4')));
  assert.equal(probe(openDecoder(), film).durationSec, 15);
});

test('options that cannot be are refused', async () => {
  const bad: [GenerateFilmsOptions, RegExp][] = [
    [{ minutes: 0 }, /minutes must be from 0.1/],
    [{ people: 9 }, /people must be a whole number from 1 to 4, got 9/],
    [{ background: 1 }, /background must be from 0.15 to 0.95, got 1/],
    [{ counts: { train: 0, val: 0, test: 0 } }, /no films/],
    [{ width: 65 }, /even size/],
  ];
  for (const [change, message] of bad) {
    await assert.rejects(
      generateFilms(join(root, 'never'), { ...small, ...change }),
      (error) => error instanceof ConfigError && message.test(error.message),
    );
  }
});
