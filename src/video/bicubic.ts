/**
 * FFmpeg's bicubic filter (libswscale, `flags=bicubic`) in its own fixed-point arithmetic, so that pixels scaled here are those that
 * FFmpeg scales on x86.
 */

export interface ScaleFilter {
  /** Taps of each output. */
  readonly taps: number;
  /** [outputs] the first input of each. */
  readonly first: Int32Array;
  /** [outputs, taps] in units of 1 / `one`. */
  readonly weights: Int32Array;
}

export interface ScaleRequest {
  readonly from: number;
  readonly to: number;
  /** What the weights of an output add up to. */
  readonly one: number;
  /** Where in its pixel a sample lies, in 1/256: 128 for the middle. */
  readonly fromPhase?: number;
  /** Taps are a multiple of this. */
  readonly align: number;
}

/** Catmull-Rom's family with B = 0, C = 0.6, in units of 1 / 2^24. */
const C = Math.trunc(0.6 * 2 ** 24);
/** Taps at the edges that add up to less than this share are left out. */
const cutOff = 0.002;

/** The filter from `from` samples to `to`. */
export function bicubicFilter({ from, to, one, fromPhase = 128, align }: ScaleRequest): ScaleFilter {
  const step = Math.floor((from * 65536 + (to >> 1)) / to);
  if (Math.abs(step - 65536) < 10 && fromPhase === 128) return identity(to, one);
  const raw = rawFilter(from, to, step, fromPhase);
  const taps = Math.ceil(shortened(raw, from, to) / align) * align;
  const rows = raw.rows.map((row) => Array.from({ length: taps }, (_, j) => row[j] ?? 0n));
  rows.forEach((row, i) => {
    insideLeft(row, raw.first, i);
    insideRight(row, raw.first, i, from);
  });
  return { taps, first: raw.first, weights: Int32Array.from(rows.flatMap((row) => normalised(row, one))) };
}

const identity = (to: number, one: number): ScaleFilter => ({
  taps: 1,
  first: Int32Array.from({ length: to }, (_, i) => i),
  weights: new Int32Array(to).fill(one),
});

interface RawFilter {
  readonly first: Int32Array;
  readonly rows: bigint[][];
}

/** 2^54, less for strong reduction, so that sums fit 64 bits. */
const unitOf = (from: number, to: number): bigint =>
  1n << BigInt(54 - Math.min(Math.floor(Math.log2(Math.max(from / to, 1))), 8));

function rawFilter(from: number, to: number, step: number, fromPhase: number): RawFilter {
  const support = step <= 65536 ? 5 : 1 + Math.floor((4 * from + to - 1) / to);
  const taps = Math.max(Math.min(support, from - 2), 1);
  const scale = (1n << 54n) / unitOf(from, to);
  const first = new Int32Array(to);
  let centre = step - fromPhase * 512; // in 1/2^17 of an input sample
  const rows = Array.from({ length: to }, (_, i) => {
    const start = Math.trunc((centre - (taps - 2) * 65536) / 131072);
    first[i] = start;
    const row = Array.from({ length: taps }, (_, j) => {
      const distance = BigInt(Math.abs((start + j) * 131072 - centre)) << 13n;
      return weightAt(step > 65536 ? (distance * BigInt(to)) / BigInt(from) : distance) / scale;
    });
    centre += 2 * step;
    return row;
  });
  return { first, rows };
}

const c = BigInt(C);
const unit24 = 1n << 24n;
const unit30 = 1n << 30n;

/** The kernel at a distance in 1/2^30 of a sample, in units of 1 / (6 * 2^54). */
function weightAt(d: bigint): bigint {
  if (d >= unit30 * 2n) return 0n;
  const dd = (d * d) >> 30n;
  const ddd = (dd * d) >> 30n;
  if (d < unit30) return (12n * unit24 - 6n * c) * ddd + (-18n * unit24 + 6n * c) * dd + 6n * unit24 * unit30;
  return -6n * c * ddd + 30n * c * dd - 48n * c * d + 24n * c * unit30;
}

const size = (value: bigint): bigint => (value < 0n ? -value : value);

/** Shifts out near-zero taps on the left; gives back how many taps the longest row needs. */
function shortened({ first, rows }: RawFilter, from: number, to: number): number {
  const limit = BigInt(Math.floor(cutOff * Number(unitOf(from, to))));
  let longest = 0;
  for (let i = to - 1; i >= 0; i--) {
    const row = rows[i] as bigint[];
    let left = size(row[0] ?? 0n);
    for (let j = 0; j < row.length && left <= limit; j++) {
      if (i < to - 1 && (first[i] ?? 0) >= (first[i + 1] ?? 0)) break;
      row.push(0n);
      row.shift();
      first[i] = (first[i] ?? 0) + 1;
      left += size(row[0] ?? 0n);
    }
    longest = Math.max(longest, neededTaps(row, limit));
  }
  return longest;
}

function neededTaps(row: readonly bigint[], limit: bigint): number {
  let right = 0n;
  let needed = row.length;
  for (let j = row.length - 1; j > 0; j--) {
    right += size(row[j] ?? 0n);
    if (right > limit) break;
    needed--;
  }
  return needed;
}

/** Taps before the first sample fall on it. */
function insideLeft(row: bigint[], first: Int32Array, i: number): void {
  const start = first[i] ?? 0;
  if (start >= 0) return;
  for (let j = 1; j < row.length; j++) {
    const place = Math.max(j + start, 0);
    const weight = row[j] ?? 0n;
    row[j] = 0n;
    row[place] = (row[place] ?? 0n) + weight;
  }
  first[i] = 0;
}

function insideRight(row: bigint[], first: Int32Array, i: number, from: number): void {
  const start = first[i] ?? 0;
  if (start + row.length <= from) return;
  const shift = start + Math.min(row.length - from, 0);
  let behind = 0n;
  for (let j = Math.max(from - start, 0); j < row.length; j++) {
    behind += row[j] ?? 0n;
    row[j] = 0n;
  }
  const moved = row.map((_, j) => (j < shift ? 0n : (row[j - shift] ?? 0n)));
  first[i] = start - shift;
  const last = from - 1 - (start - shift);
  moved[last] = (moved[last] ?? 0n) + behind;
  moved.forEach((weight, j) => {
    row[j] = weight;
  });
}

/** Integers that add up to `one`: what rounding leaves over goes to the next tap. */
function normalised(row: readonly bigint[], one: number): number[] {
  const whole = BigInt(one);
  const sum = (row.reduce((a, b) => a + b, 0n) + whole / 2n) / whole || 1n;
  let left = 0n;
  return row.map((weight) => {
    const value = weight + left;
    const rounded = (value >= 0n ? value + sum / 2n : value - sum / 2n) / sum;
    left = value - rounded * sum;
    return Number(rounded);
  });
}
