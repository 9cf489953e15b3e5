import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeFile, makeVideo, temporaryFolder } from '../../test/smallVideos.js';
import { wav } from '../video/mediaFiles.test.fixture.js';
import { checkDataset, type DatasetReport } from './check.js';
import { readDataset } from './dataset.js';

const check = async (path: string): Promise<DatasetReport> =>
  checkDataset(await readDataset(path, { keepMissing: true }), { size: 2 });

function soundFolder(t: TestContext, perClass = 6): string {
  const root = temporaryFolder(t);
  for (const [c, label] of ['jump', 'wave'].entries()) {
    for (let i = 0; i < perClass; i++) makeVideo(join(root, 'train', label, `${i}.mp4`), { seed: c * 50 + i });
    for (const [s, split] of ['val', 'test'].entries()) makeVideo(join(root, split, label, 'x.mp4'), { seed: c * 50 + 20 + s });
  }
  return root;
}

test('a sound set has counts, lengths, sizes and rates, and nothing to complain about', async (t) => {
  const report = await check(soundFolder(t));
  assert.deepEqual([report.problems, report.warnings, report.notes], [[], [], []]);
  assert.deepEqual(report.classes, [
    { label: 'jump', train: 6, val: 1, test: 1 },
    { label: 'wave', train: 6, val: 1, test: 1 },
  ]);
  assert.deepEqual([report.videos, report.readable], [16, 16]);
  assert.deepEqual(report.frames, { least: 24, median: 24, most: 24 });
  assert.ok(Math.abs(report.lengthSec.median - 2) < 0.05 && Math.abs(report.totalSec - 32) < 0.8);
  assert.deepEqual(report.sizes, [{ value: '64x48', videos: 16 }]);
  assert.deepEqual(report.frameRates, [{ value: '12', videos: 16 }]);
  assert.deepEqual(report.codecs, [{ value: 'h264 in mov', videos: 16 }]);
});

test('each kind of broken file is a problem with its reason, and the others are still read', async (t) => {
  const root = soundFolder(t);
  const inJump = (name: string) => join(root, 'train', 'jump', name);
  makeFile(inJump('empty.mp4'), '');
  makeFile(inJump('text.mp4'), 'not a video at all');
  makeFile(inJump('sound.mp4'), wav());
  const report = await check(root);
  const found = Object.fromEntries(report.problems.map(({ name, kind, reason }) => [name, `${kind}: ${reason}`]));
  assert.deepEqual(
    Object.keys(found).sort(),
    ['empty', 'sound', 'text'].map((name) => `train/jump/${name}.mp4`),
  );
  assert.match(found['train/jump/empty.mp4'] ?? '', /^empty: is empty \(0 bytes\)/);
  assert.match(found['train/jump/text.mp4'] ?? '', /^unreadable: is plain text/);
  assert.match(found['train/jump/sound.mp4'] ?? '', /^sound only: holds sound only/);
  assert.equal(report.readable, 16);
});

test('a file that was cut off is truncated, and counts as readable as far as it goes', async (t) => {
  const root = soundFolder(t);
  const path = join(root, 'train', 'jump', 'long.mp4');
  makeVideo(path, { seed: 90, frames: 120 });
  makeFile(path, readFileSync(path).subarray(0, -900));
  const { problems, readable } = await check(root);
  assert.deepEqual(
    problems.map(({ name, kind }) => [name, kind]),
    [['train/jump/long.mp4', 'truncated']],
  );
  assert.match(problems[0]?.reason ?? '', /promises 10\.00 s, the file holds \d\.\d+ s|last frame/);
  assert.equal(readable, 17);
});

test('files with the same bytes are problems: within a split, across splits, under two labels', async (t) => {
  const root = soundFolder(t);
  const copy = (from: string, to: string) => {
    mkdirSync(dirname(join(root, to)), { recursive: true });
    copyFileSync(join(root, from), join(root, to));
  };
  copy('train/jump/0.mp4', 'train/jump/again.mp4');
  copy('train/jump/1.mp4', 'test/jump/seen.mp4');
  copy('train/jump/2.mp4', 'train/wave/other.mp4');
  const { problems } = await check(root);
  const reasons = Object.fromEntries(problems.map(({ name, kind, reason }) => [name, `${kind}: ${reason}`]));
  assert.deepEqual(reasons, {
    'train/jump/again.mp4': 'duplicate: same bytes as train/jump/0.mp4',
    'train/jump/1.mp4': 'duplicate: same bytes as test/jump/seen.mp4; train repeats test, which spoils any result',
    'train/wave/other.mp4': 'duplicate: same bytes as train/jump/2.mp4; labelled "wave" here and "jump" there',
  });
});

test('a missing file of a list is a problem, not the end of the check', async (t) => {
  const root = temporaryFolder(t);
  for (const i of [0, 1]) makeVideo(join(root, `${i}.mp4`), { seed: i });
  makeFile(join(root, 'list.csv'), 'path,label,split\n0.mp4,a,train\n1.mp4,b,train\ngone.mp4,b,train\n');
  const { problems, readable } = await check(join(root, 'list.csv'));
  assert.equal(readable, 2);
  assert.deepEqual(
    problems.map(({ name, kind, reason }) => [name, kind, reason]),
    [['gone.mp4', 'missing', 'no such file']],
  );
});

test('what is doubtful about a sound set is a warning with its number', async (t) => {
  const root = temporaryFolder(t);
  const make = (name: string, video: Parameters<typeof makeVideo>[1]) => makeVideo(join(root, 'train', name), video);
  for (let i = 0; i < 18; i++) make(`turn left/${i}.mp4`, { seed: i, frames: 20 + (i % 3), frozen: 6 });
  for (let i = 0; i < 5; i++) make(`wave/${i}.mp4`, { seed: 30 + i, frames: 40 + i, width: 96, frozen: 6 });
  make('wave/still.mp4', { seed: 60, frames: 40, width: 96, frozen: 40 });
  make('wave/short.mp4', { seed: 61, frames: 4, width: 96 });
  for (let i = 0; i < 2; i++) make(`jump/${i}.mp4`, { seed: 70 + i, frames: 80 + i, width: 120, frozen: 6 });
  const report = await checkDataset(await readDataset(root, { valShare: 0 }), { size: 2 });
  assert.deepEqual(report.problems, []);
  const said = (pattern: RegExp) =>
    assert.ok(
      report.warnings.some((warning) => pattern.test(warning)),
      `${pattern}: ${report.warnings}`,
    );
  said(/^1 class with fewer than 5 training videos: jump 2$/);
  said(/^uneven classes: turn left has 18 training videos, jump 2/);
  said(/^classes that name a side \(turn left\): train without mirroring$/);
  said(/^1 video shorter than 0\.5 s or 8 frames: train\/wave\/short\.mp4$/);
  said(/^1 video with nothing but a still picture: train\/wave\/still\.mp4$/);
  said(/^half of the videos hardly move in their first 0\.\d s/);
  said(/^the length alone tells the class of \d+ % of the videos \(chance 67 %\)/);
  said(/^the shape \(width to height\) alone tells the class of \d+ % of the videos \(chance 67 %\)/);
  assert.equal(report.warnings.length, 8);
});

test('a decoder that is not there is an error of its own, not of every file', async (t) => {
  const root = soundFolder(t, 1);
  const path = process.env['PATH'];
  process.env['PATH'] = '';
  try {
    await assert.rejects(
      checkDataset(await readDataset(root), { size: 1, decoder: 'ffmpeg' }),
      /the decoder ffmpeg cannot be used/,
    );
  } finally {
    process.env['PATH'] = path;
  }
});
