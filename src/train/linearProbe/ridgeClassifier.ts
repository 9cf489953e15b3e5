/**
 * Ridge regression on class indicators (up to scale a regularised linear discriminant), in float64: leave-one-out answers follow
 * exactly from the same linear system (Hastie et al. 2009, section 7.10), for groups of rows too.
 */

import { dot } from './rowSpace.js';

/** Rows with a class each. */
export interface LabelledRows {
  /** [N, D], end to end; each feature has the mean 0. */
  readonly features: Float64Array;
  readonly width: number;
  /** [N] */
  readonly labels: Int32Array;
  /** [N, K] 0 and 1 where rows have several classes at once; the labels do not count then. */
  readonly targets?: Float32Array | undefined;
  /** [N] number of the group of each row, which are left out together; absent: each row alone. */
  readonly groups?: Int32Array | undefined;
}

export interface RidgeFit {
  /** [K, D] */
  readonly weights: Float64Array;
  /** [K] */
  readonly bias: Float64Array;
  /** Scores [N, K] of each row by a classifier that was fitted without its group. */
  readonly leftOut: Float64Array;
}

export class RidgeClassifier {
  /** Lower triangle of X^T X, [D, D], and X^T Y as [K, D]. */
  private readonly products: Float64Array;
  private readonly towards: Float64Array;
  /** [K] share of the rows. */
  private readonly shares: Float64Array;

  constructor(
    private readonly rows: LabelledRows,
    private readonly classes: number,
  ) {
    const { features, width, labels } = rows;
    this.products = new Float64Array(width * width);
    this.towards = new Float64Array(classes * width);
    this.shares = new Float64Array(classes);
    labels.forEach((label, n) => {
      const at = n * width;
      for (const k of classesOf(rows, n, label, classes)) {
        this.shares[k] = (this.shares[k] as number) + 1 / labels.length;
        addScaled(this.towards, k * width, features, at, width, 1);
      }
      for (let d = 0; d < width; d++) {
        addScaled(this.products, d * width, features, at, d + 1, features[at + d] as number); // the lower triangle
      }
    });
  }

  /** `penalty` times the squared weights is added to the summed squared errors. */
  fit(penalty: number): RidgeFit {
    const { rows, classes, towards, shares } = this;
    const { width, features, labels } = rows;
    const lower = choleskyFactor(this.products, width, penalty);
    const weights = new Float64Array(classes * width);
    for (let k = 0; k < classes; k++) weights.set(solved(lower, towards, k * width, width), k * width);
    const leftOut = new Float64Array(labels.length * classes);
    for (const group of groupsOf(rows)) {
      const scores = (k: number) =>
        Float64Array.from(group, (n) => (shares[k] as number) + dot(weights, k * width, features, n * width, width));
      const keep = choleskyFactor(this.keptShare(lower, group), group.length, 0);
      for (let k = 0; k < classes; k++) {
        const truth = Float64Array.from(group, (n) => truthOf(rows, n, k, classes));
        const residual = scores(k).map((score, i) => (truth[i] as number) - score);
        const error = solved(keep, residual, 0, group.length);
        group.forEach((n, i) => {
          leftOut[n * classes + k] = (truth[i] as number) - (error[i] as number);
        });
      }
    }
    return { weights, bias: shares, leftOut };
  }

  /** I - H of the rows of a group, [M, M]: H is their block of the matrix that makes fitted scores of targets. */
  private keptShare(lower: Float64Array, group: readonly number[]): Float64Array {
    const { features, width, labels } = this.rows;
    const reach = group.map((n) => forward(lower, features, n * width, width));
    return Float64Array.from({ length: group.length ** 2 }, (_, at) => {
      const [i, j] = [Math.floor(at / group.length), at % group.length];
      return Number(i === j) - 1 / labels.length - dot(reach[i] as Float64Array, 0, reach[j] as Float64Array, 0, width);
    });
  }
}

const truthOf = ({ labels, targets }: LabelledRows, n: number, k: number, classes: number): number =>
  targets ? (targets[n * classes + k] as number) : Number(labels[n] === k);

const classesOf = ({ targets }: LabelledRows, n: number, label: number, classes: number): number[] =>
  targets ? Array.from({ length: classes }, (_, k) => k).filter((k) => targets[n * classes + k] === 1) : [label];

/** Rows of each group. */
function groupsOf({ labels, groups }: LabelledRows): number[][] {
  const members = new Map<number, number[]>();
  labels.forEach((_, n) => {
    const group = groups?.[n] ?? n;
    const known = members.get(group);
    if (known) known.push(n);
    else members.set(group, [n]);
  });
  return [...members.values()];
}

/** to += factor * by, for `count` values from `at` and `byAt` on. */
function addScaled(to: Float64Array, at: number, by: Float64Array, byAt: number, count: number, factor: number): void {
  for (let i = 0; i < count; i++) to[at + i] = (to[at + i] as number) + factor * (by[byAt + i] as number);
}

/** Lower triangle L with L L^T = A + penalty I; reads the lower triangle of A [D, D]. */
function choleskyFactor(matrix: Float64Array, width: number, penalty: number): Float64Array {
  const lower = new Float64Array(width * width);
  for (let n = 0; n < width; n++) {
    const at = n * width;
    for (let m = 0; m < n; m++) {
      const rest = (matrix[at + m] as number) - dot(lower, at, lower, m * width, m);
      lower[at + m] = rest / (lower[m * width + m] as number);
    }
    lower[at + n] = Math.sqrt((matrix[at + n] as number) + penalty - dot(lower, at, lower, at, n));
  }
  return lower;
}

/** L^-1 v, of the v from `at`. */
function forward(lower: Float64Array, v: Float64Array, at: number, width: number): Float64Array {
  const out = new Float64Array(width);
  for (let n = 0; n < width; n++) {
    out[n] = ((v[at + n] as number) - dot(out, 0, lower, n * width, n)) / (lower[n * width + n] as number);
  }
  return out;
}

/** (L L^T)^-1 v */
function solved(lower: Float64Array, v: Float64Array, at: number, width: number): Float64Array {
  const out = forward(lower, v, at, width);
  for (let n = width - 1; n >= 0; n--) {
    const value = (out[n] as number) / (lower[n * width + n] as number);
    addScaled(out, 0, lower, n * width, n, -value);
    out[n] = value;
  }
  return out;
}
