import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { denseWindows, slotsOf, usedWindow } from './temporalSampling.js';

const from0 = { firstFrameSec: 0 };
const seconds = (min: number, max: number) => fc.double({ min, max, noNaN: true });

test('a video shorter than the start is used whole, and says so', () => {
  assert.deepEqual(usedWindow({ ...from0, durationSec: 9 }, 1), { startSec: 1, endSec: 9, whole: false });
  assert.deepEqual(usedWindow({ ...from0, durationSec: 0.4 }, 0.5), { startSec: 0, endSec: 0.4, whole: true });
  assert.equal(usedWindow({ ...from0, durationSec: 0.52, frameRate: 25 }, 0.5).whole, true);
  assert.equal(usedWindow({ ...from0, durationSec: 0.58, frameRate: 25 }, 0.5).whole, false);
  assert.equal(usedWindow({ ...from0, durationSec: 0.4 }, 0).whole, false);
});

test('a picture that begins after the sound is sampled from its first frame', () => {
  const late = { firstFrameSec: 2, durationSec: 9 };
  assert.deepEqual(usedWindow(late, 0), { startSec: 2, endSec: 11, whole: false });
  assert.deepEqual(usedWindow(late, 0.5), { startSec: 2.5, endSec: 11, whole: false });
  assert.deepEqual(usedWindow({ ...late, durationSec: 0.4 }, 0.5), { startSec: 2, endSec: 2.4, whole: true });
  const starts = denseWindows({ ...late, windowSec: 4, strideSec: 2, startSec: 0.5 }).map(({ startSec }) => startSec);
  assert.deepEqual(starts, [2.5, 4.5, 6.5, 7]);
});

test('centres fall into their own slots, and every time into a slot that exists', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 16 }), seconds(0.1, 100), (frames, durationSec) => {
      const timesSec = Array.from({ length: frames }, (_, t) => ((t + 0.5) * durationSec) / frames);
      assert.deepEqual(
        slotsOf(timesSec, { startSec: 0, endSec: durationSec }, frames),
        timesSec.map((_, t) => t),
      );
    }),
  );
  assert.deepEqual(slotsOf([-1, 0, 3, 99], { startSec: 0, endSec: 3 }, 6), [0, 0, 5, 5]);
  assert.deepEqual(slotsOf([0], { startSec: 0, endSec: 0 }, 6), [0]);
});

test('dense windows have one length, step by the stride at most, and end with the video', () => {
  fc.assert(
    fc.property(
      seconds(0.5, 200),
      seconds(0.5, 20),
      seconds(0.1, 20),
      seconds(0, 5),
      (durationSec, windowSec, strideSec, startSec) => {
        const windows = denseWindows({ ...from0, durationSec, windowSec, strideSec, startSec });
        const last = windows.at(-1);
        assert.ok(last !== undefined && Math.abs(last.endSec - durationSec) < 1e-6);
        windows.slice(1).forEach((window, i) => {
          const before = windows[i]?.startSec ?? Number.NaN;
          assert.ok(window.startSec > before && window.startSec - before <= strideSec * 1.0011);
          assert.ok(Math.abs(window.endSec - window.startSec - windowSec) < 1e-6);
        });
      },
    ),
  );
});

test('dense windows of a known video', () => {
  const starts = (durationSec: number) =>
    denseWindows({ ...from0, durationSec, windowSec: 2, strideSec: 1, startSec: 0.5 }).map((window) => window.startSec);
  assert.deepEqual(starts(5), [0.5, 1.5, 2.5, 3]);
  assert.deepEqual(starts(4.5), [0.5, 1.5, 2.5]);
  assert.deepEqual(starts(1), [0.5]);
  assert.deepEqual(denseWindows({ ...from0, durationSec: 0.3, windowSec: 2, strideSec: 1, startSec: 0.5 }), [
    { startSec: 0, endSec: 0.3, whole: true },
  ]);
  assert.throws(() => denseWindows({ ...from0, durationSec: 3, windowSec: 0, strideSec: 1 }), /above 0 s, got 0 and 1/);
});
