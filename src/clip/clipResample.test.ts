import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rng } from '../rng.js';
import { type ClipForm, resampleClips } from './clipResample.js';
import { type ClipTensor, clipsFrom, emptyClips } from './clipTensor.js';
import { imagenetMean, imagenetStd } from './preprocess.js';

const plain: ClipForm = { frames: 3, height: 4, width: 4, mean: [0, 0, 0], std: [1, 1, 1] };

function noise(form: ClipForm, count: number): ClipTensor {
  const rng = new Rng(['noise']);
  const clips = emptyClips(count, form);
  return { ...clips, data: clips.data.map(() => rng.normal()) };
}

test('the same form is a copy', () => {
  const clips = noise(plain, 5);
  const whole = resampleClips(clips, plain, plain);
  assert.deepEqual(whole, clips);
  assert.notEqual(whole.data.buffer, clips.data.buffer);
});

test('frames are those nearest in time', () => {
  const numbered = Float32Array.from({ length: 4 * 3 }, (_, i) => Math.floor(i / 3));
  const form = (frames: number): ClipForm => ({ ...plain, frames, height: 1, width: 1 });
  const frames = (wanted: number) => {
    const out = resampleClips(clipsFrom(numbered, 1, form(4)), form(4), form(wanted));
    return [...out.data].filter((_, i) => i % 3 === 0);
  };
  assert.deepEqual(frames(8), [0, 0, 1, 1, 2, 2, 3, 3]);
  assert.deepEqual(frames(2), [1, 3]);
  assert.deepEqual(frames(1), [2]);
  assert.deepEqual(frames(6), [0, 1, 1, 2, 3, 3]);
});

test('a slope stays the slope when it is enlarged, and its edges stay what they are', () => {
  const slope = Float32Array.from({ length: 3 * 16 }, (_, i) => (i % 4) + 10 * Math.floor((i % 16) / 4));
  const one: ClipForm = { ...plain, frames: 1 };
  const out = resampleClips(clipsFrom(slope, 1, one), one, { ...one, height: 8, width: 8 }).data;
  const row = [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3];
  assert.deepEqual([...out.subarray(0, 8)], row);
  assert.deepEqual(
    [...out.subarray(24, 32)],
    row.map((value) => value + 12.5),
  );
});

test('another normalisation gives the numbers that it would have given of the pixels', () => {
  const pixels = noise(plain, 1).data.map((value) => Math.abs(value) % 1);
  const normal = (form: ClipForm) =>
    pixels.map((value, i) => {
      const channel = Math.floor(i / 16) % 3;
      return (value - (form.mean[channel] ?? 0)) / (form.std[channel] ?? 1);
    });
  const [from, to]: ClipForm[] = [
    { ...plain, mean: imagenetMean, std: imagenetStd },
    { ...plain, mean: [0.5, 0.4, 0.3], std: [0.5, 0.25, 0.2] },
  ];
  assert.ok(from && to);
  const expected = normal(to);
  const got = resampleClips(clipsFrom(normal(from), 1, from), from, to).data;
  assert.ok(got.every((value, i) => Math.abs(value - (expected[i] ?? Number.NaN)) < 1e-5));
});
