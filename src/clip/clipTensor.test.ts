import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ClipTensor,
  clipsFrom,
  collateClips,
  emptyClips,
  frameOf,
  joinClips,
  padClips,
  repeatClip,
  takeClips,
  toChannelMajor,
  toClipMajor,
} from './clipTensor.js';

const size = { frames: 3, height: 2, width: 4 };

/** Every value tells where it belongs: clip, frame, channel, row, column. */
const valueAt = (clip: number, t: number, c: number, y: number, x: number) => (((clip * 10 + t) * 10 + c) * 10 + y) * 10 + x;

function clipsOf(...numbers: readonly number[]): ClipTensor {
  const clips = emptyClips(numbers.length, size);
  numbers.forEach((clip, b) => {
    for (let t = 0; t < 3; t++) {
      const frame = frameOf(clips, t, b);
      for (let i = 0; i < 24; i++) frame[i] = valueAt(clip, t, Math.floor(i / 8), Math.floor(i / 4) % 2, i % 4);
    }
  });
  return clips;
}

test('time is outermost: frame t of clip b is image t*B + b', () => {
  const { data } = clipsOf(5, 6);
  assert.equal(data.length, 3 * 2 * 24);
  for (let t = 0; t < 3; t++) for (const b of [0, 1]) assert.equal(data[(t * 2 + b) * 24], valueAt(5 + b, t, 0, 0, 0));
});

test('parts, joints and copies are the same clips in the order asked for', () => {
  const four = clipsOf(1, 2, 3, 4);
  assert.deepEqual(takeClips(four, 1, 2), clipsOf(2, 3));
  assert.equal(takeClips(four, 0, 4), four);
  assert.deepEqual(joinClips([clipsOf(1), clipsOf(2, 3), clipsOf(4)]), four);
  assert.deepEqual(collateClips([2, 0, 2].map((index) => ({ clips: four, index }))), clipsOf(3, 1, 3));
  assert.deepEqual(repeatClip(clipsOf(7), 3), clipsOf(7, 7, 7));
});

test('a batch is made up with zeros at its end', () => {
  const padded = padClips(clipsOf(1, 2), 3);
  assert.deepEqual(takeClips(padded, 0, 2), clipsOf(1, 2));
  assert.deepEqual(takeClips(padded, 2, 1), emptyClips(1, size));
});

test('other orders of the axes', () => {
  const [clips, expected] = [clipsOf(1, 2), { frames: [] as number[], channels: [] as number[] }];
  for (const clip of [1, 2]) {
    for (let t = 0; t < 3; t++)
      for (let c = 0; c < 3; c++) for (let i = 0; i < 8; i++) expected.frames.push(valueAt(clip, t, c, i >> 2, i % 4));
    for (let c = 0; c < 3; c++)
      for (let t = 0; t < 3; t++) for (let i = 0; i < 8; i++) expected.channels.push(valueAt(clip, t, c, i >> 2, i % 4));
  }
  assert.deepEqual(Array.from(toClipMajor(clips)), expected.frames);
  assert.deepEqual(Array.from(toChannelMajor(clips)), expected.channels);
});

test('clips of different sizes do not mix, nor values that are no clips', () => {
  const tall = emptyClips(1, { ...size, height: 3 });
  assert.throws(
    () => joinClips([clipsOf(1), tall]),
    /^RangeError: clips of one batch: expected 3 frames of 2 x 4, got 3 frames of 3 x 4$/,
  );
  assert.throws(() => collateClips([clipsOf(1), tall].map((clips) => ({ clips, index: 0 }))), /got 3 frames of 3 x 4/);
  assert.throws(() => clipsFrom(new Float32Array(71), 1, size), /^RangeError: \[3\*1, 3, 2, 4\]: expected 72 values, got 71$/);
});
