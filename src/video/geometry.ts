/**
 * From coded to upright square pixels: display matrix, sample aspect ratio and target size as one filter chain, the same for both
 * decoders.
 */
import { LimitError, VideoError } from '../errors.js';
import type { FrameSize } from './types.js';

/** Display orientation: FFmpeg filters and the resulting rotation. */
export interface Orientation {
  /** Clockwise: 0, 90, 180 or 270. */
  readonly rotationDeg: number;
  readonly mirrored: boolean;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const upright: Orientation = { rotationDeg: 0, mirrored: false };

/**
 * Reads a display matrix (nine fixed-point numbers, row by row, as in MP4's `tkhd`). Throws VideoError for a turn that is not a
 * quarter, as no camera writes one.
 */
export function orientationOf(path: string, matrix: readonly number[] | undefined): Orientation {
  if (matrix === undefined) return upright;
  const [a = 1, b = 0, , c = 0, d = 1] = matrix;
  if (a === 0 && b === 0 && c === 0 && d === 0) return upright;
  // x axis to (a, b), y axis (down) to (c, d): a clockwise turn by t is (cos t, sin t; -sin t, cos t).
  const mirrored = a * d - b * c < 0;
  const turn = (Math.atan2(mirrored ? -b : b, mirrored ? -a : a) * 180) / Math.PI;
  const quarter = Math.round(turn / 90);
  if (Math.abs(turn - 90 * quarter) > 1) {
    throw new VideoError(`is to be shown turned by ${turn.toFixed(1)} degrees; only quarter turns are read`, { path });
  }
  return { rotationDeg: (((quarter % 4) + 4) % 4) * 90, mirrored };
}

const turnFilters: Readonly<Record<number, string>> = { 90: 'transpose=clock', 180: 'hflip,vflip', 270: 'transpose=cclock' };

/** Mirrors (left to right) before turning. */
function orientationFilters({ rotationDeg, mirrored }: Orientation): string {
  return [mirrored ? 'hflip' : undefined, turnFilters[rotationDeg]].filter((filter) => filter !== undefined).join(',');
}

const isQuarter = ({ rotationDeg }: Orientation): boolean => rotationDeg % 180 === 90;
const swapped = ({ width, height }: Size): Size => ({ width: height, height: width });

/** Size of a frame that has `output` size once it is turned. */
export const beforeTurning = (output: Size, orientation: Orientation): Size =>
  isQuarter(orientation) ? swapped(output) : output;

/** Mirrors and turns [height, width, 3] pixels. */
export function turned(rgb: Uint8Array, { width, height }: Size, { rotationDeg, mirrored }: Orientation): Uint8Array {
  if (rotationDeg === 0 && !mirrored) return rgb;
  const out = new Uint8Array(rgb.length);
  const rowLength = rotationDeg % 180 === 90 ? height : width;
  for (let y = 0, from = 0; y < height; y++) {
    for (let x = 0; x < width; x++, from += 3) {
      const [column, row] = turnedPlace(mirrored ? width - 1 - x : x, y, { width, height }, rotationDeg);
      const to = 3 * (row * rowLength + column);
      for (let channel = 0; channel < 3; channel++) out[to + channel] = rgb[from + channel] as number;
    }
  }
  return out;
}

function turnedPlace(x: number, y: number, { width, height }: Size, rotationDeg: number): readonly [column: number, row: number] {
  if (rotationDeg === 90) return [height - 1 - y, x];
  if (rotationDeg === 180) return [width - 1 - x, height - 1 - y];
  return rotationDeg === 270 ? [y, width - 1 - x] : [x, y];
}

/** Size as displayed: the width stretched by the sample aspect, then turned. */
export function displaySize(coded: Size, sampleAspect: number, orientation: Orientation): Size {
  const square = { width: Math.max(1, Math.round(coded.width * sampleAspect)), height: coded.height };
  return isQuarter(orientation) ? swapped(square) : square;
}

/** Size of the frames handed out for a video displayed at `display`. Throws LimitError for a size that cannot be. */
export function outputSize(path: string, display: Size, wanted: FrameSize): Size {
  const size = frameSize(display, wanted);
  const fits = (side: number) => Number.isInteger(side) && side >= 1 && side <= 16384;
  if (fits(size.width) && fits(size.height)) return size;
  throw new LimitError(`frames were asked for at ${size.width}x${size.height}; sides are whole numbers from 1 to 16384`, {
    path,
  });
}

/** The same without the check. */
export function frameSize(display: Size, wanted: FrameSize): Size {
  if (!('shortSide' in wanted) && wanted.keepAspect === undefined) return { width: wanted.width, height: wanted.height };
  const factor = aspectFactor(display, wanted);
  const scale = 'shortSide' in wanted && wanted.enlarge ? factor : Math.min(factor, 1);
  const side = (length: number) => Math.max(1, Math.round(length * scale));
  return { width: side(display.width), height: side(display.height) };
}

function aspectFactor({ width, height }: Size, wanted: FrameSize): number {
  if ('shortSide' in wanted) return wanted.shortSide / Math.min(width, height);
  const choose = wanted.keepAspect === 'within' ? Math.min : Math.max;
  return choose(wanted.width / width, wanted.height / height);
}

/**
 * The filter chain that makes upright RGB frames of `output` size. One conversion does size and colour; it follows the stream's own
 * colour tags, and where there are none reads BT.601 limited range, as the ffmpeg command line does. Turning happens on RGB, where odd sizes are safe.
 */
export function filterChain(output: Size, orientation: Orientation): string {
  const scaled = beforeTurning(output, orientation);
  const turn = orientationFilters(orientation);
  return `scale=${scaled.width}:${scaled.height}:flags=bicubic,format=rgb24${turn === '' ? '' : `,${turn}`}`;
}

/** Room for pixels: shared between threads, or to be moved from one to another. */
export const pixelBytes = (length: number, shared: boolean): Uint8Array =>
  shared ? new Uint8Array(new SharedArrayBuffer(length)) : new Uint8Array(length);
