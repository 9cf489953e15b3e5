/** Every verb with a network of another family. */

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseCheckpoint } from '../src/weights/checkpoint.js';
import { readSafetensors } from '../src/weights/files.js';
import { makeVideo } from './smallVideos.js';
import { refused, vmf } from './support/vmf.js';

const small = {
  ...{ family: 'mobilenet-v2-3d', name: 'small-mobilenet', frames: 4, height: 32, width: 48, classes: 2, dropout: 0.2 },
  ...{ widthMultiplier: 0.1, lastChannels: 32 },
};
const quick = ['--epochs', '1', '--recipe', 'none', '--batch', '2', '--threads', '1', '--workers', '1', '--no-cache'];
const clip = join('clips', 'test', 'bow', '0.mp4');

const folder = mkdtempSync(join(tmpdir(), 'vmf-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

before(async () => {
  for (const [split, count] of Object.entries({ train: 4, val: 2, test: 2 })) {
    for (const [i, label] of ['bow', 'jump'].entries()) {
      for (let n = 0; n < count; n++) {
        const seed = 100 * i + 10 * count + n;
        makeVideo(join(folder, 'clips', split, label, `${n}.mp4`), { seed, frames: 8, width: 40, height: 32 });
      }
    }
  }
  mkdirSync(join(folder, 'more'));
  for (const n of [0, 1]) cpSync(join(folder, 'clips', 'test', 'bow', `${n}.mp4`), join(folder, 'more', `${n}.mp4`));
  writeFileSync(join(folder, 'small.json'), JSON.stringify(small));
  await passes('train', 'clips', '--config', 'small.json', '--out', 'run', ...quick);
});

async function passes(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await vmf(folder, ...args);
  assert.equal(code, 0, `${args.join(' ')}: ${err}`);
  return out;
}

const weights = ['--weights', join('run', 'best.safetensors')];
test('the run holds this network; eval, predict and info read it', async () => {
  assert.deepEqual(parseCheckpoint(await readSafetensors(join(folder, 'run', 'best.safetensors')), 'run').config, small);
  assert.equal(JSON.parse(await passes('eval', 'clips', ...weights, '--json')).count, 4);
  assert.match(await passes('predict', clip, ...weights), /bow/);
  const { layers } = JSON.parse(await passes('info', ...weights, '--layers', '--json'));
  assert.deepEqual(layers.slice(-1).map(({ name, kind }: { name: string; kind: string }) => [name, kind]), [['classifier', 'head']]); // biome-ignore format: one line
});

test('a stream is answered window by window', async () => {
  assert.match(await passes('stream', clip, ...weights), /(bow|jump)/);
});

test('export to ONNX gives the same answer', async () => {
  await passes('export', ...weights, '--onnx', 'model.onnx');
  const scores = async (path: string): Promise<Map<string, number>> => {
    const [{ predictions }] = JSON.parse(await passes('predict', clip, '--weights', path, '--json'));
    return new Map(predictions.map(({ label, score }: { label: string; score: number }) => [label, score]));
  };
  const [own, exported] = [await scores('run/best.safetensors'), await scores('model.onnx')];
  assert.deepEqual([...exported.keys()].sort(), ['bow', 'jump']);
  for (const [label, score] of own) assert.ok(Math.abs(score - (exported.get(label) ?? Number.NaN)) < 1e-3, label);
});

test('quantize', async () => {
  await passes('quantize', ...weights, '--calibrate', 'clips', '--out', 'int8.onnx');
  assert.match(await passes('predict', clip, '--weights', 'int8.onnx'), /bow|jump/);
});

test('explain says in one line that there are no tokens', async () => {
  await refused(folder, ['explain', clip, ...weights], /small-mobilenet has no tokens/);
});

test('a baseline on its frozen features', async () => {
  await passes('train', 'clips', '--baseline', '--init', 'run/best.safetensors', '--out', 'baseline', '--no-cache');
  await passes('eval', 'clips', '--weights', 'baseline/best.safetensors');
});

test('a run is resumed', async () => {
  assert.match(await passes('train', 'clips', '--out', 'run', '--resume', '--no-cache'), /small-mobilenet: 2 classes/);
});

test('as a teacher and as a student, with unlabelled videos, with layer decay and gradual unfreezing', async () => {
  const student = ['train', 'clips', '--config', 'small.json', ...quick];
  await passes(...student, '--teacher', 'run/best.safetensors', '--out', 'taught');
  await passes(...student, '--unlabelled', 'more', '--out', 'semi');
  await passes(
    'train',
    'clips',
    '--init',
    'run/best.safetensors',
    '--layer-decay',
    '0.8',
    '--unfreeze-epochs',
    '1',
    '--out',
    'tuned',
    ...quick,
  );
  await passes('report', 'run', 'taught');
});
