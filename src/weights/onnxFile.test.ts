import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/smallVideos.js';
import { tinyCheckpoint, writeTinyWeights } from '../../test/support/randomWeights.js';
import { WeightsError } from '../errors.js';
import { writeOnnx } from '../graph/onnx.js';
import { isOnnxFile } from './onnxFile.js';
import { onnxFacts, parseOnnxWeights } from './onnxWeights.js';

const facts = tinyCheckpoint({ notes: { epoch: '7' } });
const modelWith = (metadata: Record<string, string>) =>
  writeOnnx({ opsets: { '': 17 }, nodes: [], initializers: [], inputs: [], outputs: [], metadata });
const sound = onnxFacts(facts, { precision: 'int8', version: '1' });

test('a model says whose network it is', () => {
  const { config, labels, preprocess, notes, precision } = parseOnnxWeights(modelWith(sound), 'm.onnx');
  const { config: c, labels: l, preprocess: p } = facts;
  assert.deepEqual(
    { config, labels, preprocess, notes, precision },
    { config: c, labels: l, preprocess: p, notes: { epoch: '7' }, precision: 'int8' },
  );
});

test('the licence of the weights is told when it is known', () => {
  assert.equal('license' in sound, false);
  for (const notes of [{ license: 'MIT' }, { licence: 'MIT' }] as Record<string, string>[]) {
    assert.equal(onnxFacts({ ...facts, notes }, { precision: 'float32', version: '1' })['license'], 'MIT');
  }
});

test('each fault is named', () => {
  const refuses = (metadata: Record<string, string>, reason: RegExp) =>
    assert.throws(
      () => parseOnnxWeights(modelWith(metadata), 'm.onnx'),
      (error) => error instanceof Error && reason.test(error.message) && error.message.startsWith('m.onnx: '),
    );
  refuses({}, /did not write: metadata "format" is missing/);
  refuses({ ...sound, format: 'other' }, /metadata "format" is "other", expected "video-mobile-former onnx 1"/);
  refuses({ ...sound, labels: '["a"]' }, /expected 5 labels, one a class, got 1/);
  refuses({ ...sound, labels: 'x' }, /metadata "labels" is missing or no JSON/);
  refuses({ ...sound, precision: 'int3' }, /metadata "precision" is "int3"/);
  refuses({ ...sound, config: '{"name":"x"}' }, /m\.onnx: /);
  assert.throws(() => parseOnnxWeights(Uint8Array.of(1, 2, 3), 'm.onnx'), WeightsError);
});

test('models and safetensors are told apart by how they begin', async (t) => {
  const folder = temporaryFolder(t);
  const model = join(folder, 'model');
  writeFileSync(model, modelWith(sound));
  assert.equal(await isOnnxFile(model), true);
  assert.equal(await isOnnxFile(await writeTinyWeights(join(folder, 'weights'))), false);
  const unlucky = join(folder, 'unlucky'); // a header of 264 bytes starts with 8 and 1
  writeFileSync(unlucky, Uint8Array.of(8, 1, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d));
  assert.equal(await isOnnxFile(unlucky), false);
  assert.equal(await isOnnxFile(join(folder, 'none')), false);
  assert.equal(await isOnnxFile(folder), false);
});
