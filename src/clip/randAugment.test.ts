import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Rng } from '../rng.js';
import { type AugmentOperation, applyOperations, drawOperations, type OperationName, operationNames } from './randAugment.js';

const [width, height] = [6, 4];
const bytes = width * height * 3;
const random = new Rng(['pixels']);
const one = Uint8Array.from({ length: bytes }, () => random.integer(256));
const strip = { width, height, rgb: Uint8Array.from([...one, ...one]) };
const apply = (...operations: AugmentOperation[]) => applyOperations(strip, [0, 1], operations).rgb;

test('every operation treats all frames alike, keeps their size, and leaves the strip as it was', () => {
  const before = strip.rgb.slice();
  fc.assert(
    fc.property(fc.constantFrom(...operationNames), fc.double({ min: -1, max: 1, noNaN: true }), (name, magnitude) => {
      const rgb = apply({ name, magnitude });
      assert.equal(rgb.length, 2 * bytes);
      assert.deepEqual(rgb.subarray(0, bytes), rgb.subarray(bytes));
      assert.deepEqual(strip.rgb, before);
    }),
  );
});

test('magnitude 0 changes nothing, except where an operation has no strength', () => {
  const without: readonly OperationName[] = ['autoContrast', 'equalize'];
  for (const name of operationNames.filter((name) => !without.includes(name))) {
    assert.deepEqual(apply({ name, magnitude: 0 }), strip.rgb, name);
  }
});

test('known values: solarize, posterize, shifts, contrast stretched', () => {
  const grey = (values: number[]) => ({
    width: values.length,
    height: 2,
    rgb: Uint8Array.from([...values, ...values].flatMap((v) => [v, v, v])),
  });
  const row = (values: number[], name: OperationName, magnitude: number) => {
    const { rgb } = applyOperations(grey(values), [0], [{ name, magnitude }]);
    return values.map((_, i) => rgb[3 * i]);
  };
  assert.deepEqual(row([0, 127, 128, 255], 'solarize', 0.5), [0, 127, 127, 0]);
  assert.deepEqual(row([0, 17, 250], 'posterize', 1), [0, 16, 240]);
  assert.deepEqual(row([50, 100, 200], 'autoContrast', 0), [0, 85, 255]);
  // A third of 10 pixels is 3: what lay 3 to the right comes here, grey comes in.
  assert.deepEqual(row([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 'shiftX', 1), [3, 4, 5, 6, 7, 8, 9, 128, 128, 128]);
});

test('frames are taken in the order asked for', () => {
  const two = { width, height, rgb: Uint8Array.from([...one, ...one.map((value) => 255 - value)]) };
  const { rgb } = applyOperations(two, [1, 0, 1], [{ name: 'identity', magnitude: 0 }]);
  assert.equal(rgb.length, 3 * bytes);
  assert.deepEqual(rgb.subarray(bytes, 2 * bytes), one);
});

test('operations are drawn from the seed, of either sign, about their magnitude', () => {
  const drawn = drawOperations(new Rng([1]), 400, 0.5);
  assert.deepEqual(drawOperations(new Rng([1]), 400, 0.5), drawn);
  assert.equal(new Set(drawn.map(({ name }) => name)).size, operationNames.length);
  const strengths = drawn.map(({ magnitude }) => Math.abs(magnitude));
  assert.ok(Math.abs(strengths.reduce((a, b) => a + b) / 400 - 0.5) < 0.02);
  assert.ok(drawn.some(({ magnitude }) => magnitude < 0) && drawn.some(({ magnitude }) => magnitude > 0));
});
