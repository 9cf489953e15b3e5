/** Attention maps in numbers: timing, concentration, motion, and overlap of two tokens. Input: softmaxed maps. */

import { type ClipTensor, frameOf } from '../clip/clipTensor.js';

/** Attention of one token: shares [T, H, W] that sum to 1. */
export interface Attention {
  readonly frames: number;
  readonly height: number;
  readonly width: number;
  /** Stride in input pixels; position i is centred on pixel i * stride. */
  readonly stride: number;
  readonly values: Float32Array;
}

export interface AttentionFacts {
  /** [T] how much of it each frame gets; the sum is 1. */
  readonly timeShare: readonly number[];
  /** The smallest share of all positions that holds half of it: 0.5 when it looks everywhere alike, near 0 when at one spot. */
  readonly halfOn: number;
  /** Position of the maximum; x and y as shares of width and height. */
  readonly peak: { readonly frame: number; readonly x: number; readonly y: number };
  /** Attention-weighted motion relative to the mean: 1 is indifferent; absent without motion. */
  readonly motion?: number;
}

/** The maps of M tokens, [T, M, H, W] -> [M]. */
export function attentionOfTokens(values: Float32Array, shape: readonly number[], stride: number): Attention[] {
  const [frames = 0, tokens = 0, height = 0, width = 0] = shape;
  const area = height * width;
  return Array.from({ length: tokens }, (_, token) => {
    const own = new Float32Array(frames * area);
    for (let t = 0; t < frames; t++) {
      const from = (t * tokens + token) * area;
      own.set(values.subarray(from, from + area), t * area);
    }
    return { frames, height, width, stride, values: own };
  });
}

/** Mean attention of a token over several places, on the finest of their grids. */
export function meanAttention(maps: readonly [Attention, ...Attention[]]): Attention {
  const finest = maps.reduce((best, map) => (map.stride < best.stride ? map : best));
  const values = new Float32Array(finest.values.length);
  for (const map of maps) {
    const fine = onGridOf(finest, map);
    fine.forEach((value, i) => {
      values[i] = (values[i] ?? 0) + value / maps.length;
    });
  }
  return { ...finest, values };
}

/** The same shares on another grid; the sum stays 1. */
function onGridOf({ frames, height, width, stride }: Attention, map: Attention): Float32Array {
  const out = new Float32Array(frames * height * width);
  for (let i = 0, t = 0; t < frames; t++) {
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) out[i++] = attentionAt(map, t, x * stride, y * stride);
  }
  const total = out.reduce((sum, value) => sum + value, 0);
  return out.map((value) => value / total);
}

/** Bilinear in input pixels; constant beyond the outermost positions. */
export function attentionAt({ values, height, width, stride }: Attention, frame: number, pixelX: number, pixelY: number): number {
  const [x, y] = [held(pixelX / stride, width), held(pixelY / stride, height)];
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [right, bottom] = [Math.min(left + 1, width - 1), Math.min(top + 1, height - 1)];
  const at = (row: number, column: number) => values[(frame * height + row) * width + column] ?? 0;
  const upper = at(top, left) + (x - left) * (at(top, right) - at(top, left));
  const lower = at(bottom, left) + (x - left) * (at(bottom, right) - at(bottom, left));
  return upper + (y - top) * (lower - upper);
}

const held = (value: number, length: number): number => Math.min(Math.max(value, 0), length - 1);

/** `motion`: `motionOf` of the same clip. */
export function attentionFacts(map: Attention, motion?: MotionMap): AttentionFacts {
  const { height, width, values } = map;
  const area = height * width;
  const timeShare = timeShares(map);
  const most = values.reduce((best, value, i) => (value > (values[best] ?? 0) ? i : best), 0);
  const row = Math.floor((most % area) / width);
  const peak = { frame: Math.floor(most / area), x: (most % width) / width, y: row / height };
  const lift = motion && motionWhere(map, motion);
  return { timeShare, halfOn: halfOn(values), peak, ...(lift !== undefined && { motion: lift }) };
}

/** [T] how much of it each frame gets. */
export function timeShares({ frames, height, width, values }: Attention): number[] {
  const area = height * width;
  const sumOf = (part: Float32Array) => part.reduce((sum, value) => sum + value, 0);
  return Array.from({ length: frames }, (_, t) => sumOf(values.subarray(t * area, (t + 1) * area)));
}

function halfOn(values: Float32Array): number {
  const sorted = Float32Array.from(values).sort().reverse();
  let [sum, count] = [0, 0];
  while (sum < 0.5 && count < sorted.length) {
    const value = sorted[count] ?? 0;
    if (sum + value >= 0.5) return (count + (0.5 - sum) / value) / sorted.length;
    sum += value;
    count++;
  }
  return count / sorted.length;
}

/** Overlap of two tokens' attention: 0 disjoint, 1 equal. */
export function overlap(a: Attention, b: Attention): number {
  return a.values.reduce((sum, value, i) => sum + Math.min(value, b.values[i] ?? 0), 0);
}

/** The smallest overlap of any two; 1 for one alone. */
export function leastOverlap(maps: readonly Attention[]): number {
  return Math.min(1, ...maps.flatMap((a, i) => maps.slice(i + 1).map((b) => overlap(a, b))));
}

/** Change from frame to frame, [T, H, W]: the mean over the channels of its size; the first frame's is that to the second. */
export interface MotionMap {
  readonly height: number;
  readonly width: number;
  readonly values: Float32Array;
}

/** Of one clip; undefined for one of a single frame. */
export function motionOf(clip: ClipTensor): MotionMap | undefined {
  const { frames, height, width } = clip;
  if (frames < 2) return undefined;
  const plane = height * width;
  const values = new Float32Array(frames * plane);
  for (let t = 0; t < frames; t++) {
    const [now, before] = [frameOf(clip, Math.max(t, 1), 0), frameOf(clip, Math.max(t, 1) - 1, 0)];
    for (let i = 0; i < 3 * plane; i++) {
      const at = t * plane + (i % plane);
      values[at] = (values[at] ?? 0) + Math.abs((now[i] ?? 0) - (before[i] ?? 0)) / 3;
    }
  }
  return { height, width, values };
}

/** Attention-weighted mean motion over the unweighted mean. */
function motionWhere({ frames, height, width, stride, values }: Attention, motion: MotionMap): number | undefined {
  let [seen, all] = [0, 0];
  for (let i = 0, t = 0; t < frames; t++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++, i++) {
        const here = meanAround(motion, t, x * stride, y * stride, stride);
        seen += (values[i] ?? 0) * here;
        all += here / (frames * height * width);
      }
    }
  }
  return all > 0 ? seen / all : undefined;
}

/** Mean over a square around a pixel, clipped to the map. */
function meanAround({ height, width, values }: MotionMap, frame: number, pixelX: number, pixelY: number, edge: number): number {
  const [left, right] = [Math.max(pixelX - edge / 2, 0), Math.min(pixelX + edge / 2, width)];
  const [top, bottom] = [Math.max(pixelY - edge / 2, 0), Math.min(pixelY + edge / 2, height)];
  let sum = 0;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) sum += values[(frame * height + y) * width + x] ?? 0;
  }
  return sum / Math.max((right - left) * (bottom - top), 1);
}
