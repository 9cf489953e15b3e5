/** Files of labelling programs as data of the verbs, as processes. */
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeFile, temporaryFolder } from './smallVideos.js';
import { makeFilms, momentsOf } from './support/films.js';
import { refused, vmf } from './support/vmf.js';

const root = temporaryFolder({ after });
const quick = ['--config', 'tiny.json', '--batch', '4', '--warmup-epochs', '0', '--threads', '1', '--workers', '1', '--no-cache'];
const films = ['0', '1', '2', '3', '4', '5'].map((name) => `films/${name}.mp4`);

/** A project of BORIS 8 with a film an observation, on another machine, whose times count from 100 s. */
function project(): string {
  const observation = (film: string) => ({
    type: 'MEDIA',
    file: { '1': [`C:\\Users\\ann\\${film.replace('films/', '')}`], '2': [] },
    'time offset': 100,
    media_info: { length: {}, fps: {} },
    events: [
      ...momentsOf(film).flatMap(({ label, startSec, endSec }) => [
        [100 + startSec, 'ann', label, '', '', 'NA'],
        [100 + endSec, 'ann', label, '', '', 'NA'],
      ]),
      [103, 'ann', 'blink', '', '', 'NA'],
      [104, 'bob', 'dark', '', '', 'NA'],
      [105, 'bob', 'dark', '', '', 'NA'],
    ],
  });
  const types = [
    ['dark', 'State event'],
    ['bright', 'State event'],
    ['blink', 'Point event'],
  ];
  const conf = Object.fromEntries(types.map(([code, type], i) => [String(i), { code, type }]));
  const observations = Object.fromEntries(films.map((film, i) => [`day ${i}`, observation(film)]));
  return JSON.stringify({ project_format_version: '7.0', behaviors_conf: conf, observations });
}

before(() => {
  makeFilms(
    root,
    films.map(() => 'train'),
  );
  makeFile(join(root, 'p.boris'), project());
});

test('a BORIS project trains a model in one command; eval, check, explain and report read it too', async () => {
  const data = ['p.boris', '--videos', 'films', '--subject', 'ann'];
  const { code, err } = await vmf(root, 'train', ...data, '--out', 'run', '--epochs', '15', '--lr', '0.01', ...quick);
  assert.equal(code, 0, err);
  assert.match(err, /6 moments of other subjects left out/);
  assert.match(err, /6 point events left out: --around SEC gives them a length/);
  const tested = await vmf(root, 'eval', ...data, '--weights', 'run/best.safetensors', '--json');
  assert.equal(tested.code, 0, tested.err);
  const { top1, rows, labels } = JSON.parse(tested.out);
  assert.deepEqual(labels, ['bright', 'dark']);
  assert.match(rows[0].name, /^\d\.mp4@0\.000-2\.000$/);
  assert.ok(top1 >= 0.9, `top-1 ${top1}`);
  const explained = await vmf(root, 'explain', ...data, '--weights', 'run/best.safetensors', '--json', '--threads', '1');
  assert.equal(explained.code, 0, explained.err);
  const checked = await vmf(root, 'check', ...data, '--json', '--around', '1');
  assert.deepEqual(
    JSON.parse(checked.out).classes.map(({ label }: { label: string }) => label),
    ['blink', 'bright', 'dark'],
  );
  renameSync(join(root, 'films'), join(root, 'moved'));
  const moved = await vmf(root, 'report', 'run', '--split', 'test', '--videos', 'moved', '--json');
  renameSync(join(root, 'moved'), join(root, 'films'));
  assert.equal(moved.code, 0, moved.err);
  assert.equal(JSON.parse(moved.out).runs[0].result.top1, top1);
});

test('films that are not found, and subjects and formats that are not there, are one line', async () => {
  const train = (...args: string[]) => ['train', ...args, '--out', 'never', ...quick];
  await refused(
    root,
    train('p.boris', '--videos', 'run'),
    /6 of 6 films not found: C:\\Users\\ann\\0\.mp4, .*5\.mp4; searched by name/,
  );
  await refused(
    root,
    train('p.boris', '--videos', 'films', '--subject', 'eve'),
    /no moment of the subject eve; there are ann, bob/,
  );
  await refused(root, train('p.boris', '--from', 'borris'), /--from borris: no such format; expected one of csv, /);
});

test('label files beside their films are a data set: WebVTT in one folder, DeepEthogram in folders of their own', async () => {
  const flat = await vmf(root, 'convert', 'list.csv', 'films', '--to', 'webvtt');
  assert.equal(flat.code, 0, flat.err);
  const check = await vmf(root, 'check', 'films', '--json');
  assert.equal(check.code, 0, check.err);
  assert.equal(JSON.parse(check.out).videos, 36);
  const grid = await vmf(root, 'convert', 'films', 'grid', '--to', 'deepethogram', '--videos', 'films', '--from', 'webvtt');
  assert.equal(grid.code, 0, grid.err);
  const again = await vmf(root, 'check', 'grid', '--videos', 'films', '--json');
  assert.deepEqual(JSON.parse(again.out).classes, JSON.parse(check.out).classes);
});
