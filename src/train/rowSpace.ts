/**
 * Few rows with many features, written with as many coordinates as there are rows. A linear classifier with an L2 penalty is a
 * combination of the rows it was fitted to, so in those coordinates it is the same one, found many times faster.
 */

export class RowSpace {
  /** [N, N] lower triangle L with L L^T = X X^T: row n holds the coordinates of row n. */
  readonly coordinates: Float64Array;

  /** Rows [N, D]. */
  constructor(
    private readonly rows: Float64Array,
    readonly count: number,
  ) {
    this.coordinates = factor(products(rows, count), count);
  }

  /** Weights [N] on the coordinates as weights [D] on the features: X^T L^-T w. */
  inFeatures(weights: Float64Array): Float64Array {
    const { coordinates: lower, count, rows } = this;
    const width = rows.length / count;
    const share = weights.slice();
    const out = new Float64Array(width);
    for (let n = count - 1; n >= 0; n--) {
      let rest = share[n] as number;
      for (let m = n + 1; m < count; m++) rest -= (lower[m * count + n] as number) * (share[m] as number);
      share[n] = rest / (lower[n * count + n] as number);
      for (let d = 0; d < width; d++) out[d] = (out[d] as number) + (share[n] as number) * (rows[n * width + d] as number);
    }
    return out;
  }
}

/** X X^T, [N, N]. */
function products(rows: Float64Array, count: number): Float64Array {
  const width = rows.length / count;
  const out = new Float64Array(count * count);
  for (let n = 0; n < count; n++) {
    const row = rows.subarray(n * width, (n + 1) * width);
    for (let m = 0; m <= n; m++) {
      const value = dot(row, rows.subarray(m * width, (m + 1) * width));
      out[n * count + m] = value;
      out[m * count + n] = value;
    }
  }
  return out;
}

/** Cholesky's factor; a trifle is added to the diagonal, for rows that depend on others. */
function factor(matrix: Float64Array, count: number): Float64Array {
  const lower = new Float64Array(count * count);
  let trace = 0;
  for (let n = 0; n < count; n++) trace += matrix[n * count + n] as number;
  const trifle = 1e-10 * (trace / count) + Number.MIN_VALUE;
  for (let n = 0; n < count; n++) {
    const row = lower.subarray(n * count, n * count + n);
    for (let m = 0; m < n; m++) {
      const other = lower.subarray(m * count, m * count + m);
      const rest = (matrix[n * count + m] as number) - dot(row.subarray(0, m), other);
      row[m] = rest / (lower[m * count + m] as number);
    }
    lower[n * count + n] = Math.sqrt(Math.max((matrix[n * count + n] as number) - dot(row, row), 0) + trifle);
  }
  return lower;
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
