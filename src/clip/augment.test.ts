import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as v from 'valibot';
import { Rng } from '../rng.js';
import { drawEffects, drawTimes } from './augment.js';
import { augmentSchema, defaultAugment } from './augmentOptions.js';

const window = { startSec: 1, endSec: 9 };

test('without jitter frames are the centres of equal segments', () => {
  assert.deepEqual(drawTimes(new Rng([0]), window, 4, { ...defaultAugment, jitter: 0 }), [2, 4, 6, 8]);
});

test('times rise, stay in their window, span what was asked for, and are drawn again from the same seed', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 32 }),
      fc.double({ min: 0.2, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(),
      (frames, least, jitter, seed) => {
        const augment = { ...defaultAugment, temporalScale: [least, least] as const, jitter };
        const draw = () => drawTimes(new Rng([seed]), window, frames, augment);
        const times = draw();
        assert.deepEqual(draw(), times);
        times.forEach((timeSec, t) => {
          assert.ok(timeSec >= window.startSec - 1e-9 && timeSec <= window.endSec + 1e-9);
          if (t > 0) assert.ok(timeSec >= (times[t - 1] ?? 0));
        });
        const spannedSec = (times.at(-1) ?? 0) - (times[0] ?? 0);
        const segmentSec = (8 * least) / frames;
        assert.ok(Math.abs(spannedSec - (frames - 1) * segmentSec) <= jitter * segmentSec + 1e-9);
      },
    ),
  );
});

test('warped clips show 2 or 4 moments in their order', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const times = drawTimes(new Rng([seed]), window, 8, { ...defaultAugment, temporalWarp: 1 });
      const kept = new Set(times);
      assert.equal(times.length, 8);
      assert.ok(kept.size === 2 || kept.size === 4, `${kept.size} moments`);
      assert.deepEqual(
        times,
        [...times].sort((a, b) => a - b),
      );
    }),
  );
});

test('one effect switched on leaves the others as they were', () => {
  const augment = v.parse(augmentSchema, { operations: 2, randomErasing: 1 });
  const [both, alone] = [augment, { ...augment, operations: 0 }].map((chosen) => drawEffects(new Rng([5]), chosen));
  assert.equal(both?.operations.length, 2);
  assert.equal(alone?.operations.length, 0);
  assert.deepEqual(alone?.erased, both?.erased);
  assert.ok((both?.erased?.width ?? 0) * (both?.erased?.height ?? 0) <= 0.2 + 1e-9);
  assert.equal(drawEffects(new Rng([5]), defaultAugment).erased, undefined);
});
