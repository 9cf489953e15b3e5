/** Where pixels of the frame lie in the network's picture, for frames and pictures of any shape. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { emptyClips } from './clipTensor.js';
import { clipToTensor } from './clipToTensor.js';
import { plainColour, testTransform } from './crop.js';
import { makePreprocess, type Preprocess } from './preprocess.js';

const side = fc.integer({ min: 16, max: 72 });
const shape = fc.record({ height: side, width: side });
type Size = Readonly<Record<'height' | 'width', number>>;

function shown({ height, width }: Size, preprocess: Preprocess): Float32Array {
  const rgb = new Uint8Array(height * width * 3);
  for (let i = 0; i < height * width; i++) {
    rgb[3 * i] = Math.round((255 * ((i % width) + 0.5)) / width);
    rgb[3 * i + 1] = Math.round((255 * (Math.floor(i / width) + 0.5)) / height);
    rgb[3 * i + 2] = 255;
  }
  const out = emptyClips(1, preprocess);
  out.data.fill(-7);
  clipToTensor({ width, height, rgb }, [0], testTransform({ width, height }, preprocess), preprocess, out, 0);
  return out.data;
}

function eachPixel(out: Float32Array, { height, width }: Preprocess, see: (x: number, y: number, rgb: number[]) => void): void {
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      see(
        x,
        y,
        [0, 1, 2].map((c) => out[(c * height + y) * width + x] as number),
      );
}

const plain = { mean: [0, 0, 0], std: [1, 1, 1] } as const;

/** Checks each pixel of random pictures of random frames. */
function forAllShapes(
  resize: Preprocess['resize'],
  expecting: (frame: Size, picture: Preprocess) => (x: number, y: number, rgb: number[]) => void,
): void {
  fc.assert(
    fc.property(shape, shape, (frame, picture) => {
      const preprocess = makePreprocess({ frames: 1, ...picture, resize, ...plain });
      eachPixel(shown(frame, preprocess), preprocess, expecting(frame, preprocess));
    }),
    { numRuns: 60 },
  );
}

/** Equal to half a pixel of the frame or of the picture, whichever is larger. */
const near = (actual: number, share: number, pixel: number): boolean => {
  const expected = Math.min(Math.max(share, pixel / 2), 1 - pixel / 2);
  return Math.abs(actual - expected) < 0.51 * pixel + 0.01;
};

test('stretch: the picture is the frame, corner to corner', () => {
  forAllShapes('stretch', (frame, picture) => {
    return (x, y, [red = 0, green = 0]) => {
      assert.ok(near(red, (x + 0.5) / picture.width, Math.max(1 / frame.width, 1 / picture.width)), `column ${x}: ${red}`);
      assert.ok(near(green, (y + 0.5) / picture.height, Math.max(1 / frame.height, 1 / picture.height)), `row ${y}: ${green}`);
    };
  });
});

test('fit: the whole frame in the middle with one scale for both sides, the rest exactly 0', () => {
  forAllShapes('fit', (frame, picture) => {
    const scale = Math.min(picture.width / frame.width, picture.height / frame.height);
    const pixel = Math.max(1, 1 / scale);
    const bars = [(picture.width - frame.width * scale) / 2, (picture.height - frame.height * scale) / 2] as const;
    return (x, y, rgb) => {
      const [across, down] = [(x + 0.5 - bars[0]) / (frame.width * scale), (y + 0.5 - bars[1]) / (frame.height * scale)];
      const outside = Math.max(-across, across - 1, -down, down - 1);
      if (outside > 1e-6) assert.deepEqual(rgb, [0, 0, 0], `padding at ${x}, ${y}`);
      else if (outside < -1e-6) {
        assert.ok(near(rgb[0] ?? 0, across, pixel / frame.width), `column ${x}: ${rgb[0]} against ${across}`);
        assert.ok(near(rgb[1] ?? 0, down, pixel / frame.height), `row ${y}: ${rgb[1]} against ${down}`);
      }
    };
  });
});

test('crop: the middle of the frame with one scale for both sides, and nothing but frame', () => {
  forAllShapes('crop', (frame, picture) => {
    const margin = Math.min(picture.height, picture.width) / picture.shortSide;
    const scale = Math.max(picture.width / frame.width, picture.height / frame.height) / margin;
    const pixel = Math.max(1, 1 / scale);
    return (x, y, [red = 0, green = 0, blue]) => {
      const across = 0.5 + (x + 0.5 - picture.width / 2) / (frame.width * scale);
      const down = 0.5 + (y + 0.5 - picture.height / 2) / (frame.height * scale);
      assert.ok(Math.abs((blue ?? 0) - 1) < 1e-5, `no padding at ${x}, ${y}`);
      assert.ok(
        near(red, across, pixel / frame.width) && near(green, down, pixel / frame.height),
        `${x}, ${y}: ${red}, ${green}`,
      );
    };
  });
});

test('mirrored padding lies on the other side, and colour jitter leaves it 0', () => {
  const preprocess = makePreprocess({ frames: 1, height: 8, width: 16, ...plain });
  const rgb = new Uint8Array(4 * 4 * 3).fill(200);
  const transform = {
    box: { x: 0, y: 0, width: 8, height: 4 },
    flip: true,
    colour: { ...plainColour, brightness: 1.3, contrast: 0.7 },
  };
  const out = emptyClips(1, preprocess);
  clipToTensor({ width: 4, height: 4, rgb }, [0], transform, preprocess, out, 0);
  eachPixel(out.data, preprocess, (x, _, [red = 0]) => assert.ok(x < 8 ? red === 0 : red > 0.5, `column ${x}: ${red}`));
});
