/** Non-square frames from video to prediction. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { exportOnnx } from '../src/export/exportWeights.js';
import { loadRecogniser } from '../src/inference/fileRecogniser.js';
import { networkCost } from '../src/models/cost.js';
import { networkConfig } from '../src/models/registry.js';
import { type TrainJob, train } from '../src/train/train.js';
import { parseCheckpoint } from '../src/weights/checkpoint.js';
import { readSafetensors } from '../src/weights/files.js';
import { makeVideo, temporaryFolder } from './smallVideos.js';
import { tinyConfig, writeTinyWeights } from './support/randomWeights.js';

function someVideos(folder: string, mixed = false): void {
  for (const label of ['a', 'b'])
    for (let seed = 0; seed < 3; seed++) {
      const [width, height] = mixed && seed === 1 ? [56, 96] : [96, 56];
      makeVideo(join(folder, label, `${seed}.mp4`), { width, height, frames: 8, seed: seed + (label === 'a' ? 0 : 9) });
    }
}

const job = (root: string, more: Partial<TrainJob>): TrainJob => ({
  ...{ data: join(root, 'data'), out: join(root, 'run'), threads: 1, workers: 1, cacheFolder: false },
  options: { epochs: 1, batch: 2, warmupEpochs: 0, preciseBn: 1 },
  dataset: { valShare: 0 },
  ...more,
});

test('112x192 trains and predicts; landscape and portrait go together', async (t) => {
  const root = temporaryFolder(t);
  someVideos(join(root, 'data'), true);
  const model = tinyConfig({ height: 112, width: 192 });
  const { bestPath, epochs } = await train(job(root, { model, recipe: false }));
  assert.ok(epochs.every(({ trainLoss }) => Number.isFinite(trainLoss)));
  const { config, preprocess } = parseCheckpoint(await readSafetensors(bestPath), bestPath);
  for (const form of [config, preprocess]) assert.deepEqual([form.height, form.width], [112, 192]);
  assert.equal(preprocess.resize, 'fit');
  const recogniser = await loadRecogniser(bestPath, { threads: 1, workers: 1 });
  try {
    const { predictions } = await recogniser.recognise(join(root, 'data', 'a', '1.mp4'));
    assert.ok(Math.abs(predictions.reduce((sum, { score }) => sum + score, 0) - 1) < 1e-5);
  } finally {
    await recogniser.close();
  }
});

test('a named network takes the shape of the videos, unless a size is asked for', async (t) => {
  const root = temporaryFolder(t);
  someVideos(join(root, 'data'));
  const notes: string[] = [];
  const onEvent: TrainJob['onEvent'] = (event) => {
    if (event.kind === 'note') notes.push(event.message);
  };
  const options = { epochs: 1, batch: 2, preciseBn: 1 };
  const suited = await train(job(root, { init: 'none', options, onEvent, preprocess: { frames: 2 } }));
  assert.deepEqual([suited.config.height, suited.config.width], [80, 144], notes.join('\n'));
  assert.ok(notes.some((note) => note.startsWith('whole frames at 80x144 px')));
  const asked = { frames: 2, height: 48, width: 64, resize: 'stretch' } as const;
  const told = await train(job(root, { init: 'none', options, preprocess: asked, out: join(root, 'other') }));
  assert.deepEqual([told.config.height, told.config.width], [48, 64]);
});

test('cost grows with the area', () => {
  const macs = (height: number, width: number) => networkCost(networkConfig('vmf-0.1g', { height, width })).macs;
  assert.equal(macs(96, 192), macs(192, 96));
  const [one, two, four] = [macs(96, 96), macs(96, 192), macs(192, 192)];
  assert.ok(Math.abs((four - two) / (2 * (two - one)) - 1) < 1e-9, 'a constant part, and one in proportion to the area');
  assert.ok(two > 1.9 * one && two < 2 * one, `${two / one}`);
});

test('a model exported for rectangles answers as the weights do', async (t) => {
  const root = temporaryFolder(t);
  const video = join(root, 'v.mp4');
  makeVideo(video, { width: 96, height: 56, frames: 8 });
  const shape = { height: 48, width: 80 };
  const weights = await writeTinyWeights(join(root, 'w.safetensors'), { ...shape, preprocess: { resize: 'fit' } });
  const model = join(root, 'w.onnx');
  await exportOnnx(weights, model);
  const scores = await Promise.all(
    [weights, model].map(async (path) => {
      const recogniser = await loadRecogniser(path, { threads: 1, workers: 1 });
      try {
        assert.deepEqual([recogniser.preprocess.height, recogniser.preprocess.width], [48, 80]);
        return new Map((await recogniser.recognise(video)).predictions.map(({ label, score }) => [label, score]));
      } finally {
        await recogniser.close();
      }
    }),
  );
  for (const [label, score] of scores[0] ?? []) assert.ok(Math.abs(score - (scores[1]?.get(label) ?? -1)) < 1e-5, label);
});
