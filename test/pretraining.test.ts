/**
 * The PyTorch networks of pretraining/ compute what the networks of this package and the teachers' files compute. Skipped without a
 * Python that has torch (and, for the teachers, onnx and ../shared or VMF_SHARED); says so.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import * as ort from 'onnxruntime-node';
import { findPython } from '../bench/pytorchProcess.js';
import { inferenceGraph } from '../src/models/network.js';
import { parseCheckpoint } from '../src/weights/checkpoint.js';
import { readSafetensors } from '../src/weights/files.js';
import { temporaryFolder } from './smallVideos.js';
import { runOnce } from './support/runOnce.js';

const script = resolve('pretraining/check.py');
const shared = resolve(process.env['VMF_SHARED'] ?? '../shared');

/** A Python with these modules, or undefined: then the test is skipped. */
function pythonWith(t: TestContext, modules: string): string | undefined {
  try {
    const python = findPython();
    if (spawnSync(python, ['-c', `import ${modules}`]).status === 0) return python;
    t.skip(`${python} has no ${modules}`);
  } catch (error) {
    t.skip((error as Error).message);
  }
  return undefined;
}

/** Runs check.py; gives what it prints. */
function written(python: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(python, [script, ...args], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout;
}

const floats = (path: string): Float32Array => new Float32Array(Uint8Array.from(readFileSync(path)).buffer);
const worst = (got: Float32Array, expected: readonly number[]): number =>
  Math.max(...expected.map((value, i) => Math.abs(value - (got[i] ?? NaN))));

test('a random PyTorch student, exported, gives the same logits here', async (t) => {
  const python = pythonWith(t, 'torch, numpy');
  if (!python) return;
  const folder = temporaryFolder(t);
  written(python, 'student', folder);
  for (const layout of ['52m', '96m', '214m']) {
    const path = join(folder, `${layout}.safetensors`);
    const { config, ...weights } = parseCheckpoint(await readSafetensors(path), path);
    const clip = new Map([['clips', floats(join(folder, `${layout}.f32`))]]);
    const { logits } = await runOnce({ logits: inferenceGraph(config, weights, 1) }, clip, 0);
    const difference = worst(logits ?? new Float32Array(), JSON.parse(readFileSync(join(folder, `${layout}.json`), 'utf8')));
    t.diagnostic(`${layout}: logits differ by at most ${difference.toExponential(1)}`);
    assert.ok(difference < 1e-4, `${layout}: ${difference}`);
  }
});

test('windows of captured motion: pairs stay together, glitches and subjects held out stay out, backwards has no class', (t) => {
  const python = pythonWith(t, 'torch, numpy');
  if (!python) return;
  const { train, measure } = JSON.parse(written(python, 'motion', temporaryFolder(t)));
  assert.deepEqual([train.subjects, measure.subjects], [['s0', 's2', 's3', 's4', 's5'], ['s1']]);
  for (const { subjects, ...facts } of [train, measure])
    assert.deepEqual(facts, {
      ...{ glitches: 0, apart: 0, forwards: true, backwards: true },
      ...{ classless_backwards: true, acts: [0] },
    });
});

test('the teachers run by PyTorch answer as ONNX Runtime runs them', async (t) => {
  const python = pythonWith(t, 'torch, numpy, onnx');
  if (!python) return;
  if (!existsSync(join(shared, 'weights'))) return t.skip(`${shared}/weights is not there`);
  const folder = temporaryFolder(t);
  written(python, 'teachers', folder, shared);
  for (const name of ['mobilenet_v2_1.0_224', 'x3d_xs_kinetics400']) {
    const { path, shape, answers } = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
    const session = await ort.InferenceSession.create(path, { logSeverityLevel: 3, intraOpNumThreads: 1 });
    const results = await session.run({ pixels: new ort.Tensor('float32', floats(join(folder, `${name}.f32`)), shape) });
    for (const key of Object.keys(answers)) {
      const difference = worst(results[key]?.data as Float32Array, answers[key]);
      const largest = Math.max(...answers[key].map(Math.abs));
      t.diagnostic(`${name}: ${key} differ by at most ${difference.toExponential(1)} of up to ${largest.toFixed(1)}`);
      assert.ok(difference < 1e-4 * Math.max(1, largest), `${name} ${key}: ${difference}`);
    }
    await session.release();
  }
});
