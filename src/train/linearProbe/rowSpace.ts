/**
 * Coordinates of few rows in an orthonormal basis of their span, by pivoted Cholesky decomposition of their Gram matrix. An
 * L2-penalised linear classifier is a combination of its training rows, so it is the same there, and much faster to fit.
 */

/** A residual below this share of the mean square is rounding. */
const trifle = 1e-9;

export class RowSpace {
  /** [N, rank]: the rows in the basis. */
  readonly coordinates: Float64Array;
  readonly rank: number;
  /** The rows that span the space, in the order in which they were taken. */
  private readonly pivots: readonly number[];
  readonly width: number;

  /** Rows [N, D], end to end. Of more than `most` that span the space, those are kept that leave least of the others. */
  constructor(
    private readonly rows: Float64Array,
    count: number,
    most: number,
  ) {
    this.width = rows.length / count;
    const columns: Float64Array[] = []; // [N] each
    const pivots: number[] = [];
    const left = Float64Array.from({ length: count }, (_, n) => this.product(n, n));
    const least = (trifle * left.reduce((sum, value) => sum + value, 0)) / count;
    while (columns.length < Math.min(most, count)) {
      const pivot = largestOf(left);
      if (!((left[pivot] as number) > least)) break;
      const column = this.nextColumn(columns, pivot, Math.sqrt(left[pivot] as number));
      for (let n = 0; n < count; n++) left[n] = (left[n] as number) - (column[n] as number) ** 2;
      left[pivot] = 0;
      columns.push(column);
      pivots.push(pivot);
    }
    this.pivots = pivots;
    this.rank = columns.length;
    this.coordinates = asRows(columns, count);
  }

  /** Weights [rank] on the coordinates as weights [D] on the features. */
  inFeatures(weights: Float64Array): Float64Array {
    const { coordinates, rank, pivots } = this;
    const out = new Float64Array(this.width);
    const shares = new Float64Array(rank);
    for (let j = rank - 1; j >= 0; j--) {
      let rest = weights[j] as number;
      for (let m = j + 1; m < rank; m++) {
        rest -= (coordinates[(pivots[m] as number) * rank + j] as number) * (shares[m] as number);
      }
      const share = rest / (coordinates[(pivots[j] as number) * rank + j] as number);
      shares[j] = share;
      const at = (pivots[j] as number) * out.length;
      for (let d = 0; d < out.length; d++) out[d] = (out[d] as number) + share * (this.rows[at + d] as number);
    }
    return out;
  }

  private product(n: number, m: number): number {
    const { rows, width } = this;
    return dot(rows, n * width, rows, m * width, width);
  }

  /** Coordinates of all rows in the direction that the pivot adds, [N]. */
  private nextColumn(columns: readonly Float64Array[], pivot: number, length: number): Float64Array {
    const out = new Float64Array(this.rows.length / this.width);
    for (let n = 0; n < out.length; n++) out[n] = this.product(n, pivot);
    for (const column of columns) {
      const share = column[pivot] as number;
      for (let n = 0; n < out.length; n++) out[n] = (out[n] as number) - share * (column[n] as number);
    }
    for (let n = 0; n < out.length; n++) out[n] = (out[n] as number) / length;
    return out;
  }
}

function largestOf(values: Float64Array): number {
  let at = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[at] as number)) at = i;
  return at;
}

function asRows(columns: readonly Float64Array[], count: number): Float64Array {
  const out = new Float64Array(count * columns.length);
  columns.forEach((column, j) => {
    for (let n = 0; n < count; n++) out[n * columns.length + j] = column[n] as number;
  });
  return out;
}

/** Sum of a[i] b[i] over `count` values from `aAt` and `bAt` on. Four sums side by side: one alone waits for itself. */
export function dot(a: Float64Array, aAt: number, b: Float64Array, bAt: number, count: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 3 < count; i += 4) {
    s0 += (a[aAt + i] as number) * (b[bAt + i] as number);
    s1 += (a[aAt + i + 1] as number) * (b[bAt + i + 1] as number);
    s2 += (a[aAt + i + 2] as number) * (b[bAt + i + 2] as number);
    s3 += (a[aAt + i + 3] as number) * (b[bAt + i + 3] as number);
  }
  for (; i < count; i++) s0 += (a[aAt + i] as number) * (b[bAt + i] as number);
  return s0 + s1 + (s2 + s3);
}
