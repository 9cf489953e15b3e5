import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { littleData } from '../../../test/support/darkAndBright.js';
import { channelMeans, foreign } from '../../../test/support/foreignOnnx.js';
import { writeTinyWeights } from '../../../test/support/randomWeights.js';
import { vmf } from '../../../test/support/vmf.js';
import { exportOnnx } from '../../export/exportWeights.js';
import { withMetadata } from '../../graph/onnxGraph.js';
import { parseOnnxWeights } from '../../weights/onnxWeights.js';

function dataAndNetwork(t: TestContext): string {
  const root = littleData(t);
  foreign(join(root, 'm.onnx'), { shape: [1, 3, 'h', 'w'], ...channelMeans() });
  return root;
}

const quick = ['--threads', '1', '--workers', '1', '--no-cache'];
const baseline = (out: string, ...more: string[]) => [
  'train',
  'data',
  '--baseline',
  '--init',
  'm.onnx',
  '--out',
  out,
  ...more,
  ...quick,
];

test("anybody's frozen network is a first answer: one file, which predict, eval, info and report take", async (t) => {
  const root = dataAndNetwork(t);
  const done = async (...args: string[]) => {
    const { code, out, err } = await vmf(root, ...args);
    return code === 0 ? { out, err } : assert.fail(`${args.join(' ')}: ${err}`);
  };
  const fitted = await done(...baseline('run', '--size', '32', '--frames', '4'));
  assert.match(fitted.err, /m\.onnx: images of 32 px, asked of each frame; its features are "y" \(its only answer\), 9 a clip/);
  assert.match(fitted.err, /does not say how its pixels are scaled: ImageNet's mean and deviation are taken; --pixels/);
  assert.match(
    fitted.out,
    /m\.onnx as it is.*\ntop-1 100\.0 % .*each predicted without itself.*\nbest: run.best\.onnx \(val top-1/,
  );
  const weights = join('run', 'best.onnx');
  const tested = await done('eval', 'data', '--weights', weights, '--split', 'test', '--json');
  assert.match(tested.out, /"top1": 1\b/);
  const predicted = await done('predict', join('data', 'test'), '--weights', weights, '--json');
  assert.match(predicted.out, /"dark"/);
  await done('info', '--weights', weights);
  const teaching = ['--teacher', weights, '--config', 'tiny.json', '--recipe', 'none', '--epochs', '1', '--batch', '4'];
  const taught = await done('train', 'data', '--out', 'taught', ...teaching, ...quick);
  assert.match(taught.err, /teacher run.best\.onnx: m\.onnx, [\d.]+ M multiply-adds a clip.*it gives 90 % of the loss/);
  await done('report', 'run');
  assert.match(readFileSync(join(root, 'run', 'report.html'), 'utf8'), /linear classifier on frozen features/);
  const model = readFileSync(join(root, 'm.onnx'));
  assert.deepEqual(readFileSync(join(root, weights)).subarray(0, model.length), model, 'the network itself is as it was');
  assert.match((await vmf(root, ...baseline('run'))).err, /holds a baseline already/);
  assert.match((await vmf(root, 'train', 'data', '--init', weights, '--out', 'x')).err, /an ONNX network cannot be trained on/);
});

test('a model of vmf export says itself how its pixels are, and its own temperature does not count', async (t) => {
  const root = dataAndNetwork(t);
  const path = join(root, 'w.safetensors');
  await writeTinyWeights(path, { labels: ['a', 'b', 'c'], frames: 4, height: 32, width: 32 });
  await exportOnnx(path, join(root, 'm.onnx'), { force: true });
  const calibration = {
    temperature: 7,
    fittedOn: { videos: 20, split: 'val', views: '1x1', eceBefore: 0, eceAfter: 0, nllBefore: 1, nllAfter: 1 },
  };
  const model = readFileSync(join(root, 'm.onnx'));
  writeFileSync(join(root, 'm.onnx'), withMetadata(model, { calibration: JSON.stringify(calibration) }));
  const { code, err } = await vmf(root, ...baseline('run'));
  assert.equal(code, 0, err);
  assert.match(err, /m\.onnx: 4 frames of 32 px; its features are ".*" \(which its last layer reads, before "logits"\)/);
  assert.doesNotMatch(err, /does not say how/);
  const best = join(root, 'run', 'best.onnx');
  const weights = parseOnnxWeights(new Uint8Array(readFileSync(best)), best);
  assert.deepEqual(weights.labels, ['bright', 'dark']);
  assert.deepEqual(weights.preprocess.std, [1 / 255, 1 / 255, 1 / 255]);
  assert.equal(weights.calibration, undefined);
});

test('options that do not fit are refused in one line, and --pixels says what the network takes', async (t) => {
  const root = dataAndNetwork(t);
  const refused = async (args: string[], reason: RegExp) => {
    const { code, err } = await vmf(root, ...args);
    assert.equal(code, 2);
    assert.match(err, reason);
  };
  await refused(baseline('a', '--features', 'none'), /--features: m\.onnx has no value "none"; its outputs are "y"/);
  await refused(baseline('a', '--model', 'vmf-0.1g'), /is an ONNX network, which is used as it is; leave out --model/);
  await refused(['train', 'data', '--baseline', '--out', 'a', '--pixels', '0..1'], /--pixels is for a network in an ONNX file/);
  foreign(join(root, 'm.onnx'), { shape: ['n', 3, 16, 16], ...channelMeans() });
  await refused(baseline('a', '--size', '32'), /its graph is for height 16 only, got 32; leave that out/);
  const { err } = await vmf(root, ...baseline('b', '--pixels', '-1..1'));
  assert.doesNotMatch(err, /does not say how/);
  const path = join(root, 'b', 'best.onnx');
  const bytes = new Uint8Array(readFileSync(path));
  const { preprocess, readout } = parseOnnxWeights(bytes, path);
  assert.deepEqual(
    [preprocess.mean, preprocess.std],
    [
      [0.5, 0.5, 0.5],
      [0.5, 0.5, 0.5],
    ],
  );
  assert.equal(readout?.weights.length, (2 * 9 * 3) / 3);
  for (const text of ['', '****', 'AAAA']) {
    writeFileSync(path, withMetadata(bytes, { 'readout.bias': text }));
    await refused(['info', '--weights', path], /metadata "readout\.bias": expected 2 numbers as float32 in base64/);
  }
});
