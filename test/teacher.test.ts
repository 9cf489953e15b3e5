/** `vmf train --teacher`: a run, and refusals. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeOnnx } from '../src/graph/onnx.js';
import { makeFile, makeVideo, temporaryFolder } from './smallVideos.js';
import { tinyConfig, writeTinyWeights } from './support/randomWeights.js';
import { refused, vmf } from './support/vmf.js';

const flags = ['--recipe', 'none', '--threads', '1', '--workers', '1', '--no-cache'];

function imageNetwork(outputs: number): Uint8Array {
  const nodes = [
    { type: 'AveragePool', inputs: ['x'], outputs: ['rows'], attributes: { kernel_shape: [32 / outputs, 32] } },
    { type: 'ReduceMean', inputs: ['rows'], outputs: ['y'], attributes: { axes: [1, 3], keepdims: 0 } },
  ].map((node, i) => (i === 0 ? { ...node, attributes: { ...node.attributes, strides: [32 / outputs, 32] } } : node));
  const value = (name: string, shape: (number | string)[]) => ({ name, type: 'float32' as const, shape });
  return writeOnnx({
    ...{ opsets: { '': 17 }, nodes, initializers: [] },
    ...{ inputs: [value('x', ['n', 3, 32, 32])], outputs: [value('y', ['n', outputs])] },
  });
}

test('train --teacher: tells, learns, resumes with the teacher only; refuses what cannot teach', async (t) => {
  const folder = temporaryFolder(t);
  ['bow', 'jump'].forEach((label, i) => {
    for (const seed of [0, 1, 2, 3]) {
      const split = seed === 3 ? 'val' : 'train';
      makeVideo(join(folder, 'data', split, label, `${seed}.mp4`), { seed: 2 * seed + i, frames: 8, width: 40, height: 32 });
    }
  });
  await writeTinyWeights(join(folder, 'large.safetensors'), {
    labels: ['wave', 'jump', 'bow'],
    frames: 8,
    height: 48,
    width: 48,
  });
  await writeTinyWeights(join(folder, 'strange.safetensors'), { labels: ['jump', 'wave'] });
  writeFileSync(join(folder, 'images.onnx'), imageNetwork(2));
  writeFileSync(join(folder, 'four.onnx'), imageNetwork(4));
  makeFile(join(folder, 'broken.onnx'), 'nothing of the kind');
  writeFileSync(join(folder, 'tiny.json'), JSON.stringify(tinyConfig()));
  const train = ['train', 'data', '--out', 'run', ...flags];
  const fresh = [...train, '--config', 'tiny.json', '--batch', '2', '--warmup-epochs', '0', '--epochs', '2'];

  const no = (args: readonly string[], reason: RegExp) => refused(folder, args, reason);
  await no([...fresh, '--teacher', 'data'], /^vmf: --teacher: data: is a folder; expected weights \(\.safetensors\) or an ONNX/);
  await no([...fresh, '--teacher', 'broken.onnx'], /^vmf: --teacher: broken\.onnx: ONNX Runtime cannot load it: /);
  await no([...fresh, '--teacher', 'images.onnx', '--teacher-size', '64'], /--teacher-size: images\.onnx takes 32 px only/);
  await no([...fresh, '--pixels', '0..1'], /--pixels is for a network in an ONNX file; give --teacher, or --baseline and --init/);
  await no(
    [...train, '--baseline', '--teacher', 'large.safetensors'],
    /--baseline fits a readout to labels; leave out --teacher/,
  );
  assert.equal(existsSync(join(folder, 'run')), false);

  const { code, out, err } = await vmf(folder, ...fresh, '--teacher', 'large.safetensors', '--distill-alpha', '0.6');
  assert.equal(code, 0, err);
  assert.match(err, /note: teacher large\.safetensors: it takes 8 frames of 48 px: the student's 4 frames of 32 px are brought/);
  assert.match(err, /note: teacher large\.safetensors: what it says of "wave" is left aside/);
  assert.match(err, /tiny, [\d.]+ M multiply-adds a clip, \d\.\d times the student's; it gives 60 % of the loss, and steps take/);
  assert.match(out, /^best: run\/best\.safetensors/m);
  const { teacher } = JSON.parse(readFileSync(join(folder, 'run', 'run.json'), 'utf8'));
  assert.deepEqual([teacher.path, teacher.share, teacher.temperature], ['large.safetensors', 0.6, 4]);
  await no([...train, '--resume'], /this run learns from a teacher; give its file again with --teacher/);

  const images = await vmf(folder, ...fresh, '--out', 'other', '--epochs', '1', '--teacher', 'images.onnx');
  assert.equal(images.code, 0, images.err);
  assert.match(images.err, /teacher images\.onnx: it names no classes: its outputs are taken for "bow", "jump", in this order/);
  assert.match(images.err, /teacher images\.onnx: it does not say how its pixels are scaled/);
  assert.match(images.err, /ONNX network of images of 32 px, asked of each frame; it gives 90 % of the loss/);

  const strange = ['--out', 'third', '--epochs', '1', '--teacher', 'strange.safetensors'];
  const others = await vmf(folder, ...fresh, ...strange);
  assert.equal(others.code, 0, others.err);
  assert.match(others.err, /it knows "jump", "wave", but not "bow": a head of the student learns them and falls away at the end/);
  assert.match(others.err, /it gives 50 % of the loss/);
  const features = ['--out', 'fourth', '--epochs', '1', '--teacher', 'four.onnx', '--features', 'rows', '--pixels', '0..255'];
  const learnt = await vmf(folder, ...fresh, ...features);
  assert.equal(learnt.code, 0, learnt.err);
  assert.match(learnt.err, /its features are "rows" \(as asked\), 9 a clip/);
});
