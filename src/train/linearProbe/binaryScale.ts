/** Scores of several labels at once to logits: one scale for all classes and an offset for each (Platt 1999, a scale shared). */

import { resultOfBinaryLogits } from '../../metrics/multiLabel.js';

export interface BinaryScale {
  readonly scale: number;
  /** [classes] */
  readonly offsets: readonly number[];
  /** Mean binary cross-entropy and mean average precision of scale times score plus offset. */
  readonly loss: number;
  readonly map: number;
}

/** Scores say little or nothing where their best scale is less. */
const leastScale = 0.1;
const mostRounds = 50;

/** The scale and offsets of greatest likelihood of scores [N, K] for targets 0 and 1 [N, K]. */
export function atBestOffsets(scores: Float64Array, targets: Float32Array, classes: number): BinaryScale {
  const problem = { scores, soft: plattTargets(targets, classes), classes };
  const free = newton(problem, { scale: 1, offsets: new Float64Array(classes) }, true);
  const { scale, offsets } = free.scale >= leastScale ? free : newton(problem, { ...free, scale: leastScale }, false);
  const logits = scores.map((score, i) => scale * score + (offsets[i % classes] as number));
  return { scale, offsets: [...offsets], ...resultOfBinaryLogits(logits, targets, classes) };
}

interface Problem {
  readonly scores: Float64Array;
  readonly soft: Float64Array;
  readonly classes: number;
}

interface Point {
  readonly scale: number;
  readonly offsets: Float64Array;
}

/** Smoothed by the number of clips of either kind, so that separable scores give a finite scale. */
function plattTargets(targets: Float32Array, classes: number): Float64Array {
  const count = targets.length / classes;
  const positives = new Float64Array(classes);
  targets.forEach((value, i) => {
    positives[i % classes] = (positives[i % classes] as number) + value;
  });
  return Float64Array.from(targets, (value, i) => {
    const own = positives[i % classes] as number;
    return value === 1 ? (own + 1) / (own + 2) : 1 / (count - own + 2);
  });
}

/** Newton's method with halved steps; the loss is convex. */
function newton(problem: Problem, start: Point, freeScale: boolean): Point {
  let [at, loss] = [start, lossAt(problem, start)];
  for (let round = 0; round < mostRounds; round++) {
    const step = stepAt(problem, at, freeScale);
    let [share, next] = [1, moved(at, step, 1)];
    let nextLoss = lossAt(problem, next);
    while (nextLoss > loss && share > 1e-6) {
      share /= 2;
      next = moved(at, step, share);
      nextLoss = lossAt(problem, next);
    }
    if (!(nextLoss < loss - 1e-12 * Math.abs(loss))) break;
    [at, loss] = [next, nextLoss];
  }
  return at;
}

const moved = ({ scale, offsets }: Point, step: Point, share: number): Point => ({
  scale: scale - share * step.scale,
  offsets: offsets.map((offset, k) => offset - share * (step.offsets[k] as number)),
});

function lossAt({ scores, soft, classes }: Problem, { scale, offsets }: Point): number {
  let sum = 0;
  scores.forEach((score, i) => {
    const z = scale * score + (offsets[i % classes] as number);
    sum += Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - (soft[i] as number) * z;
  });
  return sum;
}

/** The Hessian is diagonal in the offsets: solved for the scale first (Schur complement). */
function stepAt({ scores, soft, classes }: Problem, { scale, offsets }: Point, freeScale: boolean): Point {
  const [slope, curve, cross] = [new Float64Array(classes), new Float64Array(classes).fill(1e-9), new Float64Array(classes)];
  let [scaleSlope, scaleCurve] = [0, 1e-9];
  scores.forEach((score, i) => {
    const k = i % classes;
    const p = 1 / (1 + Math.exp(-(scale * score + (offsets[k] as number))));
    const [error, weight] = [p - (soft[i] as number), p * (1 - p)];
    slope[k] = (slope[k] as number) + error;
    curve[k] = (curve[k] as number) + weight;
    cross[k] = (cross[k] as number) + weight * score;
    scaleSlope += error * score;
    scaleCurve += weight * score * score;
  });
  for (let k = 0; k < classes; k++) {
    const ratio = (cross[k] as number) / (curve[k] as number);
    scaleSlope -= ratio * (slope[k] as number);
    scaleCurve -= ratio * (cross[k] as number);
  }
  const along = freeScale ? scaleSlope / Math.max(scaleCurve, 1e-9) : 0;
  return { scale: along, offsets: slope.map((value, k) => (value - (cross[k] as number) * along) / (curve[k] as number)) };
}
