import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Rng } from '../rng.js';
import { drawTransform, sidedLabels } from './augment.js';
import { defaultAugment } from './augmentOptions.js';
import type { FrameShape } from './clipShape.js';
import { type Box, pictureOf, testTransform } from './crop.js';
import { makePreprocess, resizes } from './preprocess.js';

const sides = fc.integer({ min: 16, max: 400 });

function assertInside(box: Box, frame: FrameShape): void {
  assert.ok(box.x >= 0 && box.y >= 0 && box.width > 0 && box.height > 0, JSON.stringify(box));
  assert.ok(box.x + box.width <= frame.width + 1e-9 && box.y + box.height <= frame.height + 1e-9, JSON.stringify({ box, frame }));
}

test('the centre crop is square, centred, and S pixels wide in a strip of the right size', () => {
  const preprocess = makePreprocess({ frames: 8, height: 96, width: 96, resize: 'crop' });
  assert.equal(preprocess.shortSide, 110);
  assert.deepEqual(testTransform({ width: 196, height: 110 }, preprocess).box, { x: 50, y: 7, width: 96, height: 96 });
  const small = testTransform({ width: 55, height: 60 }, preprocess).box;
  assert.deepEqual(small, { x: 3.5, y: 6, width: 48, height: 48 });
});

test('three crops run along the longer side from edge to edge', () => {
  const preprocess = makePreprocess({ frames: 8, height: 96, width: 96, resize: 'crop' });
  const boxes = [0, 1, 2].map((crop) => testTransform({ width: 110, height: 200 }, preprocess, crop, 3).box);
  assert.deepEqual(
    boxes.map(({ x, y }) => [x, y]),
    [
      [7, 0],
      [7, 52],
      [7, 104],
    ],
  );
  assert.throws(() => testTransform({ width: 9, height: 9 }, preprocess, 0, 2), /expected 1 or 3, got 2/);
});

test('squeezed frames are used whole and have one crop', () => {
  const preprocess = makePreprocess({ frames: 8, height: 96, width: 96, resize: 'stretch' });
  assert.deepEqual(testTransform({ width: 96, height: 96 }, preprocess).box, { x: 0, y: 0, width: 96, height: 96 });
  assert.throws(() => testTransform({ width: 96, height: 96 }, preprocess, 0, 3), /one crop/);
});

test('drawn boxes lie in the frame and have the drawn area and aspect, trimmed to the frame', () => {
  const preprocess = makePreprocess({ frames: 8, height: 96, width: 96, resize: 'crop' });
  fc.assert(
    fc.property(sides, sides, fc.nat(), (width, height, seed) => {
      const { box } = drawTransform(new Rng([seed]), { width, height }, preprocess, defaultAugment);
      assertInside(box, { width, height });
      const share = (box.width * box.height) / Math.min(width, height) ** 2;
      assert.ok(share > 0.4 * 0.75 && share <= 1 + 1e-9, `share ${share}`);
      const aspect = box.width / box.height;
      assert.ok(aspect > 0.74 && aspect < 1.34, `aspect ${aspect}`);
    }),
  );
});

test('the same seed draws the same transform; forbidding mirrors changes nothing else', () => {
  const frame = { width: 120, height: 90 };
  let mirrors = 0;
  for (let seed = 0; seed < 100; seed++) {
    const draw = (flip: boolean) =>
      drawTransform(new Rng([seed]), frame, makePreprocess({ frames: 8, height: 64, width: 64, flip }), defaultAugment);
    const free = draw(true);
    assert.deepEqual(draw(true), free);
    assert.deepEqual(draw(false), { ...free, flip: false });
    mirrors += Number(free.flip);
  }
  assert.ok(mirrors > 30 && mirrors < 70, `${mirrors} of 100 mirrored`);
});

test('a whole frame is seen with its aspect kept: the box is the smallest one around it', () => {
  const preprocess = makePreprocess({ frames: 8, height: 64, width: 128 });
  assert.deepEqual(testTransform({ width: 120, height: 90 }, preprocess).box, { x: -30, y: 0, width: 180, height: 90 });
  assert.deepEqual(testTransform({ width: 300, height: 100 }, preprocess).box, { x: 0, y: -25, width: 300, height: 150 });
  assert.throws(() => testTransform({ width: 9, height: 9 }, preprocess, 0, 3), /"fit" there is one crop, the whole frame/);
});

test('a crop has the shape of the network, inside the frame and less its margin', () => {
  const preprocess = makePreprocess({ frames: 8, height: 64, width: 128, shortSide: 80, resize: 'crop' });
  assert.deepEqual(testTransform({ width: 240, height: 80 }, preprocess).box, { x: 56, y: 8, width: 128, height: 64 });
  assert.deepEqual(testTransform({ width: 160, height: 200 }, preprocess).box, { x: 16, y: 68, width: 128, height: 64 });
});

test("drawn boxes of any form lie in what may be seen and have about the network's aspect", () => {
  fc.assert(
    fc.property(sides, sides, fc.nat(), fc.constantFrom(...resizes), (width, height, seed, resize) => {
      const preprocess = makePreprocess({ frames: 8, height: 48, width: 96, resize });
      const { box } = drawTransform(new Rng([seed]), { width, height }, preprocess, defaultAugment);
      const picture = pictureOf({ width, height }, preprocess);
      const margin = preprocess.shortSide / 48;
      const around = { x: picture.x - ((margin - 1) * picture.width) / 2, y: picture.y - ((margin - 1) * picture.height) / 2 };
      const padded = { ...around, width: margin * picture.width, height: margin * picture.height };
      const room = resize === 'fit' ? padded : { x: 0, y: 0, width, height };
      assertInside(
        { ...box, x: box.x - room.x + 1e-9, y: box.y - room.y + 1e-9 },
        { width: room.width + 2e-9, height: room.height + 2e-9 },
      );
      const aspect = (box.width / box.height / picture.width) * picture.height;
      assert.ok(aspect > 0.74 && aspect < 1.34, `${resize}: aspect ${aspect}`);
    }),
  );
});

test('labels that name a side are found', () => {
  const labels = ['swipe left', 'swipeRight', 'TURN_LEFT', 'brighten', 'leftovers', 'left-hand wave', 'jump'];
  assert.deepEqual(sidedLabels(labels), ['swipe left', 'swipeRight', 'TURN_LEFT', 'left-hand wave']);
});
