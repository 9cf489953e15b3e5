/**
 * Planes of a decoder to RGB of another size, as FFmpeg's `scale=W:H:flags=bicubic,format=rgb24` makes them on x86: both sides of
 * the library then see the same pixels. Chroma is read as lying in the middle of its pixels.
 */
import { bicubicFilter, type ScaleFilter } from './bicubic.js';
import type { Size } from './geometry.js';

/** [height, width] without gaps between the rows; chroma has its own size. */
export interface Plane extends Size {
  readonly data: Uint8Array;
}

export interface YuvPlanes {
  readonly y: Plane;
  readonly u: Plane;
  readonly v: Plane;
}

export type YuvMatrix = 'bt601' | 'bt709' | 'bt2020';

export interface YuvColour {
  readonly matrix: YuvMatrix;
  /** Values from 0 to 255, not from 16 to 235. */
  readonly fullRange: boolean;
}

/** Red by V, blue by U, green by U and by V, in 1/2^16 (ITU-R BT.601, BT.709, BT.2020 for limited range). */
const gains: Readonly<Record<YuvMatrix, readonly [number, number, number, number]>> = {
  bt601: [104597, 132201, -25675, -53279],
  bt709: [117489, 138438, -13975, -34925],
  bt2020: [110013, 140363, -12277, -42626],
};

/** 1/2^16 of a level of RGB by a level of each. */
interface Gains {
  readonly luma: number;
  readonly black: number;
  readonly redV: number;
  readonly blueU: number;
  readonly greenU: number;
  readonly greenV: number;
}

function gainsOf({ matrix, fullRange }: YuvColour): Gains {
  const chroma = gains[matrix].map((gain) => (fullRange ? Math.trunc((gain * 224) / 255) : gain));
  const [redV = 0, blueU = 0, greenU = 0, greenV = 0] = chroma;
  return { luma: fullRange ? 65536 : Math.trunc((65536 * 255) / 219), black: fullRange ? 0 : 16, redV, blueU, greenU, greenV };
}

/** Writes [height, width, 3] of `size` into `rgb`. */
export function yuvToRgb(planes: YuvPlanes, colour: YuvColour, size: Size, rgb: Uint8Array): void {
  const { y, u } = planes;
  const same = y.width === size.width && y.height === size.height;
  if (same && y.height % 2 === 0 && u.width < y.width) unscaled(planes, gainsOf(colour), rgb);
  else scaled(planes, gainsOf(colour), size, rgb);
}

function scaled(planes: YuvPlanes, gain: Gains, size: Size, rgb: Uint8Array): void {
  const { y, u } = planes;
  const fullChroma = size.width % 2 === 1 || (u.width === y.width && u.height === y.height);
  const lines = scaledLines(planes, size, fullChroma ? size.width : size.width / 2);
  if (fullChroma) writeFull(lines, gain, size, rgb);
  else writeHalf(lines, gain, size, rgb);
}

const clamped = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value);

/** The gains in 1/2^13. */
const shortGains = ({ luma, redV, blueU, greenU, greenV }: Gains) => {
  const short = (gain: number) => Math.floor((gain * 8192 + 32768) / 65536);
  return { luma: short(luma), redV: short(redV), blueU: short(blueU), greenU: short(greenU), greenV: short(greenV) };
};

/** 16-bit products, each rounded down. Pixels share chroma samples. */
function unscaled({ y, u, v }: YuvPlanes, gain: Gains, rgb: Uint8Array): void {
  const { luma, redV, blueU, greenU, greenV } = shortGains(gain);
  const shared = u.height === y.height ? 0 : 1;
  for (let row = 0, at = 0; row < y.height; row++) {
    const chromaRow = (row >> shared) * u.width;
    for (let column = 0; column < y.width; column++, at += 3) {
      const level = (((y.data[row * y.width + column] as number) - gain.black) * 8 * luma) >> 16;
      const blue = ((u.data[chromaRow + (column >> 1)] as number) - 128) * 8;
      const red = ((v.data[chromaRow + (column >> 1)] as number) - 128) * 8;
      rgb[at] = clamped(level + ((red * redV) >> 16));
      rgb[at + 1] = clamped(level + ((blue * greenU) >> 16) + ((red * greenV) >> 16));
      rgb[at + 2] = clamped(level + ((blue * blueU) >> 16));
    }
  }
}

/** Rows of output width, 15 bits a value, and how they make the rows of the output. */
interface ScaledPlane {
  readonly width: number;
  readonly data: Int16Array;
  readonly vertical: ScaleFilter;
}

interface ScaledLines {
  readonly y: ScaledPlane;
  readonly u: ScaledPlane;
  readonly v: ScaledPlane;
}

function scaledLines({ y, u, v }: YuvPlanes, size: Size, chromaWidth: number): ScaledLines {
  const scale = (plane: Plane, width: number): ScaledPlane => ({
    width,
    data: scaledRows(plane, filterOf(plane.width, width, 1 << 14, 4)),
    vertical: filterOf(plane.height, size.height, 1 << 12, 1),
  });
  return { y: scale(y, size.width), u: scale(u, chromaWidth), v: scale(v, chromaWidth) };
}

/** A video needs four of them again and again. */
const filters = new Map<string, ScaleFilter>();

function filterOf(from: number, to: number, one: number, align: number): ScaleFilter {
  const key = `${from} ${to} ${one}`;
  const known = filters.get(key) ?? bicubicFilter({ from, to, one, align });
  if (filters.size >= 64) filters.clear();
  filters.set(key, known);
  return known;
}

function scaledRows({ width, height, data }: Plane, { taps, first, weights }: ScaleFilter): Int16Array {
  const to = first.length;
  const out = new Int16Array(height * to);
  for (let row = 0; row < height; row++) {
    for (let i = 0; i < to; i++) {
      let sum = 0;
      const from = row * width + (first[i] as number);
      for (let j = 0; j < taps; j++) sum += (data[from + j] as number) * (weights[i * taps + j] as number);
      const value = sum >> 7;
      out[row * to + i] = value > 32767 ? 32767 : value;
    }
  }
  return out;
}

/** Of one row of the output: sums of 27 bits, less a rounding that comes first. */
function sumRows({ width, data, vertical }: ScaledPlane, row: number, rounding: number, sums: Int32Array): void {
  const { taps, first, weights } = vertical;
  sums.fill(rounding);
  for (let j = 0; j < taps; j++) {
    const from = ((first[row] as number) + j) * width;
    const weight = weights[row * taps + j] as number;
    for (let i = 0; i < width; i++) sums[i] = (sums[i] as number) + (data[from + i] as number) * weight;
  }
}

const rowsOf = ({ y, u, v }: ScaledLines) =>
  [y, u, v].map(({ width }) => new Int32Array(width)) as [Int32Array, Int32Array, Int32Array];

/** RGB by luma plus the whole steps of luma that each chroma value counts for. */
interface Tables {
  /** From luma -`reach` on. */
  readonly level: Uint8Array;
  readonly redV: Int32Array;
  readonly blueU: Int32Array;
  readonly greenU: Int32Array;
  readonly greenV: Int32Array;
}

const reach = 1024;

function tablesOf({ luma, black, redV, blueU, greenU, greenV }: Gains): Tables {
  const offset = black === 0 ? 384 : 326; // so that the division of the table's origin is FFmpeg's
  const level = (steps: number) => clamped(Math.floor(((steps + offset) * luma - (black + 384) * 65536 + 32768) / 65536));
  const stepsOf = (gain: number): Int32Array => {
    const by = Math.trunc((gain * 65536 + 32768) / luma);
    return Int32Array.from({ length: 256 }, (_, chroma) => Math.floor((chroma * by) / 65536) - Math.floor(by / 512));
  };
  return {
    level: Uint8Array.from({ length: 3 * reach }, (_, i) => level(i - reach)),
    ...{ redV: stepsOf(redV), blueU: stepsOf(blueU), greenU: stepsOf(greenU), greenV: stepsOf(greenV) },
  };
}

/** Two pixels share a chroma sample. */
function writeHalf(lines: ScaledLines, gain: Gains, { width, height }: Size, rgb: Uint8Array): void {
  const { level, redV, blueU, greenU, greenV } = tablesOf(gain);
  const [y, u, v] = rowsOf(lines);
  for (let row = 0, to = 0; row < height; row++) {
    sumRows(lines.y, row, 1 << 18, y);
    sumRows(lines.u, row, 1 << 18, u);
    sumRows(lines.v, row, 1 << 18, v);
    for (let i = 0; i < width; i++, to += 3) {
      const luma = reach + ((y[i] as number) >> 19);
      const blue = clamped((u[i >> 1] as number) >> 19);
      const red = clamped((v[i >> 1] as number) >> 19);
      rgb[to] = level[luma + (redV[red] as number)] as number;
      rgb[to + 1] = level[luma + (greenU[blue] as number) + (greenV[red] as number)] as number;
      rgb[to + 2] = level[luma + (blueU[blue] as number)] as number;
    }
  }
}

/** Every pixel has its own chroma; 9 bits below a level. */
function writeFull(lines: ScaledLines, gain: Gains, { width, height }: Size, rgb: Uint8Array): void {
  const { luma, redV, blueU, greenU, greenV } = shortGains(gain);
  const byte = (value: number) => clamped(Math.floor(value / 2 ** 22));
  const [y, u, v] = rowsOf(lines);
  for (let row = 0, to = 0; row < height; row++) {
    sumRows(lines.y, row, 1 << 9, y);
    sumRows(lines.u, row, (1 << 9) - (128 << 19), u);
    sumRows(lines.v, row, (1 << 9) - (128 << 19), v);
    for (let i = 0; i < width; i++, to += 3) {
      const level = (((y[i] as number) >> 10) - gain.black * 512) * luma + 2 ** 21;
      const blue = (u[i] as number) >> 10;
      const red = (v[i] as number) >> 10;
      rgb[to] = byte(level + red * redV);
      rgb[to + 1] = byte(level + red * greenV + blue * greenU);
      rgb[to + 2] = byte(level + blue * blueU);
    }
  }
}
