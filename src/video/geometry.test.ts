import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LimitError, VideoError } from '../errors.js';
import { displaySize, filterChain, orientationOf, outputSize, upright } from './geometry.js';

const matrix = (a: number, b: number, c: number, d: number) => [a * 65536, b * 65536, 0, c * 65536, d * 65536, 0, 0, 0, 1 << 30];

describe('geometry', () => {
  it('reads quarter turns and mirrors from the display matrix', () => {
    assert.deepEqual(orientationOf('a', undefined), upright);
    assert.deepEqual(orientationOf('a', matrix(1, 0, 0, 1)), { rotationDeg: 0, mirrored: false });
    // A phone held upright: the sensor's x axis points down on the screen.
    assert.deepEqual(orientationOf('a', matrix(0, 1, -1, 0)), { rotationDeg: 90, mirrored: false });
    assert.deepEqual(orientationOf('a', matrix(-1, 0, 0, -1)), { rotationDeg: 180, mirrored: false });
    assert.deepEqual(orientationOf('a', matrix(0, -1, 1, 0)), { rotationDeg: 270, mirrored: false });
    assert.deepEqual(orientationOf('a', matrix(-1, 0, 0, 1)), { rotationDeg: 0, mirrored: true });
    assert.deepEqual(orientationOf('a', matrix(1, 0, 0, -1)), { rotationDeg: 180, mirrored: true });
    assert.throws(() => orientationOf('a.mp4', matrix(0.7, 0.7, -0.7, 0.7)), VideoError);
  });

  it('shows square pixels: aspect, then turn', () => {
    assert.deepEqual(displaySize({ width: 720, height: 576 }, 16 / 15, upright), { width: 768, height: 576 });
    assert.deepEqual(displaySize({ width: 720, height: 576 }, 16 / 15, { rotationDeg: 90, mirrored: false }), {
      width: 576,
      height: 768,
    });
  });

  it('sizes by the shorter side, enlarging only when told', () => {
    assert.deepEqual(outputSize('a', { width: 340, height: 256 }, { shortSide: 128 }), { width: 170, height: 128 });
    assert.deepEqual(outputSize('a', { width: 101, height: 333 }, { shortSide: 50 }), { width: 50, height: 165 });
    assert.deepEqual(outputSize('a', { width: 64, height: 48 }, { shortSide: 128 }), { width: 64, height: 48 });
    assert.deepEqual(outputSize('a', { width: 64, height: 48 }, { shortSide: 96, enlarge: true }), { width: 128, height: 96 });
    assert.deepEqual(outputSize('a', { width: 64, height: 48 }, { width: 7, height: 9 }), { width: 7, height: 9 });
    for (const side of [0, -1, 1.5, Number.NaN, 1e9]) {
      assert.throws(() => outputSize('a', { width: 64, height: 48 }, { width: side, height: 9 }), LimitError);
    }
  });

  it('scales before it turns', () => {
    assert.equal(
      filterChain({ width: 90, height: 160 }, { rotationDeg: 90, mirrored: false }),
      'scale=160:90:flags=bicubic,format=rgb24,transpose=clock',
    );
  });
});
