/** `vmf train`: defaults, a recipe, mistakes. */

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeVideo, temporaryFolder } from './smallVideos.js';
import { tinyConfig } from './support/randomWeights.js';
import { refused, vmf } from './support/vmf.js';

function made(t: TestContext): string {
  const folder = temporaryFolder(t);
  for (const [label, count] of [
    ['bow', 6],
    ['jump', 3],
  ] as const) {
    mkdirSync(join(folder, 'clips', label), { recursive: true });
    for (let i = 0; i < count; i++)
      makeVideo(join(folder, 'clips', label, `${i}.mp4`), { seed: i + 10 * count, frames: 8, width: 40, height: 32 });
  }
  writeFileSync(join(folder, 'tiny.json'), JSON.stringify(tinyConfig()));
  return folder;
}

const quick = ['--epochs', '1', '--threads', '1', '--workers', '1', '--no-cache'];
const about = 'about: {for: tests, command: vmf train, time: 1 s, accuracy: 50 %, chosenOn: nothing}\n';

test('train with nothing but data starts from pretrained weights, says why and how long, and finds a folder', async (t) => {
  const folder = made(t);
  const { code, out, err } = await vmf(folder, 'train', 'clips', ...quick);
  assert.equal(code, 0, err);
  assert.match(err, /note: recipe finetune: \d+ training videos, from trained weights\n/);
  assert.match(err, /note: start from vmf-52m: .*terms: research and evaluation only\n/);
  assert.match(err, /note: classes balanced: the largest has more than 1\.5 times the videos of the smallest\n/);
  assert.match(err, /note: about \d+ (s|min): 1 epochs? of \d+ clips at [\d.]+ clips\/s on this machine\n/);
  assert.match(out, /vmf-0\.1g: 2 classes/);
  assert.ok(existsSync(join(folder, 'runs', 'clips', 'best.safetensors')));
  const again = await vmf(folder, 'train', 'clips', '--config', 'tiny.json', '--batch', '2', ...quick);
  assert.equal(again.code, 0, again.err);
  assert.match(again.err, /note: recipe small: \d+ training videos, fewer than \d+\n/);
  assert.ok(existsSync(join(folder, 'runs', 'clips-2', 'best.safetensors')));
});

test('a recipe of one’s own is used, flags go before it, and every mistake in it is one line', async (t) => {
  const folder = made(t);
  writeFileSync(join(folder, 'own.yaml'), `${about}options: {batch: 2, lr: 0.002, augment: {maxCropOffset: 0.5}}\n`);
  const command = [
    'train',
    'clips',
    '--config',
    'tiny.json',
    '--out',
    'run',
    '--recipe',
    'own.yaml',
    '--rand-augment',
    '1',
    ...quick,
  ];
  const { code, err } = await vmf(folder, ...command);
  assert.equal(code, 0, err);
  const { recipe } = JSON.parse(readFileSync(join(folder, 'run', 'run.json'), 'utf8'));
  assert.deepEqual(
    [recipe.batch, recipe.lr, recipe.epochs, recipe.augment.maxCropOffset, recipe.augment.operations],
    [2, 0.002, 1, 0.5, 1],
  );
  writeFileSync(join(folder, 'wrong.yaml'), `${about}options: {rates: 0.002}\n`);
  await refused(folder, ['train', 'clips', '--out', 'new', '--recipe', 'wrong.yaml'], /wrong\.yaml: options: .*rates/);
  await refused(folder, ['train', 'clips', '--out', 'new', '--recipe', 'fast'], /unknown name "fast"; there are finetune, /);
  await refused(folder, ['train', 'clips', '--out', 'new', '--mixup', 'x'], /--mixup: expected a number, got "x"/);
  await refused(folder, ['train', 'clips', '--out', 'new', '--temporal-scale', '1,0.5'], /Expected two rising numbers/);
  await refused(folder, ['train', 'clips', '--out', 'new', '--temporal-scale', '0.5,2'], /augment\.temporalScale/);
  await refused(folder, ['train', 'clips', '--resume'], /--resume needs --out/);
  assert.equal(existsSync(join(folder, 'new')), false);
});
