/**
 * Multinomial logistic regression with an L2 penalty, to its optimum: L-BFGS on all rows at once (Nocedal and Wright 2006, algorithm
 * 7.5), in float64. Small data only: rows and features in the thousands. Knows nothing of videos.
 */

import { dot } from './rowSpace.js';

/** Rows of features, end to end, with a class each. */
export interface LabelledRows {
  /** [N, D] */
  readonly features: Float64Array;
  readonly width: number;
  /** [N] */
  readonly labels: Int32Array;
}

/** weights [K, D], bias [K], end to end. */
export interface LinearClassifier {
  readonly parameters: Float64Array;
  readonly classes: number;
  readonly width: number;
}

export interface LogisticFit {
  readonly classifier: LinearClassifier;
  /** The objective and the largest entry of its gradient where it ended. */
  readonly loss: number;
  readonly gradient: number;
  readonly steps: number;
}

export interface FitOptions {
  /** Times half the squared weights (not the bias), added to the mean cross-entropy. */
  readonly penalty: number;
  readonly start?: LinearClassifier;
  /** Ends when no entry of the gradient is larger. */
  readonly tolerance?: number;
  readonly maxSteps?: number;
}

const remembered = 10;

/** The classifier with the least mean cross-entropy plus penalty; the objective is convex, so there is one (up to a constant in the bias). */
export function fitLogistic(rows: LabelledRows, classes: number, options: FitOptions): LogisticFit {
  const { penalty, start, tolerance = 1e-6, maxSteps = 1000 } = options;
  const x = start ? start.parameters.slice() : new Float64Array(classes * (rows.width + 1));
  const gradient = new Float64Array(x.length);
  let loss = objective(rows, classes, penalty, x, gradient);
  const memory: Pair[] = [];
  let steps = 0;
  for (; steps < maxSteps && largest(gradient) > tolerance; steps++) {
    const direction = newtonLike(gradient, memory);
    const next = search({ rows, classes, penalty }, x, loss, gradient, direction);
    if (!next) break; // no number between here and there: as good as float64 gets
    const step = next.x.map((value, i) => value - (x[i] as number));
    const change = next.gradient.map((value, i) => value - (gradient[i] as number));
    const curvature = dot(step, change);
    if (curvature > 1e-12 * dot(change, change)) memory.push({ step, change, curvature });
    if (memory.length > remembered) memory.shift();
    x.set(next.x);
    gradient.set(next.gradient);
    loss = next.loss;
  }
  return { classifier: { parameters: x, classes, width: rows.width }, loss, gradient: largest(gradient), steps };
}

/** Scores of a row, [K]. */
export function scoresOf({ parameters, classes, width }: LinearClassifier, features: Float64Array, row: number): Float64Array {
  const out = parameters.slice(classes * width);
  for (let k = 0; k < classes; k++) {
    let sum = out[k] as number;
    for (let d = 0; d < width; d++) sum += (parameters[k * width + d] as number) * (features[row * width + d] as number);
    out[k] = sum;
  }
  return out;
}

/** Mean cross-entropy plus penalty at x; fills the gradient. */
export function objective(rows: LabelledRows, classes: number, penalty: number, x: Float64Array, gradient: Float64Array): number {
  const { features, width, labels } = rows;
  const classifier = { parameters: x, classes, width };
  const weights = classes * width;
  gradient.fill(0);
  let loss = 0;
  labels.forEach((label, n) => {
    const shares = scoresOf(classifier, features, n);
    loss += softmaxInPlace(shares, label);
    shares[label] = (shares[label] as number) - 1;
    for (let k = 0; k < classes; k++) {
      const share = (shares[k] as number) / labels.length;
      gradient[weights + k] = (gradient[weights + k] as number) + share;
      for (let d = 0, at = k * width; d < width; d++, at++)
        gradient[at] = (gradient[at] as number) + share * (features[n * width + d] as number);
    }
  });
  let squares = 0;
  for (let i = 0; i < weights; i++) {
    const value = x[i] as number;
    squares += value * value;
    gradient[i] = (gradient[i] as number) + penalty * value;
  }
  return loss / labels.length + (penalty / 2) * squares;
}

/** Scores become shares; gives -log of the label's. */
export function softmaxInPlace(scores: Float64Array, label: number): number {
  const peak = Math.max(...scores);
  const own = (scores[label] as number) - peak;
  let total = 0;
  for (let k = 0; k < scores.length; k++) {
    scores[k] = Math.exp((scores[k] as number) - peak);
    total += scores[k] as number;
  }
  for (let k = 0; k < scores.length; k++) scores[k] = (scores[k] as number) / total;
  return Math.log(total) - own;
}

interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly curvature: number;
}

/** -H g, with the inverse Hessian H as the last steps suggest (two-loop recursion). */
function newtonLike(gradient: Float64Array, memory: readonly Pair[]): Float64Array {
  const q = gradient.slice();
  const factors = memory.toReversed().map(({ step, change, curvature }) => {
    const factor = dot(step, q) / curvature;
    addScaled(q, change, -factor);
    return factor;
  });
  const newest = memory.at(-1);
  if (newest) scale(q, newest.curvature / dot(newest.change, newest.change));
  memory.forEach(({ step, change, curvature }, i) => {
    addScaled(q, step, (factors[memory.length - 1 - i] as number) - dot(change, q) / curvature);
  });
  return scale(q, -1);
}

interface Problem {
  readonly rows: LabelledRows;
  readonly classes: number;
  readonly penalty: number;
}

/** The first of the steps 1, 1/2, 1/4, ... that lowers the objective enough (Armijo). */
function search(
  { rows, classes, penalty }: Problem,
  from: Float64Array,
  loss: number,
  gradient: Float64Array,
  direction: Float64Array,
): { x: Float64Array; gradient: Float64Array; loss: number } | undefined {
  const slope = dot(direction, gradient);
  for (let length = 1; length > 1e-12; length /= 2) {
    const x = addScaled(from.slice(), direction, length);
    const there = new Float64Array(x.length);
    const lossThere = objective(rows, classes, penalty, x, there);
    if (lossThere <= loss + 1e-4 * length * slope) return { x, gradient: there, loss: lossThere };
  }
  return undefined;
}

function largest(values: Float64Array): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}

function addScaled(to: Float64Array, by: Float64Array, factor: number): Float64Array {
  for (let i = 0; i < to.length; i++) to[i] = (to[i] as number) + factor * (by[i] as number);
  return to;
}

function scale(values: Float64Array, factor: number): Float64Array {
  for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) * factor;
  return values;
}
