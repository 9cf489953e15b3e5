/** Files of annotation programs, of our own making, train networks and go from program to program, as processes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeFile, temporaryFolder } from './smallVideos.js';
import { makeFilms, momentsOf } from './support/films.js';
import { refused, vmf } from './support/vmf.js';

const root = temporaryFolder({ after });
const quick = ['--config', 'tiny.json', '--batch', '4', '--warmup-epochs', '0', '--threads', '1', '--workers', '1', '--no-cache'];
const names = ['0', '1', '2', '3', '4', '5'];
const subsets = ['training', 'training', 'training', 'training', 'validation', 'testing'];

/** ActivityNet: ids without ending, a test film with its truth. */
function activityNet(): string {
  const annotations = (name: string) =>
    momentsOf(name).map(({ label, startSec, endSec }) => ({ segment: [startSec, endSec], label }));
  const database = names.map((name, i) => [name, { duration: 36, subset: subsets[i], annotations: annotations(name) }]);
  return JSON.stringify({ version: 'VERSION 1.3', taxonomy: [], database: Object.fromEntries(database) });
}

/** Label Studio: uploads with a prefix, ranges on its grid of 24 whatever the films' 12 frames a second, one annotation cancelled. */
function labelStudio(): string {
  const range = (startSec: number, endSec: number) => ({ start: startSec * 24 + 1, end: endSec * 24 });
  const results = (name: string) =>
    momentsOf(name).map(({ label, startSec, endSec }, i) => ({
      ...{ id: `r${i}`, from_name: 'moves', to_name: 'video', type: 'timelinelabels', origin: 'manual' },
      value: { ranges: [range(startSec, endSec)], timelinelabels: [label] },
    }));
  const tasks = names.map((name, i) => ({
    ...{ id: i + 1, data: { clip: `/data/upload/7/0a1b2c3${i}-${name}.mp4` } },
    annotations: [
      { id: 10 + i, completed_by: 3, was_cancelled: false, result: results(name) },
      ...(i === 0 ? [{ id: 99, completed_by: 4, was_cancelled: true, result: [] }] : []),
    ],
  }));
  return JSON.stringify(tasks);
}

before(() => {
  makeFilms(
    root,
    names.map(() => 'train'),
  );
  makeFile(join(root, 'activity.json'), activityNet());
  makeFile(join(root, 'studio.json'), labelStudio());
});

async function trainAndTest(run: string, data: readonly string[]): Promise<{ top1: number; labels: string[]; said: string }> {
  const trained = await vmf(root, 'train', ...data, '--out', run, '--epochs', '15', '--lr', '0.01', ...quick);
  assert.equal(trained.code, 0, trained.err);
  const tested = await vmf(root, 'eval', ...data, '--weights', `${run}/best.safetensors`, '--json');
  assert.equal(tested.code, 0, tested.err);
  return { ...JSON.parse(tested.out), said: trained.err };
}

test('an ActivityNet file trains a model in one command, with its own split', async () => {
  const { top1, labels } = await trainAndTest('activity', ['activity.json', '--videos', 'films']);
  assert.deepEqual(labels, ['bright', 'dark']);
  assert.ok(top1 >= 0.9, `top-1 ${top1}`);
});

test('a Label Studio export trains a model in one command; the grid is asked for, cancelled work left out', async () => {
  const data = ['studio.json', '--videos', 'films'];
  await refused(root, ['train', ...data, '--out', 'never', ...quick], /studio\.json.*24 unless it says otherwise.*--fps/);
  const { top1, labels, said } = await trainAndTest('studio', [...data, '--fps', '24']);
  assert.deepEqual(labels, ['bright', 'dark']);
  assert.match(said, /1 cancelled annotation left out/);
  assert.ok(top1 >= 0.9, `top-1 ${top1}`);
});

test('moments go through every format that holds them and come back the same', async () => {
  const rows = (file: string) => readFileSync(join(root, file), 'utf8').trim().split(/\r?\n/).length - 1;
  let from = 'activity.json';
  for (const [to, out, ...options] of [
    ['label-studio', 'a1.json', '--fps', '24'],
    ['via', 'a2.json', '--fps', '24'],
    ['elan', 'a3'],
    ['csv', 'a4.csv'],
  ] as const) {
    const { code, err } = await vmf(root, 'convert', from, out, '--to', to, ...options, '--force');
    assert.equal(code, 0, err);
    from = out;
  }
  assert.equal(rows('a4.csv'), names.length * 6);
  const back = await vmf(root, 'convert', 'a4.csv', 'a5.json', '--to', 'activitynet');
  assert.equal(back.code, 0, back.err);
  const { database } = JSON.parse(readFileSync(join(root, 'a5.json'), 'utf8'));
  const { database: first } = JSON.parse(activityNet());
  for (const name of names) assert.deepEqual(database[name].annotations, first[name].annotations);
});

test('an AVA list of the full film is placed in a copy by --offset', async () => {
  makeFile(join(root, 'ava.csv'), '0,0901,0.1,0.1,0.5,0.9,12,1\n0,0907,0.1,0.1,0.5,0.9,17,1\n');
  makeFile(join(root, 'classes.txt'), '12 dark\n17 bright\n');
  const { code, err } = await vmf(
    root,
    'convert',
    'ava.csv',
    'ava2.json',
    '--to',
    'activitynet',
    '--offset',
    '-900',
    '--class-names',
    'classes.txt',
  );
  assert.equal(code, 0, err);
  const { database } = JSON.parse(readFileSync(join(root, 'ava2.json'), 'utf8'));
  assert.deepEqual(database[0].annotations, [
    { segment: [0.5, 1.5], label: 'dark' },
    { segment: [6.5, 7.5], label: 'bright' },
  ]);
  await refused(
    root,
    ['convert', 'ava.csv', 'x.json', '--to', 'activitynet', '--offset', '-902'],
    /second 901 is before the film/,
  );
});
