import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Rng } from '../rng.js';
import { type ClipTensor, emptyClips, frameOf } from './clipTensor.js';
import { beta, derangement, type MixOptions, mixClips } from './mixClips.js';
import { tubeMix } from './tubeMix.js';

const [frames, size, edge] = [2, 3, 32];
const image = 3 * edge * edge;

function batch() {
  const clips = emptyClips(size, { frames, height: edge, width: edge });
  for (let b = 0; b < size; b++) for (let t = 0; t < frames; t++) frameOf(clips, t, b).fill(b + 1);
  const targets = new Float32Array(size * size);
  for (let b = 0; b < size; b++) targets[b * size + b] = 1;
  return { clips, targets };
}

/** What share of clip b's pixels, weighted by value, comes from each clip: solved from its mean, as only one partner takes part. */
const meanOf = (clips: ClipTensor, b: number, t: number) => frameOf(clips, t, b).reduce((sum, value) => sum + value, 0) / image;

test('targets are mixed in the proportion of the pixels, in every frame alike, by mixup and by cutmix', () => {
  fc.assert(
    fc.property(fc.nat(), fc.boolean(), (seed, boxes) => {
      const options: MixOptions = { mixup: boxes ? 0 : 0.8, cutmix: boxes ? 1 : 0, mixProb: 1 };
      const mixed = batch();
      mixClips(mixed, new Rng([seed]), options);
      for (let b = 0; b < size; b++) {
        const row = mixed.targets.subarray(b * size, (b + 1) * size);
        assert.ok(Math.abs(row.reduce((sum, value) => sum + value, 0) - 1) < 1e-6);
        const expected = row.reduce((sum, value, k) => sum + value * (k + 1), 0);
        for (let t = 0; t < frames; t++) assert.ok(Math.abs(meanOf(mixed.clips, b, t) - expected) < 1e-3);
      }
    }),
    { numRuns: 40 },
  );
});

test('cutmix pastes, mixup blends: only mixup makes new values', () => {
  const [pasted, blended] = [batch(), batch()];
  mixClips(pasted, new Rng([3]), { mixup: 0, cutmix: 1, mixProb: 1 });
  mixClips(blended, new Rng([3]), { mixup: 1, cutmix: 0, mixProb: 1 });
  assert.ok(new Set(pasted.clips.data).size <= size);
  assert.ok([...new Set(blended.clips.data)].some((value) => !Number.isInteger(value)));
});

test('nothing is mixed without a shape or a chance', () => {
  for (const options of [
    { mixup: 0, cutmix: 0, mixProb: 1 },
    { mixup: 1, cutmix: 1, mixProb: 0 },
  ]) {
    const left = batch();
    mixClips(left, new Rng([1]), options);
    assert.deepEqual(left, batch());
  }
});

test('tubes: whole cells of the partner, the same in all frames, and the share that stays is the share of pixels', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const mixed = batch();
      const partners = [1, 2, 0];
      const kept = tubeMix(mixed.clips, partners, new Rng([seed]));
      partners.forEach((partner, b) => {
        for (let t = 0; t < frames; t++)
          assert.ok(Math.abs(meanOf(mixed.clips, b, t) - (kept * (b + 1) + (1 - kept) * (partner + 1))) < 1e-3);
      });
      const cell = (y: number, x: number) => mixed.clips.data[y * edge + x];
      for (const [y, x] of [
        [0, 0],
        [0, 16],
        [16, 0],
        [16, 16],
      ] as const)
        assert.equal(cell(y + 15, x + 15), cell(y, x));
      assert.ok([0, 0.25, 0.5, 0.75, 1].includes(kept));
    }),
    { numRuns: 30 },
  );
});

test('a derangement gives everyone another partner, once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 20 }), fc.nat(), (count, seed) => {
      const partners = derangement(new Rng([seed]), count);
      assert.deepEqual(
        [...partners].sort((a, b) => a - b),
        [...Array(count).keys()],
      );
      partners.forEach((partner, clip) => {
        assert.notEqual(partner, clip);
      });
    }),
  );
});

test('Beta(a, a) has mean 1/2 and variance 1 / (4 (2 a + 1))', () => {
  for (const a of [0.2, 1, 10]) {
    const rng = new Rng(['beta', a]);
    const drawn = Array.from({ length: 20_000 }, () => beta(rng, a));
    const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
    const variance = drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0) / drawn.length;
    assert.ok(Math.abs(mean - 0.5) < 0.01, `mean ${mean} for ${a}`);
    assert.ok(Math.abs(variance * 4 * (2 * a + 1) - 1) < 0.05, `variance ${variance} for ${a}`);
  }
});
