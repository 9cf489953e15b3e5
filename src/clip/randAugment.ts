/**
 * RandAugment (Cubuk et al. 2020, arXiv 1909.13719) on 8-bit frames before the crop, alike for all frames. Geometry keeps the size
 * and fills with mid-grey.
 */

import type { Rng } from '../rng.js';
import type { StripPixels } from './clipToTensor.js';

/** Name and magnitude of one operation, magnitude in [0, 1]; signed ones carry their sign. */
export interface AugmentOperation {
  readonly name: OperationName;
  readonly magnitude: number;
}

interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

/** At magnitude 1; the ranges of the paper's table. */
const most = { rotateDegrees: 30, shear: 0.3, shift: 0.3, gain: 0.9, posterizeBits: 4 } as const;

const operations = {
  rotate: (pixels, m) => {
    const angle = (m * most.rotateDegrees * Math.PI) / 180;
    return warped(pixels, [Math.cos(angle), -Math.sin(angle), 0, Math.sin(angle), Math.cos(angle), 0]);
  },
  shearX: (pixels, m) => warped(pixels, [1, m * most.shear, 0, 0, 1, 0]),
  shearY: (pixels, m) => warped(pixels, [1, 0, 0, m * most.shear, 1, 0]),
  shiftX: (pixels, m) => warped(pixels, [1, 0, m * most.shift * pixels.width, 0, 1, 0]),
  shiftY: (pixels, m) => warped(pixels, [1, 0, 0, 0, 1, m * most.shift * pixels.height]),
  brightness: (pixels, m) => mapped(pixels, (value) => value * (1 + m * most.gain)),
  contrast: (pixels, m) => {
    const grey = meanLuma(pixels);
    return mapped(pixels, (value) => grey + (value - grey) * (1 + m * most.gain));
  },
  saturation: (pixels, m) => saturated(pixels, 1 + m * most.gain),
  posterize: (pixels, m) => {
    const keep = 8 - Math.round(Math.abs(m) * most.posterizeBits);
    return mapped(pixels, (value) => (value >> (8 - keep)) << (8 - keep));
  },
  solarize: (pixels, m) => mapped(pixels, (value) => (value >= 256 - Math.abs(m) * 256 ? 255 - value : value)),
  autoContrast: (pixels) => perChannel(pixels, stretchTable),
  equalize: (pixels) => perChannel(pixels, equalizeTable),
  identity: (pixels) => pixels,
} satisfies Record<string, (pixels: Pixels, magnitude: number) => Pixels>;

export type OperationName = keyof typeof operations;

export const operationNames = Object.keys(operations) as readonly OperationName[];

/** Draws `count` operations of this magnitude, jittered by a tenth as in common practice, with either sign. */
export function drawOperations(rng: Rng, count: number, magnitude: number): AugmentOperation[] {
  return Array.from({ length: count }, () => {
    const name = rng.pick(operationNames);
    const strength = Math.min(Math.max(rng.normal(magnitude, 0.1 * magnitude), 0), 1);
    return { name, magnitude: rng.chance(0.5) ? strength : -strength };
  });
}

/** The named frames of a strip with all operations applied: a strip of those frames only, in their order. */
export function applyOperations(strip: StripPixels, frames: readonly number[], chosen: readonly AugmentOperation[]): StripPixels {
  const { width, height } = strip;
  const bytes = width * height * 3;
  const rgb = new Uint8Array(frames.length * bytes);
  frames.forEach((frame, t) => {
    rgb.set(strip.rgb.subarray(frame * bytes, (frame + 1) * bytes), t * bytes);
  });
  return chosen.reduce<Pixels>((pixels, { name, magnitude }) => operations[name](pixels, magnitude), { width, height, rgb });
}

function mapped(pixels: Pixels, of: (value: number) => number): Pixels {
  const table = Uint8ClampedArray.from({ length: 256 }, (_, value) => of(value));
  const { rgb } = pixels;
  for (let i = 0; i < rgb.length; i++) rgb[i] = table[rgb[i] as number] as number;
  return pixels;
}

/** One table per channel, from its histogram over all frames. */
function perChannel(pixels: Pixels, tableOf: (histogram: Uint32Array) => Uint8ClampedArray): Pixels {
  const { rgb } = pixels;
  for (let c = 0; c < 3; c++) {
    const histogram = new Uint32Array(256);
    for (let i = c; i < rgb.length; i += 3) histogram[rgb[i] as number]!++;
    const table = tableOf(histogram);
    for (let i = c; i < rgb.length; i += 3) rgb[i] = table[rgb[i] as number] as number;
  }
  return pixels;
}

function stretchTable(histogram: Uint32Array): Uint8ClampedArray {
  const low = histogram.findIndex((count) => count > 0);
  const high = histogram.findLastIndex((count) => count > 0);
  const scale = high > low ? 255 / (high - low) : 0;
  return Uint8ClampedArray.from({ length: 256 }, (_, value) => (scale === 0 ? value : (value - low) * scale));
}

function equalizeTable(histogram: Uint32Array): Uint8ClampedArray {
  const total = histogram.reduce((sum, count) => sum + count, 0);
  const last = histogram.findLast((count) => count > 0) ?? 0;
  const step = (total - last) / 255;
  let below = 0;
  return Uint8ClampedArray.from({ length: 256 }, (_, value) => {
    const out = step === 0 ? value : (below + step / 2) / step;
    below += histogram[value] as number;
    return Math.floor(out);
  });
}

const luma = (r: number, g: number, b: number): number => 0.299 * r + 0.587 * g + 0.114 * b;

function meanLuma({ rgb }: Pixels): number {
  let sum = 0;
  for (let i = 0; i < rgb.length; i += 3) sum += luma(rgb[i] as number, rgb[i + 1] as number, rgb[i + 2] as number);
  return (3 * sum) / rgb.length;
}

function saturated(pixels: Pixels, gain: number): Pixels {
  const rgb = new Uint8ClampedArray(pixels.rgb.buffer);
  for (let i = 0; i < rgb.length; i += 3) {
    const grey = luma(rgb[i] as number, rgb[i + 1] as number, rgb[i + 2] as number);
    for (let c = i; c < i + 3; c++) rgb[c] = grey + gain * ((rgb[c] as number) - grey);
  }
  return pixels;
}

/** Bilinear inverse map x' = a x + b y + c, y' = d x + e y + f about the centre. */
type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

const outside = 128;

function warped(pixels: Pixels, [a, b, c, d, e, f]: Affine): Pixels {
  const { width, height, rgb } = pixels;
  const out = new Uint8Array(rgb.length);
  const frameBytes = width * height * 3;
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      const fromX = a * (x - middleX) + b * (y - middleY) + c + middleX;
      const fromY = d * (x - middleX) + e * (y - middleY) + f + middleY;
      const inside = fromX >= 0 && fromY >= 0 && fromX <= width - 1 && fromY <= height - 1;
      const [left, top] = [Math.min(Math.floor(fromX), width - 2), Math.min(Math.floor(fromY), height - 2)];
      const [right, down] = [fromX - left, fromY - top];
      const corner = (top * width + left) * 3;
      for (let base = 0; base < rgb.length; base += frameBytes) {
        if (inside) blend(rgb, base + corner, width, right, down, out, base + at);
        else out.fill(outside, base + at, base + at + 3);
      }
    }
  }
  return { width, height, rgb: out };
}

function blend(rgb: Uint8Array, corner: number, width: number, right: number, down: number, out: Uint8Array, at: number): void {
  const below = corner + width * 3;
  for (let c = 0; c < 3; c++) {
    const upper = (rgb[corner + c] as number) * (1 - right) + (rgb[corner + c + 3] as number) * right;
    const lower = (rgb[below + c] as number) * (1 - right) + (rgb[below + c + 3] as number) * right;
    out[at + c] = upper * (1 - down) + lower * down + 0.5;
  }
}
