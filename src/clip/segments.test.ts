import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Rng } from '../rng.js';
import { denseWindows, slotsOf, uniformSegments, usedWindow } from './segments.js';

const seconds = (min: number, max: number) => fc.double({ min, max, noNaN: true });

test('centres of equal segments', () => {
  const { timesSec, window } = uniformSegments({ frames: 4, durationSec: 9, fromSec: 1 });
  assert.deepEqual(timesSec, [2, 4, 6, 8]);
  assert.deepEqual(window, { fromSec: 1, toSec: 9, whole: false });
});

test('jitter stays within its segment, differs, and is drawn again from the same seed', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 32 }), seconds(0.1, 500), fc.nat(), (frames, durationSec, seed) => {
      const draw = () => uniformSegments({ frames, durationSec, rng: new Rng(['jitter', seed]) }).timesSec;
      const times = draw();
      assert.deepEqual(draw(), times);
      const segmentSec = durationSec / frames;
      times.forEach((timeSec, t) => {
        assert.ok(timeSec >= t * segmentSec - 1e-9 && timeSec <= (t + 1) * segmentSec + 1e-9);
      });
    }),
  );
  const [one, two] = [1, 2].map((seed) => uniformSegments({ frames: 8, durationSec: 8, rng: new Rng([seed]) }).timesSec);
  assert.notDeepEqual(one, two);
});

test('a video shorter than the start is used whole, and says so', () => {
  const { timesSec, window } = uniformSegments({ frames: 2, durationSec: 0.4, fromSec: 0.5 });
  assert.deepEqual(timesSec, [0.1, 0.30000000000000004]);
  assert.deepEqual(window, { fromSec: 0, toSec: 0.4, whole: true });
  assert.equal(usedWindow(0.52, 0.5, { frameRate: 25 }).whole, true);
  assert.equal(usedWindow(0.58, 0.5, { frameRate: 25 }).whole, false);
  assert.equal(usedWindow(0.4, 0).whole, false);
});

test('centres fall into their own slots, and every time into a slot that exists', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 16 }), seconds(0.1, 100), (frames, durationSec) => {
      const { timesSec, window } = uniformSegments({ frames, durationSec });
      assert.deepEqual(
        slotsOf(timesSec, window, frames),
        timesSec.map((_, t) => t),
      );
    }),
  );
  assert.deepEqual(slotsOf([-1, 0, 3, 99], { fromSec: 0, toSec: 3 }, 6), [0, 0, 5, 5]);
  assert.deepEqual(slotsOf([0], { fromSec: 0, toSec: 0 }, 6), [0]);
});

test('dense windows have one length, step by the stride at most, and end with the video', () => {
  fc.assert(
    fc.property(
      seconds(0.5, 200),
      seconds(0.5, 20),
      seconds(0.1, 20),
      seconds(0, 5),
      (durationSec, windowSec, strideSec, fromSec) => {
        const windows = denseWindows({ durationSec, windowSec, strideSec, fromSec });
        const last = windows.at(-1);
        assert.ok(last !== undefined && Math.abs(last.toSec - durationSec) < 1e-6);
        windows.slice(1).forEach((window, i) => {
          const before = windows[i]?.fromSec ?? Number.NaN;
          assert.ok(window.fromSec > before && window.fromSec - before <= strideSec * 1.0011);
          assert.ok(Math.abs(window.toSec - window.fromSec - windowSec) < 1e-6);
        });
      },
    ),
  );
});

test('dense windows of a known video', () => {
  const starts = (durationSec: number) =>
    denseWindows({ durationSec, windowSec: 2, strideSec: 1, fromSec: 0.5 }).map((window) => window.fromSec);
  assert.deepEqual(starts(5), [0.5, 1.5, 2.5, 3]);
  assert.deepEqual(starts(4.5), [0.5, 1.5, 2.5]);
  assert.deepEqual(starts(1), [0.5]);
  assert.deepEqual(denseWindows({ durationSec: 0.3, windowSec: 2, strideSec: 1, fromSec: 0.5 }), [
    { fromSec: 0, toSec: 0.3, whole: true },
  ]);
  assert.throws(() => denseWindows({ durationSec: 3, windowSec: 0, strideSec: 1 }), /above 0 s, got 0 and 1/);
});
