/** Lists with several labels at once: cells, mistakes with their row, and splits that spread rare labels. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeFile, temporaryFolder } from '../../test/smallVideos.js';
import { Rng } from '../rng.js';
import { readDataset } from './dataset.js';
import { foldSplit, foldsOf } from './folds.js';
import type { LabelledVideos } from './labelledVideos.js';
import { labelsInCell, strataOf, targetsOf } from './labelSets.js';

function listed(t: TestContext, name: string, text: string, videos: readonly string[] = ['a', 'b', 'c']): string {
  const root = temporaryFolder(t);
  for (const video of videos) makeFile(join(root, `${video}.mp4`), '');
  makeFile(join(root, name), text);
  return join(root, name);
}

const sets = ({ videos }: LabelledVideos) => videos.map(({ labels }) => labels?.join('+'));

test('a table with labels between bars, and none on which nothing happens', async (t) => {
  const list = listed(t, 'list.csv', 'path,labels,split\na.mp4,wave|clap,train\nb.mp4,,train\nc.mp4,wave,test\n');
  const data = await readDataset(list);
  assert.equal(data.multiLabel, true);
  assert.deepEqual(data.labels, ['clap', 'wave']);
  assert.deepEqual(sets(data), ['clap+wave', '', 'wave']);
  assert.deepEqual(
    data.videos.map(({ labelIndices, labelIndex, label }) => [labelIndices, labelIndex, label]),
    [
      [[0, 1], -1, 'clap|wave'],
      [[], -1, ''],
      [[1], -1, 'wave'],
    ],
  );
  const note = 'several labels at once (the data have sets of labels): 1.00 a video, most 2; 1 video on which nothing happens';
  assert.equal(data.notes[0], note);
  assert.deepEqual(targetsOf(data.videos, [2, 0, 1], 2), Float32Array.of(0, 1, 1, 1, 0, 0));
});

test('JSON lines with arrays; names may hold bars there', async (t) => {
  const rows = [{ path: 'a.mp4', labels: ['x|y', 'z'] }, { path: 'b.mp4', labels: [] }, { path: 'c.mp4', labels: ['z'] }]; // biome-ignore format: rows
  const data = await readDataset(listed(t, 'list.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join('')), {
    shares: { train: 1, val: 0, test: 0 },
  });
  assert.deepEqual(data.labels, ['x|y', 'z']);
  assert.deepEqual(sets(data), ['x|y+z', '', 'z']);
});

test('one or many as asked for: single labels become sets, sets of one become labels, others are an error with their row', async (t) => {
  const single = listed(t, 'list.csv', 'path,label,split\na.mp4,wave,train\nb.mp4,clap,train\nc.mp4,wave,test\n');
  assert.equal((await readDataset(single)).multiLabel, undefined);
  const many = await readDataset(single, { labels: 'many' });
  assert.deepEqual([many.multiLabel, sets(many)], [true, ['wave', 'clap', 'wave']]);
  const ones = listed(t, 'list.csv', 'path,labels,split\na.mp4,wave,train\nb.mp4,clap,train\nc.mp4,wave,test\n');
  const one = await readDataset(ones, { labels: 'one' });
  assert.deepEqual([one.multiLabel, one.videos.map(({ label, labelIndex }) => [label, labelIndex])], [undefined, [['wave', 1], ['clap', 0], ['wave', 1]]]); // biome-ignore format: pairs
  const both = listed(t, 'list.csv', 'path,labels,split\na.mp4,wave|clap,train\nb.mp4,clap,train\nc.mp4,wave,test\n');
  await assert.rejects(
    readDataset(both, { labels: 'one' }),
    /list\.csv:2: --labels one: expected one label of a\.mp4, got clap\|wave/,
  );
});

test('mistakes name their row and what to write', async (t) => {
  const refused = async (name: string, text: string, reason: RegExp) =>
    assert.rejects(readDataset(listed(t, name, text)), reason);
  await refused(
    'l.jsonl',
    '{"path": "a.mp4", "label": ["x", "y"]}\n',
    /l\.jsonl:1: a list under "label": write "labels": \["x","y"\]/,
  );
  await refused('l.jsonl', '{"path": "a.mp4", "label": "x", "labels": ["y"]}\n', /l\.jsonl:1: both a label and labels/);
  await refused('l.jsonl', '{"path": "a.mp4", "labels": [1]}\n', /l\.jsonl:1: expected labels like/);
  await refused('l.csv', 'path,labels\na.mp4,x||y\n', /l\.csv:2: .*empty name/);
  await refused('l.csv', 'path,labels\na.mp4,x|x\n', /l\.csv:2: the label "x" is there twice/);
  await refused('l.csv', 'path,split\na.mp4,train\n', /expected a first line with the columns/);
  await refused(
    'l.csv',
    'path,labels,split\na.mp4,x,train\nb.mp4,x|y,test\n',
    /class "y" is in test \(b\.mp4\) but not in train/,
  );
});

test('splits and folds spread rare labels: each part has its share of the rarest', async (t) => {
  const rng = new Rng(['sets']);
  const names = Array.from({ length: 120 }, (_, i) => `v${i}`);
  const rows = names.map(
    (name, i) => `${name}.mp4,${[...(i < 20 ? ['rare'] : []), ...(rng.chance(0.8) ? ['usual'] : [])].join('|')}`,
  );
  const list = listed(t, 'list.csv', `path,labels\n${rows.join('\n')}\n`, names);
  const data = await readDataset(list);
  const rareIn = (split: string) => data.videos.filter((video) => video.split === split && video.labels?.includes('rare')).length;
  assert.deepEqual(['train', 'val', 'test'].map(rareIn), [16, 2, 2]);
  const folds = foldsOf(await readDataset(list, { ignoreSplits: true }), 5);
  for (const fold of folds) {
    assert.equal([...fold.tested].filter(({ labels }) => labels?.includes('rare')).length, 4);
    assert.equal(foldSplit(data, 5, fold).multiLabel, true);
  }
  assert.equal(new Set(folds.flatMap(({ tested }) => [...tested])).size, 120);
});

test('cells, and the class that a set counts for', () => {
  assert.deepEqual(labelsInCell(' b | a ', 'here'), ['a', 'b']);
  assert.deepEqual(labelsInCell('["b", "a"]', 'here'), ['a', 'b']);
  assert.deepEqual(labelsInCell('  ', 'here'), []);
  const of = (...labels: string[]) => ({ label: labels.join('|'), labels });
  assert.deepEqual(strataOf([of('a', 'b'), of('a'), of(), of('b', 'c'), { label: 'own' }]), ['a', 'a', '', 'c', 'own']);
});
