// `vmf suggest` as a process: on films with labels and without, as a list to go on with, and what it refuses.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readDataset } from '../src/index.js';
import type { Suggestions } from '../src/suggest/suggest.js';
import { makeVideo, temporaryFolder } from './smallVideos.js';
import { finished, refused, start } from './support/vmf.js';

const suggestIn = (folder: string, ...args: string[]) => finished(start(['suggest', ...args], folder));

test('moments without label are suggested in the order of their value, and written as a list that can be labelled', async (t) => {
  const root = temporaryFolder(t);
  for (const [seed, name] of ['a.mp4', 'b.mp4'].entries()) makeVideo(join(root, name), { seed, frames: 120 });
  writeFileSync(join(root, 'known.csv'), 'path,label,start,end\na.mp4,x,0,2\na.mp4,y,4,6\nb.mp4,x,0,2\nb.mp4,y,6,8\n');
  const next = join(root, 'next.csv');
  const run = await suggestIn(root, '.', '--labelled', 'known.csv', '--count', '4', '--out', 'next.csv', '--json');
  assert.equal(run.code, 0, run.err);
  const found = JSON.parse(run.out) as Suggestions;
  assert.equal(found.windowSec, 2);
  assert.equal(found.considered, 6); // five windows a film, less the two that are labelled
  assert.equal(found.moments.length, 4);
  assert.deepEqual(found.doubtful, []); // too few of each class to doubt any
  const known = [
    [join(root, 'a.mp4'), 0],
    [join(root, 'a.mp4'), 4],
    [join(root, 'b.mp4'), 0],
    [join(root, 'b.mp4'), 6],
  ];
  for (const { path, startSec, uncertainty, score, label } of found.moments) {
    assert.ok(!known.some(([film, start]) => film === path && start === startSec), `${path} ${startSec}`);
    assert.ok(uncertainty >= 0 && uncertainty <= 1 && score > 0 && ['x', 'y'].includes(label));
  }
  const list = await readDataset(next, { ignoreSplits: true });
  assert.deepEqual(
    list.videos.map(({ path, segment }) => `${path} ${segment?.startSec}`).sort(),
    found.moments.map(({ path, startSec }) => `${path} ${startSec}`).sort(),
  );
  assert.match(readFileSync(next, 'utf8').split('\n')[0] ?? '', /rank,uncertainty/);
  const again = await suggestIn(root, '.', '--out', 'next.csv');
  assert.equal(again.code, 2);
  assert.match(again.err, /next\.csv: is there already; --force replaces it/);
});

test('without labels the labels of the weights judge; an unreadable film is told and left out', async (t) => {
  const root = temporaryFolder(t);
  writeFileSync(join(root, 'broken.mp4'), 'no film');
  makeVideo(join(root, 'a.mp4'), { seed: 1, frames: 60 });
  const run = await suggestIn(root, '.', '--window', '2.5', '--count', '9', '--json');
  const { moments, considered, notes } = JSON.parse(run.out) as Suggestions;
  assert.deepEqual([considered, moments.length], [2, 2]);
  assert.match(notes.join(), /--labelled takes yours/);
  assert.match(run.err, /warning: left out: .*broken\.mp4/);
});

test('nothing to suggest, and things that are no films, in one line each', async (t) => {
  const root = temporaryFolder(t);
  makeVideo(join(root, 'a.mp4'), { seed: 1, frames: 36 });
  writeFileSync(join(root, 'all.csv'), 'path,label,start,end\na.mp4,x,0,1.5\na.mp4,y,1.5,3\n');
  mkdirSync(join(root, 'empty'));
  writeFileSync(join(root, 'broken.mp4'), 'no film');
  const named = ['--weights', 'vmf-52m'];
  await refused(root, ['suggest', 'a.mp4', '--labelled', 'all.csv', ...named], /every moment of these films has a label already/);
  await refused(root, ['suggest', 'empty'], /no video in this folder/);
  const broken = await suggestIn(root, 'broken.mp4', ...named);
  assert.equal(broken.code, 2);
  assert.match(broken.err, /left out: .*broken\.mp4: is plain text, not a video\nvmf: none of 1 films can be read/);
  await refused(root, ['suggest', 'a.mp4', '--weights', 'all.csv'], /all\.csv: .*not a safetensors file/);
  await refused(root, ['suggest', 'a.mp4', '--out', 'next.what'], /its name tells no format; say which with --to/);
});
