/** Frames of a stack into a batch tensor: crop, resize, mirror, colour, normalise, one output row at a time. Deterministic. */
import { ConfigError } from '../errors.js';
import { Rng } from '../rng.js';
import type { FrameStrip } from '../video/types.js';
import { type ClipTensor, frameOf } from './clipTensor.js';
import type { Box, ClipTransform, ColourGains } from './crop.js';
import type { Preprocess } from './preprocess.js';

/**
 * Linear resampling of one axis: output i is the sum over k of weights[i*taps + k] times input start[i] + k. Taps are even, so that
 * the inner loops take two at a time (half the time); in short inputs the last weights are 0.
 */
interface AxisTaps {
  readonly taps: number;
  readonly start: Int32Array;
  readonly weights: Float32Array;
  readonly reach: readonly [begin: number, end: number];
  /** First output whose centre lies in the input, and one past the last: the others are padding. */
  readonly inside: readonly [begin: number, end: number];
}

/** Padding after normalisation: the mean colour, as in zero-padded convolutions, whatever the colour jitter. */
const padding = 0;

/** The part of a strip that is read. */
export type StripPixels = Pick<FrameStrip, 'width' | 'height' | 'rgb'>;

/**
 * Writes clip `index` of `out`: `frames` names the strip's frames in order, T of them. ConfigError when they do not fit.
 */
export function clipToTensor(
  strip: StripPixels,
  frames: readonly number[],
  transform: ClipTransform,
  preprocess: Preprocess,
  out: ClipTensor,
  index: number,
): void {
  const { height, width } = out;
  checkFit(strip, frames, out, index);
  const { box } = transform;
  const across = axisTaps(box.x, box.width, strip.width, width, transform.flip);
  const down = axisTaps(box.y, box.height, strip.height, height, false);
  const matrix = colourMatrix(transform.colour, preprocess);
  const isPadded = down.inside[1] - down.inside[0] < height || across.inside[1] - across.inside[0] < width;
  const line = new Float32Array((strip.width + across.taps) * 3);
  frames.forEach((frame, t) => {
    const image = frameOf(out, t, index);
    if (isPadded) image.fill(padding);
    for (let y = down.inside[0]; y < down.inside[1]; y++) {
      blendRows(strip, frame, across, down, y, line);
      paintRow(line, across, matrix, image, y * width);
    }
  });
}

function checkFit(strip: StripPixels, frames: readonly number[], out: ClipTensor, index: number): void {
  if (frames.length !== out.frames || !(index >= 0 && index < out.count))
    throw new ConfigError(`clip ${index} of ${frames.length} frames: there is room for ${out.count} of ${out.frames}`);
  const count = strip.rgb.length / (strip.width * strip.height * 3);
  const bad = frames.find((frame) => !(Number.isInteger(frame) && frame >= 0 && frame < count));
  if (bad !== undefined) throw new ConfigError(`frame of a strip: expected 0 to ${count - 1}, got ${bad}`);
}

/** Triangle filter, widened when reducing to avoid aliasing. */
function axisTaps(from: number, span: number, length: number, size: number, mirrored: boolean): AxisTaps {
  const step = span / size;
  const radius = Math.max(1, step);
  const taps = 2 * Math.ceil(radius);
  const start = new Int32Array(size);
  const weights = new Float32Array(size * taps);
  for (let i = 0; i < size; i++) {
    const centre = from + ((mirrored ? size - 1 - i : i) + 0.5) * step - 0.5;
    // Edge pixels are replicated.
    const held = Math.min(Math.max(centre, 0), length - 1);
    const first = Math.max(Math.min(Math.ceil(held - radius), length - taps), 0);
    start[i] = first;
    fillWeights(weights.subarray(i * taps, i * taps + Math.min(taps, length)), held - first, radius);
  }
  const reach = [Math.min(...start), Math.min(Math.max(...start) + taps, length)] as const;
  return { taps, start, weights, reach, inside: insideOf(from, step, length, size, mirrored) };
}

/** A millionth of a pixel absorbs rounding. */
function insideOf(from: number, step: number, length: number, size: number, mirrored: boolean): readonly [number, number] {
  const held = (place: number) => Math.min(Math.max(place, 0), size);
  const begin = held(Math.ceil((-from - 1e-6) / step - 0.5));
  const end = held(Math.floor((length - from + 1e-6) / step - 0.5) + 1);
  return mirrored ? [size - end, size - begin] : [begin, end];
}

function fillWeights(weights: Float32Array, centre: number, radius: number): void {
  let total = 0;
  for (let k = 0; k < weights.length; k++) {
    const weight = Math.max(0, 1 - Math.abs(k - centre) / radius);
    weights[k] = weight;
    total += weight;
  }
  for (let k = 0; k < weights.length; k++) weights[k] = (weights[k] as number) / total;
}

/** Row y before resizing along x: line [width, 3], 0 to 255, only the columns needed. */
function blendRows(strip: StripPixels, frame: number, across: AxisTaps, down: AxisTaps, y: number, line: Float32Array): void {
  const { rgb, width, height } = strip;
  const [begin, end] = [across.reach[0] * 3, across.reach[1] * 3];
  const rowAt = (row: number) => (frame * height + Math.min(row, height - 1)) * width * 3;
  for (let k = 0; k < down.taps; k += 2) {
    const a = down.weights[y * down.taps + k] as number;
    const b = down.weights[y * down.taps + k + 1] as number;
    const rowA = rowAt((down.start[y] as number) + k);
    const rowB = rowAt((down.start[y] as number) + k + 1);
    if (k === 0) for (let i = begin; i < end; i++) line[i] = a * (rgb[rowA + i] as number) + b * (rgb[rowB + i] as number);
    else
      for (let i = begin; i < end; i++)
        line[i] = (line[i] as number) + a * (rgb[rowA + i] as number) + b * (rgb[rowB + i] as number);
  }
}

/** Resizes along x and applies the colour matrix, into the three planes. */
function paintRow(line: Float32Array, across: AxisTaps, matrix: readonly number[], out: Float32Array, offset: number): void {
  const plane = out.length / 3;
  const [rr = 0, rg = 0, rb = 0, r0 = 0, gr = 0, gg = 0, gb = 0, g0 = 0, br = 0, bg = 0, bb = 0, b0 = 0] = matrix;
  const { taps, start, weights, inside } = across;
  for (let x = inside[0]; x < inside[1]; x++) {
    let from = (start[x] as number) * 3;
    let r = 0;
    let g = 0;
    let b = 0;
    for (let k = x * taps; k < (x + 1) * taps; k += 2, from += 6) {
      const one = weights[k] as number;
      const two = weights[k + 1] as number;
      r += one * (line[from] as number) + two * (line[from + 3] as number);
      g += one * (line[from + 1] as number) + two * (line[from + 4] as number);
      b += one * (line[from + 2] as number) + two * (line[from + 5] as number);
    }
    const to = offset + x;
    out[to] = rr * r + rg * g + rb * b + r0;
    out[to + plane] = gr * r + gg * g + gb * b + g0;
    out[to + 2 * plane] = br * r + bg * g + bb * b + b0;
  }
}

/** ITU-R BT.601 luma. */
const luma = [0.299, 0.587, 0.114] as const;

/**
 * Row c: factors of r, g, b (0 to 255) and constant of output channel c: saturation, brightness, contrast about mid-grey,
 * normalisation. Not clipped.
 */
function colourMatrix(colour: ColourGains, preprocess: Preprocess): number[] {
  const { brightness, contrast, saturation } = colour;
  return [0, 1, 2].flatMap((c) => {
    const std = preprocess.std[c] as number;
    const gain = (brightness * contrast) / (255 * std);
    const factors = luma.map((grey, k) => gain * ((1 - saturation) * grey + (k === c ? saturation : 0)));
    return [...factors, ((1 - contrast) / 2 - (preprocess.mean[c] as number)) / std];
  });
}

/** Fills a box, given as shares of the edges, with the same noise in all frames of clip `index`. */
export function eraseBox(clips: ClipTensor, index: number, box: Box & { readonly seed: number }): void {
  const { frames, height, width } = clips;
  const rng = new Rng([box.seed]);
  const [left, right] = [Math.round(box.x * width), Math.round((box.x + box.width) * width)];
  const [top, bottom] = [Math.round(box.y * height), Math.round((box.y + box.height) * height)];
  const noise = Float32Array.from({ length: 3 * (bottom - top) * (right - left) }, () => rng.normal());
  for (let t = 0; t < frames; t++) {
    const frame = frameOf(clips, t, index);
    for (let row = 0, at = 0; row < 3 * (bottom - top); row++, at += right - left) {
      const channel = Math.floor(row / (bottom - top));
      const y = top + (row % (bottom - top));
      frame.set(noise.subarray(at, at + right - left), (channel * height + y) * width + left);
    }
  }
}
