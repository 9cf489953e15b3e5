import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clipsFrom } from './clipTensor.js';
import { pixelClips } from './pixelClips.js';
import { makePreprocess } from './preprocess.js';

test('normalised clips, time outermost, become pixels clip by clip', () => {
  const [frames, size, count] = [3, 8, 2];
  const preprocess = makePreprocess({ frames, height: size, width: size });
  const plane = size * size;
  const pixel = (b: number, t: number, channel: number, i: number) => (b * 101 + t * 37 + channel * 11 + i) % 256;
  const clips = new Float32Array(frames * count * 3 * plane);
  const expected = new Float32Array(clips.length);
  for (let i = 0; i < clips.length; i++) {
    const [b, t, channel, at] = [
      Math.floor(i / plane / 3) % count,
      Math.floor(i / plane / 3 / count),
      Math.floor(i / plane) % 3,
      i % plane,
    ];
    const value = pixel(b, t, channel, at);
    clips[i] = (value / 255 - (preprocess.mean[channel] ?? 0)) / (preprocess.std[channel] ?? 1);
    expected[((b * frames + t) * 3 + channel) * plane + at] = value;
  }
  pixelClips(clipsFrom(clips, count, preprocess), preprocess).forEach((value, i) => {
    assert.ok(Math.abs(value - (expected[i] ?? Number.NaN)) < 1e-3, `at ${i}: ${value}, expected ${expected[i]}`);
  });
});
