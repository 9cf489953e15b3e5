import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Rng } from '../rng.js';
import { drawTransform } from './augment.js';
import { defaultAugment } from './augmentOptions.js';
import { emptyClips, frameOf } from './clipTensor.js';
import { clipToTensor, type StripPixels } from './clipToTensor.js';
import { type ClipTransform, plainColour, testTransform } from './crop.js';
import { makePreprocess } from './preprocess.js';

const plain = { mean: [0, 0, 0], std: [1, 1, 1] } as const;

function noise(seed: number, frames: number, width: number, height: number): StripPixels {
  const rng = new Rng(['noise', seed]);
  return { width, height, rgb: Uint8Array.from({ length: frames * width * height * 3 }, () => rng.integer(256)) };
}

function whole(width: number, height: number, change: Partial<ClipTransform> = {}): ClipTransform {
  return { box: { x: 0, y: 0, width, height }, flip: false, colour: plainColour, ...change };
}

function mirrored(strip: StripPixels): StripPixels {
  const rgb = new Uint8Array(strip.rgb.length);
  for (let pixel = 0; pixel < rgb.length / 3; pixel++) {
    const x = pixel % strip.width;
    const from = pixel - x + strip.width - 1 - x;
    for (let c = 0; c < 3; c++) rgb[pixel * 3 + c] = strip.rgb[from * 3 + c] as number;
  }
  return { ...strip, rgb };
}

function write(strip: StripPixels, transform: ClipTransform, size: number, frames = [0]): Float32Array {
  const preprocess = makePreprocess({ frames: frames.length, height: size, width: size, ...plain });
  const out = emptyClips(1, preprocess);
  clipToTensor(strip, frames, transform, preprocess, out, 0);
  return out.data;
}

function assertClose(actual: Float32Array, expected: ArrayLike<number>, within: number): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++) {
    const apart = Math.abs((actual[i] as number) - (expected[i] as number));
    assert.ok(apart <= within, `element ${i}: ${actual[i]} against ${expected[i]}`);
  }
}

test('a crop of whole pixels at its own size is copied, channels apart, scaled to one', () => {
  const strip = noise(1, 2, 12, 9);
  const box = { x: 3, y: 1, width: 8, height: 8 };
  const out = write(strip, whole(12, 9, { box }), 8, [1]);
  const expected = Array.from({ length: 3 * 64 }, (_, i) => {
    const [c, y, x] = [Math.floor(i / 64), Math.floor(i / 8) % 8, i % 8];
    return (strip.rgb[((9 + 1 + y) * 12 + 3 + x) * 3 + c] as number) / 255;
  });
  assertClose(out, expected, 1e-6);
});

test('one clip of a batch is written, and nothing else', () => {
  const [frames, batch, size] = [3, 4, 8];
  const preprocess = makePreprocess({ frames, height: size, width: size, ...plain });
  const out = emptyClips(batch, preprocess);
  out.data.fill(-7);
  const rgb = new Uint8Array(5 * 8 * 8 * 3).map((_, i) => Math.floor(i / 192) * 10);
  clipToTensor({ width: 8, height: 8, rgb }, [4, 0, 2], whole(8, 8), preprocess, out, 1);
  for (let t = 0; t < frames; t++) {
    for (let b = 0; b < batch; b++) {
      const value = b === 1 ? ([40, 0, 20][t] as number) / 255 : -7;
      assertClose(frameOf(out, t, b), new Float32Array(192).fill(value), 1e-6);
    }
  }
});

test('mirroring a mirrored strip gives the picture back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 9, max: 40 }), fc.integer({ min: 9, max: 40 }), fc.nat(), (width, height, seed) => {
      const strip = noise(seed, 1, width, height);
      const straight = write(strip, whole(width, height), 11);
      const twice = write(mirrored(strip), whole(width, height, { flip: true }), 11);
      assertClose(twice, straight, 1e-5);
    }),
    { numRuns: 30 },
  );
});

test('any drawn transform of a one-coloured video, however small, leaves that one colour', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 90 }), fc.nat(), (width, height, seed) => {
      const rgb = new Uint8Array(width * height * 3).fill(100);
      const preprocess = makePreprocess({ frames: 1, height: 24, width: 24, resize: 'crop', ...plain });
      const jitterless = { ...defaultAugment, brightness: 0, contrast: 0, saturation: 0 };
      const transform = drawTransform(new Rng([seed]), { width, height }, preprocess, jitterless);
      assertClose(write({ width, height, rgb }, transform, 24), new Float32Array(3 * 576).fill(100 / 255), 1e-5);
    }),
    { numRuns: 100 },
  );
});

test('a ramp stays a ramp when enlarged, and its mean stays when reduced', () => {
  const rgb = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => 4 * (Math.floor(i / 3) % 64));
  const ramp = { width: 64, height: 64, rgb };
  const box = { x: 10, y: 10, width: 20, height: 20 };
  const enlarged = write(ramp, whole(64, 64, { box }), 40);
  for (let x = 1; x < 39; x++) assertClose(enlarged.subarray(x, x + 1), [(4 * (10 + (x + 0.5) / 2 - 0.5)) / 255], 1e-5);
  const reduced = write(ramp, whole(64, 64), 8);
  const mean = reduced.reduce((sum, value) => sum + value, 0) / reduced.length;
  assert.ok(Math.abs(mean - 126 / 255) < 0.003, `mean ${mean}`);
});

test('stripes of one pixel are averaged, not aliased, when reduced four times', () => {
  const rgb = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (Math.floor(i / 3) % 2) * 255);
  const out = write({ width: 64, height: 64, rgb }, whole(64, 64), 16);
  assert.ok(
    out.every((value) => Math.abs(value - 0.5) < 0.07),
    `from ${Math.min(...out)} to ${Math.max(...out)}`,
  );
});

test('colour gains do what their names say', () => {
  const rgb = Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => [200, 100, 50][i % 3] as number);
  const look = (gains: object) => {
    const out = write({ width: 8, height: 8, rgb }, whole(8, 8, { colour: { ...plainColour, ...gains } }), 8);
    return [out[0], out[64], out[128]].map((value) => (value as number) * 255);
  };
  const luma = 0.299 * 200 + 0.587 * 100 + 0.114 * 50;
  assertClose(Float32Array.from(look({ brightness: 0.5 })), [100, 50, 25], 1e-3);
  assertClose(Float32Array.from(look({ contrast: 0.5 })), [163.75, 113.75, 88.75], 1e-3);
  assertClose(Float32Array.from(look({ saturation: 0 })), [luma, luma, luma], 1e-3);
});

test('normalisation subtracts the mean and divides by the deviation', () => {
  const preprocess = makePreprocess({ frames: 1, height: 8, width: 8 });
  const rgb = new Uint8Array(10 * 10 * 3).fill(255);
  const clip = emptyClips(1, preprocess);
  clipToTensor({ width: 10, height: 10, rgb }, [0], testTransform({ width: 10, height: 10 }, preprocess), preprocess, clip, 0);
  const out = clip.data;
  assertClose(Float32Array.of(out[0] as number, out[191] as number), [(1 - 0.485) / 0.229, (1 - 0.406) / 0.225], 1e-5);
});

test('a clip for which there is no room and a frame that is not there are refused', () => {
  const strip = noise(3, 2, 8, 8);
  const preprocess = makePreprocess({ frames: 1, height: 8, width: 8 });
  const out = emptyClips(1, preprocess);
  assert.throws(
    () => clipToTensor(strip, [0, 1], whole(8, 8), preprocess, out, 0),
    /clip 0 of 2 frames: there is room for 1 of 1/,
  );
  assert.throws(() => clipToTensor(strip, [2], whole(8, 8), preprocess, out, 0), /expected 0 to 1, got 2/);
  assert.throws(() => clipToTensor(strip, [0], whole(8, 8), preprocess, out, 1), /clip 1 of 1 frames: there is room for 1 of 1/);
});
