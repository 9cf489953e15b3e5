import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeSize, testFrames } from './clipShape.js';
import { stackLength } from './clipView.js';
import { makePreprocess, parsePreprocess } from './preprocess.js';
import { testStackRequest } from './sampleClips.js';

test('preprocessing survives being stored as JSON', () => {
  const preprocess = makePreprocess({ frames: 8, height: 112, width: 112, startSec: 0.5, flip: false, windowSec: 3.2 });
  assert.deepEqual(parsePreprocess(JSON.parse(JSON.stringify(preprocess)), 'weights'), preprocess);
});

test('a wrong or unknown field is a ConfigError that names it', () => {
  const preprocess = makePreprocess({ frames: 8, height: 112, width: 112 });
  const fails = (change: object, pattern: RegExp) =>
    assert.throws(() => parsePreprocess({ ...preprocess, ...change }, 'a.safetensors'), pattern);
  fails({ sice: 3 }, /^ConfigError: a\.safetensors: .*sice/);
  fails({ frames: 0 }, /frames/);
  fails({ shortSide: 100 }, /shortSide must be at least the shorter of height and width/);
  fails({ std: [1, 0, 1] }, /std\.1/);
  fails({ colour: 'opencv' }, /colour/);
  assert.throws(() => parsePreprocess('x', 'a.safetensors'), /a\.safetensors: value: /);
});

test('interleaved test clips share one strip and together use each frame once', () => {
  const preprocess = makePreprocess({ frames: 4, height: 96, width: 96, startSec: 0.5, resize: 'crop' });
  const evenly = stackLength({ mode: 'test', clips: 3 }, preprocess, 0);
  const { request } = testStackRequest({ firstFrameSec: 0, durationSec: 4, frameRate: 25 }, evenly, preprocess);
  assert.deepEqual(request, {
    times: { evenly: 12, startSec: 0.5, endSec: 4 },
    size: { width: 110, height: 110, keepAspect: 'cover' },
  });
  const used = [0, 1, 2].flatMap((clip) => testFrames(preprocess, clip, 3)).sort((a, b) => a - b);
  assert.deepEqual(
    used,
    Array.from({ length: 12 }, (_, i) => i),
  );
});

test('squeezed strips are decoded square, with a margin only for training', () => {
  const preprocess = makePreprocess({ frames: 4, height: 56, width: 56, resize: 'stretch' });
  assert.deepEqual(decodeSize(preprocess, 'train'), { width: 64, height: 64 });
  assert.deepEqual(decodeSize(preprocess, 'test'), { width: 56, height: 56 });
});

test('whole frames are decoded within the picture, crops so that they cover it', () => {
  const preprocess = makePreprocess({ frames: 4, height: 56, width: 112 });
  assert.deepEqual(decodeSize(preprocess, 'train'), { width: 128, height: 64, keepAspect: 'within' });
  assert.deepEqual(decodeSize(preprocess, 'test'), { width: 112, height: 56, keepAspect: 'within' });
  const crop = { ...preprocess, resize: 'crop' } as const;
  for (const use of ['train', 'test'] as const)
    assert.deepEqual(decodeSize(crop, use), { width: 128, height: 64, keepAspect: 'cover' });
});
