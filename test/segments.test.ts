/** Segments of films through the verbs, as processes. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { temporaryFolder } from './smallVideos.js';
import { makeFilms } from './support/films.js';
import { refused, vmf } from './support/vmf.js';

const root = temporaryFolder({ after });
const quick = ['--config', 'tiny.json', '--batch', '4', '--warmup-epochs', '0', '--threads', '1', '--workers', '1', '--no-cache'];
const trained = ['train', 'list.csv', '--background', 'nothing', '--out', 'run', '--epochs', '15', '--lr', '0.01', ...quick];

before(async () => {
  makeFilms(root, ['train', 'train', 'val', 'test']);
  const { code, err } = await vmf(root, ...trained);
  assert.equal(code, 0, err);
});

test('check counts segments, their time and their lengths by class', async () => {
  const { code, out, err } = await vmf(root, 'check', 'list.csv');
  assert.equal(code, 0, err);
  assert.match(out, /segments 24 of 4 films: 48\.0 s of 2\.4 min\n/);
  assert.match(out, /bright +12 +2\.00 +2\.00 +2\.00\n/);
  assert.match(out, /fps +12 \(24\)\n/);
  assert.doesNotMatch(out, /warning: half of the videos hardly move/); // their first frames are not the film's
  assert.match(out, /24 of 24 videos can be read; no problems/);
  const report = JSON.parse((await vmf(root, 'check', 'list.csv', '--json', '--background')).out);
  assert.deepEqual([report.segments.films, report.segments.segments], [4, 36]);
});

test('check lists rows that cannot be used, and training refuses them before it reads a video', async () => {
  const list = readFileSync(join(root, 'list.csv'), 'utf8');
  writeFileSync(
    join(root, 'wrong.csv'),
    `${list}films/0.mp4,dark,5,4,train\nfilms/1.mp4,dark,10,99,train\nfilms/gone.mp4,dark,1,2,train\nfilms/gone.mp4,dark,3,4,train\n`,
  );
  const { code, out } = await vmf(root, 'check', 'wrong.csv');
  assert.equal(code, 1);
  assert.match(out, /problem: .*wrong\.csv:26 \(train\): times: films\/0\.mp4 ends at 4 s, before its start at 5 s\n/);
  assert.match(out, /problem: .*wrong\.csv:27 \(train\): times: films\/1\.mp4 ends at 99 s, but the film ends at 36\.000 s\n/);
  assert.match(out, /problem: films\/gone\.mp4@1\.000-2\.000 \(train\): missing: no such file \(and 1 more of its segments\)\n/);
  assert.equal(out.match(/^problem: /gm)?.length, 3, out);
  await refused(
    root,
    ['train', 'wrong.csv', '--out', 'never', ...quick],
    /wrong\.csv:26: films\/0\.mp4: ends at 4 s, before its start/,
  );
});

test('a network learns from segments and background what each moment shows; results name film and time', async () => {
  const { code, out, err } = await vmf(
    root,
    'eval',
    'list.csv',
    '--background',
    'nothing',
    '--weights',
    'run/best.safetensors',
    '--json',
  );
  assert.equal(code, 0, err);
  const { top1, count, rows, labels } = JSON.parse(out);
  assert.deepEqual(labels, ['bright', 'dark', 'nothing']);
  assert.equal(count, rows.length);
  assert.equal(rows[0].name, 'films/3.mp4@0.000-2.000');
  assert.deepEqual(rows[0].segment, { startSec: 0, endSec: 2 });
  assert.ok(top1 >= 0.9, `top-1 ${top1} of ${count}`);
});

test('a cross-validation keeps films together, and films without labels are learnt from in stretches', async () => {
  const folds = ['train', 'list.csv', '--folds', '2', '--out', 'folds', '--epochs', '1', ...quick];
  const { code, out, err } = await vmf(root, ...folds);
  assert.equal(code, 0, err);
  assert.match(out, /2 parts by film/);
  const lines = readFileSync(join(root, 'folds', 'folds.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .slice(1);
  const results: { answers: { name: string }[] }[] = lines.map((line) => JSON.parse(line));
  assert.equal(results.length, 2);
  for (const { answers } of results) {
    const films = new Set(answers.map(({ name }) => name.split('@')[0]));
    assert.deepEqual([answers.length, films.size], [12, 2]);
  }
  const semi = await vmf(root, 'train', 'list.csv', '--unlabelled', 'films', '--out', 'semi', '--epochs', '1', ...quick);
  assert.equal(semi.code, 0, semi.err);
  assert.match(semi.err, /--unlabelled: 2 films kept for validation and testing passed over/);
  assert.match(semi.err, /36 videos without labels/);
});

test('explain and report work on segments', async () => {
  const explained = await vmf(root, 'explain', 'list.csv', '--weights', 'run/best.safetensors', '--json', '--threads', '1');
  assert.equal(explained.code, 0, explained.err);
  assert.equal(JSON.parse(explained.out).count, 6);
  const { code, err } = await vmf(root, 'report', 'run', '--split', 'test');
  assert.equal(code, 0, err);
  assert.match(readFileSync(join(root, 'run', 'report.html'), 'utf8'), /films\/3\.mp4@0\.000-2\.000/);
});

test('predict answers for each segment of a list, which needs no labels', async () => {
  writeFileSync(join(root, 'ask.csv'), 'path,start,end\nfilms/3.mp4,0:06,8\nfilms/3.mp4,12,14\n');
  const ask = ['predict', 'ask.csv', '--weights', 'run/best.safetensors', '--top', '1', '--threads', '1'];
  const { code, out, err } = await vmf(root, ...ask, '--json');
  assert.equal(code, 0, err);
  const answers: { path: string; segment: object; predictions: { label: string }[] }[] = JSON.parse(out);
  assert.deepEqual(
    answers.map(({ path, segment, predictions }) => [path.split('/').at(-1), segment, predictions[0]?.label]),
    [
      ['3.mp4@6.000-8.000', { startSec: 6, endSec: 8 }, 'bright'],
      ['3.mp4@12.000-14.000', { startSec: 12, endSec: 14 }, 'dark'],
    ],
  );
  const table = await vmf(root, ...ask, '--csv');
  assert.match(table.out, /3\.mp4@6\.000-8\.000,6,8,1,bright/);
});
