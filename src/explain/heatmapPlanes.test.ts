import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heatmapColour, layHeat } from './heatmapColours.js';
import { heatBetween, heatmapPlanes } from './heatmapPlanes.js';

const luma = ([r, g, b]: readonly number[]) => 0.299 * (r ?? 0) + 0.587 * (g ?? 0) + 0.114 * (b ?? 0);

test('the colours get lighter all the way, and end where the scale ends', () => {
  const steps = Array.from({ length: 50 }, (_, i) => luma(heatmapColour(i / 49)));
  for (let i = 1; i < steps.length; i++) assert.ok((steps[i] ?? 0) > (steps[i - 1] ?? 0), `step ${i}`);
  assert.deepEqual(heatmapColour(-1), [0, 0, 4]);
  assert.deepEqual(heatmapColour(7), [252, 255, 164]);
});

test('heat is laid over grey: more colour where it is hotter, alpha as it was', () => {
  const rgba = Uint8ClampedArray.of(200, 0, 0, 255, 200, 0, 0, 9);
  layHeat(rgba, 2, (x) => x);
  const [r = 0, g = 0, b = 0, a = 0] = rgba;
  assert.ok(Math.abs(r - g) < 2 && Math.abs(g - b) < 4, `cold: grey, got ${r} ${g} ${b}`);
  assert.ok((rgba[4] ?? 0) > 200 && (rgba[5] ?? 0) > 200, 'hot: the last colour');
  assert.deepEqual([a, rgba[7]], [255, 9]);
});

test('a position shows where its kernels are centred: pixel i * stride of the square', () => {
  const values = new Float32Array(2 * 4 * 4);
  values[16 + 4 + 2] = 1; // frame 1, row 1, column 2
  const { planes } = heatmapPlanes({ frames: 2, height: 4, width: 4, stride: 8, values }, { height: 32, width: 32 }, 64, 64);
  const plane = planes[1] ?? new Float32Array();
  const brightest = plane.reduce((best, value, i) => (value > (plane[best] ?? 0) ? i : best), 0);
  // Pixels 16 and 8 of 32 are pixels 32..33 and 16..17 of 64.
  assert.ok([32, 33].includes(brightest % 64) && [16, 17].includes(Math.floor(brightest / 64)), `${brightest}`);
  assert.ok((planes[0] ?? []).every((value) => value === 0));
});

test('a token that looks everywhere alike shows faintly, not as if all of it mattered', () => {
  const { planes, top } = heatmapPlanes(
    { frames: 1, height: 2, width: 2, stride: 8, values: new Float32Array(4).fill(0.25) },
    { height: 16, width: 16 },
    4,
    4,
  );
  assert.equal(top, 4);
  assert.ok((planes[0] ?? []).every((value) => Math.abs(value - 0.25) < 1e-6));
});

test('between sampled moments heat goes evenly from one to the next', () => {
  const heat = { planes: [Float32Array.of(0), Float32Array.of(1), Float32Array.of(3)], top: 4 };
  const at = (sec: number) => heatBetween(heat, [1, 2, 4], sec)(0);
  assert.deepEqual([0, 1, 1.5, 2, 3, 4, 9].map(at), [0, 0, 0.5, 1, 2, 3, 3]);
});
