import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyClips } from '../clip/clipTensor.js';
import {
  type Attention,
  attentionAt,
  attentionFacts,
  attentionOfTokens,
  leastOverlap,
  meanAttention,
  motionOf,
  overlap,
} from './attentionMaps.js';

function attention(values: readonly number[], frames: number, height: number, width: number, stride = 8): Attention {
  return { frames, height, width, stride, values: Float32Array.from(values) };
}

const close = (got: number, expected: number, what: string) =>
  assert.ok(Math.abs(got - expected) < 1e-6, `${what}: ${got}, expected ${expected}`);

test('maps of several tokens are told apart', () => {
  const [first, second] = attentionOfTokens(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), [2, 2, 1, 2], 4);
  assert.deepEqual([...(first?.values ?? [])], [1, 2, 5, 6]);
  assert.deepEqual([...(second?.values ?? [])], [3, 4, 7, 8]);
});

test('facts: shares of frames, half of it, peak', () => {
  const even = attentionFacts(attention(Array<number>(8).fill(1 / 8), 2, 2, 2));
  assert.deepEqual(even.timeShare, [0.5, 0.5]);
  close(even.halfOn, 0.5, 'half of an even map');
  const one = attentionFacts(attention([0, 0, 0, 0, 0, 0, 0, 1], 2, 2, 2));
  assert.deepEqual(one.timeShare, [0, 1]);
  close(one.halfOn, 0.5 / 8, 'half of a single position');
  assert.deepEqual(one.peak, { frame: 1, x: 0.5, y: 0.5 });
  close(attentionFacts(attention([0.4, 0.4, 0.2, 0], 1, 2, 2)).halfOn, 1.25 / 4, 'a position and a quarter');
});

test('between positions attention is bilinear, and position i is centred on pixel i * stride', () => {
  const map = attention([0.1, 0.2, 0.3, 0.4], 1, 2, 2);
  close(attentionAt(map, 0, 0, 0), 0.1, 'on a position');
  close(attentionAt(map, 0, 8, 8), 0.4, 'on the last');
  close(attentionAt(map, 0, 4, 4), 0.25, 'in the middle');
  close(attentionAt(map, 0, -3, 30), 0.3, 'beyond the border');
});

test('the mean of maps of different grids sums to 1 and keeps the place', () => {
  const coarse = attention([0, 0, 0, 1], 1, 2, 2, 16);
  const fine = attention([...Array<number>(15).fill(0), 1], 1, 4, 4, 8);
  const mean = meanAttention([coarse, fine]);
  assert.deepEqual([mean.height, mean.width, mean.stride], [4, 4, 8]);
  close(
    mean.values.reduce((sum, value) => sum + value, 0),
    1,
    'sum',
  );
  assert.deepEqual(attentionFacts(mean).peak, { frame: 0, x: 0.75, y: 0.75 });
  assert.ok((mean.values[10] ?? 0) > 0 && mean.values[0] === 0, 'a coarse position reaches to its neighbours and no further');
});

test('overlap is what two maps share', () => {
  const [a, b] = [attention([0.5, 0.5, 0, 0], 1, 2, 2), attention([0.5, 0, 0.5, 0], 1, 2, 2)];
  close(overlap(a, b), 0.5, 'half');
  close(leastOverlap([a, a, b]), 0.5, 'the two most different ones');
  close(leastOverlap([a]), 1, 'one alone');
});

test('motion: 1 where nobody looks for it, more where the picture changes, absent in a still', () => {
  const size = 16;
  const clip = emptyClips(1, { frames: 2, height: size, width: size });
  for (let i = 0; i < 4; i++) clip.data[3 * size * size + i] = 1;
  const motion = motionOf(clip);
  const even = attentionFacts(attention(Array<number>(8).fill(1 / 8), 2, 2, 2), motion);
  close(even.motion ?? 0, 1, 'even');
  const there = attentionFacts(attention([1, 0, 0, 0, 0, 0, 0, 0], 2, 2, 2), motion);
  close(there.motion ?? 0, 4, 'at one of four positions');
  close(attentionFacts(attention([0, 0, 0, 1, 0, 0, 0, 0], 2, 2, 2), motion).motion ?? 9, 0, 'elsewhere');
  assert.equal(
    attentionFacts(attention([1, 0, 0, 0], 1, 2, 2), motionOf(emptyClips(1, { ...clip, frames: 1 }))).motion,
    undefined,
  );
  assert.equal(attentionFacts(attention([1, 0, 0, 0], 1, 2, 2), motionOf(emptyClips(1, clip))).motion, undefined);
});
