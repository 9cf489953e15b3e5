import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { Rng } from '../rng.js';
import { type ActionClass, actionClasses, reversedPairs } from './actions.js';
import { type ClipOptions, drawClip } from './clip.js';
import { contactSheet } from './contactSheet.js';
import { convexHull } from './paint.js';
import { renderClip } from './render.js';

const options: ClipOptions = { width: 160, height: 128, frameRate: 16, difficulty: 0.5 };

function frames(action: ActionClass, seed: number, change: Partial<ClipOptions> = {}): Uint8Array[] {
  const clip = drawClip(action, new Rng([seed]), { ...options, ...change });
  return [...renderClip(clip)].map((frame) => frame.slice());
}

const hash = (all: readonly Uint8Array[]): string => {
  const digest = createHash('sha256');
  for (const frame of all) digest.update(frame);
  return digest.digest('hex');
};

/** Share of pixels that differ clearly. */
function changed(a: Uint8Array, b: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < a.length; i += 4) if (Math.abs((a[i + 1] ?? 0) - (b[i + 1] ?? 0)) > 24) count++;
  return (4 * count) / a.length;
}

describe('renderClip', () => {
  for (const action of actionClasses) {
    test(`${action}: opaque frames of the asked size in which something moves`, () => {
      const all = frames(action, 3);
      assert.ok(all.length >= 24);
      for (const frame of all) {
        assert.equal(frame.length, 160 * 128 * 4);
        assert.ok(frame.every((value, i) => i % 4 !== 3 || value === 255));
      }
      const [first] = all;
      assert.ok(first !== undefined);
      const most = Math.max(...all.map((frame) => changed(first, frame)));
      assert.ok(most > 0.02, `only ${(100 * most).toFixed(1)} % of the picture ever changes`);
    });
  }

  test('the same stream gives the same pixels, another stream others', () => {
    assert.equal(hash(frames('kick', 1)), hash(frames('kick', 1)));
    assert.notEqual(hash(frames('kick', 1)), hash(frames('kick', 2)));
  });

  test('with a still camera and no grain, a pair shows the very same pictures in opposite order', () => {
    for (const [forwards, backwards] of reversedPairs) {
      const first = frames(forwards, 5, { difficulty: 0 });
      const second = frames(backwards, 5, { difficulty: 0 });
      assert.equal(hash(second), hash(first.reverse()));
    }
  });

  test('other sizes and rates', () => {
    const small = frames('bow', 4, { width: 64, height: 96, frameRate: 8 });
    assert.ok(small.length >= 12 && small.length <= 20);
    assert.ok(small.every((frame) => frame.length === 64 * 96 * 4));
  });
});

test('contactSheet: a PNG with a row for each class', () => {
  const png = contactSheet({
    ...options,
    width: 40,
    height: 32,
    seed: 1,
    classes: ['walk', 'kick'],
    rowsPerClass: 2,
    columns: 3,
  });
  assert.deepEqual([...png.subarray(1, 4)], [...Buffer.from('PNG')]);
  assert.equal(png.readUInt32BE(20), 4 * 34);
});

test('convexHull: corners only, always in the same direction of turn', () => {
  const hull = convexHull([
    [0, 0],
    [2, 0],
    [1, 1],
    [2, 2],
    [0, 2],
    [1, 0],
  ]);
  assert.deepEqual(hull, [
    [0, 0],
    [2, 0],
    [2, 2],
    [0, 2],
  ]);
});
