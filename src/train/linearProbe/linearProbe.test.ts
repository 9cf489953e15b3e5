import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { grounds, littleData } from '../../../test/support/darkAndBright.js';
import { tinyConfig } from '../../../test/support/randomWeights.js';
import { finished, start, vmf } from '../../../test/support/vmf.js';
import { asTensor } from '../../clip/clipTensor.js';
import { DataLoader } from '../../dataset/dataLoader.js';
import { readDataset } from '../../dataset/dataset.js';
import { lower } from '../../graph/lowering/lower.js';
import { inferenceGraph, inventoryOf } from '../../models/network.js';
import { countValues } from '../../models/variables.js';
import { blockSize } from '../../node/blockSize.js';
import { openRuntime } from '../../node/graphRuntime.js';
import { parseCheckpoint } from '../../weights/checkpoint.js';
import { readSafetensors } from '../../weights/files.js';
import { readRecord } from '../runFolder/runRecord.js';
import { FrozenFeatures } from './frozenFeatures.js';
import { trainLinearProbe } from './linearProbe.js';

const quick = ['--threads', '1', '--workers', '1', '--no-cache'];
const baselineOf = (out: string) => ['train', 'data', '--baseline', '--config', 'tiny.json', '--out', out, ...quick];

test('dark and bright videos are told apart; predict, eval, report and export take the weights, and training starts from them', async (t) => {
  const root = littleData(t);
  const done = async (...args: string[]) => {
    const result = await vmf(root, ...args);
    assert.equal(result.code, 0, `${args.join(' ')}: ${result.err}`);
    return result;
  };
  const fitted = await done(...baselineOf('run'));
  assert.match(fitted.err, /the network is random/);
  assert.doesNotMatch(fitted.err, /recipe|epochs of/);
  assert.match(
    fitted.out,
    /12 training videos.*\ntop-1 \d+\.\d % \(95 % interval [^)]*\) of the training videos, each predicted without itself.*largest class: 50\.0 %.*\nbest: /,
  );
  const weights = join('run', 'best.safetensors');
  const predicted = await done('predict', join('data', 'test', 'dark', `${grounds.dark[8]}.mp4`), '--weights', weights, '--json');
  assert.match(predicted.out, /"dark"/);
  const tested = await done('eval', 'data', '--weights', weights, '--split', 'test', '--json');
  assert.match(tested.out, /"top1": 1\b/);
  await done('export', '--weights', weights, '--onnx', 'm.onnx');
  assert.ok(existsSync(join(root, 'm.onnx')));
  await done('report', 'run');
  assert.match(readFileSync(join(root, 'run', 'report.html'), 'utf8'), /linear classifier on frozen features/);
  const tuned = await done('train', 'data', '--init', weights, '--out', 'tuned', '--epochs', '1', '--batch', '4', ...quick);
  assert.match(tuned.err, /start from \S+: all of \d+ tensors/); // the readout too: it is trained on
  assert.match(
    tuned.err,
    /first answer after \d+ s, a linear classifier .* of 12 training videos, each predicted without itself/,
  );
  const again = await vmf(root, ...baselineOf('run'));
  assert.match(again.err, /holds a run already/);
});

test('the readout in the network gives what its weights make of the features', async (t) => {
  const root = littleData(t);
  const common = { threads: 1, workers: 1, cacheFolder: false } as const;
  const summary = await trainLinearProbe({ data: join(root, 'data'), out: join(root, 'run'), model: tinyConfig(), ...common });
  assert.ok((summary.foreseen?.top1 ?? 0) > 0.9, `foreseen ${summary.foreseen?.top1}`);
  const { config, parameters, statistics, preprocess } = parseCheckpoint(await readSafetensors(summary.bestPath), 'best');
  const engine = openRuntime({ threads: 1 });
  const loader = new DataLoader({ preprocess, workers: 1, cacheFolder: false });
  t.after(() => Promise.all([engine.close(), loader.close()]));
  const videos = (await readDataset(join(root, 'data'))).videos.filter(({ split }) => split === 'val');
  const frozen = await FrozenFeatures.load(engine, config, { parameters, statistics }, videos.length);
  const logits = inferenceGraph(config, { parameters, statistics }, videos.length);
  const session = await engine.load(lower({ outputs: { logits } }, { block: await blockSize() }), 'logits', 'inference');
  const bias = parameters.subarray(countValues(inventoryOf(config).parameters) - config.classes);
  for await (const { clips } of loader.batches(videos, { batch: videos.length, train: false })) {
    const feeds = { clips: asTensor(clips) };
    const found = (await session.run<'logits'>(feeds)).logits.data;
    const features = await frozen.of(clips);
    const width = features.length / clips.count;
    const weights = parameters.subarray(parameters.length - config.classes * (width + 1), parameters.length - config.classes);
    found.forEach((logit, i) => {
      const [n, k] = [Math.floor(i / config.classes), i % config.classes];
      const [mean, deviation] = [statistics.subarray(-2 * width, -width), statistics.subarray(-width)];
      const row = features
        .subarray(n * width, (n + 1) * width)
        .map((value, d) => (value - (mean[d] ?? NaN)) / (deviation[d] ?? NaN));
      const expected = row.reduce((sum, value, d) => sum + value * (weights[k * width + d] ?? NaN), bias[k] ?? NaN);
      assert.ok(Math.abs(logit - expected) < 1e-4 * Math.max(1, Math.abs(expected)), `${logit} for ${expected}`);
    });
  }
});

test('Ctrl-C: exit code 130, no weights, and the same command works afterwards', { timeout: 120_000 }, async (t) => {
  const root = littleData(t);
  const child = start(baselineOf('run'), root);
  const result = finished(child);
  const record = join(root, 'run', 'run.json');
  while (!existsSync(record) && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill('SIGINT');
  const { code, out, err } = await result;
  assert.equal(code, 130, err);
  assert.match(out, /nothing was stored/);
  assert.deepEqual(readdirSync(join(root, 'run')), ['run.json']);
  assert.equal(readRecord(join(root, 'run'))?.sessions[0]?.status, 'interrupted');
  const again = await vmf(root, ...baselineOf('run'));
  assert.equal(again.code, 0, again.err);
});

test('what only training has is refused in one line', async (t) => {
  const root = littleData(t);
  const { code, err } = await vmf(root, ...baselineOf('run'), '--epochs', '3', '--recipe', 'none');
  assert.equal(code, 2);
  assert.match(err, /^vmf: --baseline trains nothing; leave out recipe, epochs\n$/);
  assert.equal(existsSync(join(root, 'run')), false);
});
