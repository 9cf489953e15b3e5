import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { frameForm, frameForms, pictureSize } from './pictureSize.js';

const wide = { width: 1920, height: 1080 };
const tall = { width: 1080, height: 1920 };

test('the picture takes the shape of the videos, at no more pixels than the square', () => {
  assert.deepEqual(pictureSize([wide], 112 ** 2), { height: 80, width: 144 });
  assert.deepEqual(pictureSize([tall], 112 ** 2), { height: 144, width: 80 });
  assert.deepEqual(pictureSize([{ width: 640, height: 480 }], 112 ** 2), { height: 96, width: 128 });
  assert.deepEqual(pictureSize([{ width: 64, height: 64 }], 96 ** 2), { height: 96, width: 96 });
});

test('mixed orientations: the common one where there is one, else a square', () => {
  assert.deepEqual(pictureSize([wide, wide, wide, wide, wide, tall], 112 ** 2), { height: 80, width: 144 });
  assert.deepEqual(pictureSize([wide, tall], 112 ** 2), { height: 112, width: 112 });
});

test('of any videos: sides in steps of 16, affordable, and no other affordable rectangle shows more of one shape', () => {
  const side = fc.integer({ min: 32, max: 2000 });
  fc.assert(
    fc.property(side, side, fc.constantFrom(96, 112, 160), (width, height, edge) => {
      const chosen = pictureSize([{ width, height }], edge ** 2);
      assert.ok(chosen.height % 16 === 0 && chosen.width % 16 === 0 && chosen.height * chosen.width <= edge ** 2);
      const scale = (h: number, w: number) => Math.min(h / height, w / width);
      for (let h = 16; h <= edge ** 2 / 16; h += 16)
        for (let w = 16; h * w <= edge ** 2; w += 16)
          assert.ok(scale(h, w) <= scale(chosen.height, chosen.width) * (1 + 1e-6), `${h}x${w} shows more`);
    }),
    { numRuns: 30 },
  );
});

test('frames are seen whole where a middle square would hide more than a third of them', () => {
  const square = { height: 112, width: 112 };
  const of = (width: number, height: number) => ({ width, height });
  const { reason: _, ...four } = frameForm([of(640, 480), of(640, 480), wide], square);
  assert.deepEqual(four, { ...square, resize: 'crop' });
  const { reason, ...sixteen } = frameForm([wide, tall, wide], square);
  assert.deepEqual(sixteen, { ...pictureSize([wide, tall, wide], 112 ** 2), resize: 'fit' });
  assert.match(reason, /hides 44 %/);
});

test('a resize that was asked for stays; no videos leave the size as it is', () => {
  const square = { height: 96, width: 96 };
  assert.equal(frameForm([{ width: 640, height: 480 }], square, 'fit').resize, 'fit');
  assert.equal(frameForm([wide], square, 'crop').width, 96);
  assert.equal(frameForm([], square).height, 96);
});

test('every way to see the videos is offered, the usual one first, and only one for squares', () => {
  const square = { height: 112, width: 112 };
  const wide = { width: 1280, height: 720 };
  const forms = frameForms([wide, wide], square);
  assert.deepEqual(
    forms.map(({ resize }) => resize),
    ['fit', 'crop', 'stretch'],
  );
  for (const { height, width } of forms) assert.ok(height * width <= 112 * 112);
  assert.deepEqual(
    frameForms([{ width: 640, height: 480 }], square).map(({ resize }) => resize),
    ['crop', 'fit', 'stretch'],
  );
  assert.deepEqual(
    frameForms([{ width: 500, height: 490 }], square).map(({ resize }) => resize),
    ['crop'],
  );
});
