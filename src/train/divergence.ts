/** Detects divergence: a non-finite loss or gradient, or a loss far above that of guessing. */

import type { TrainOptions } from './recipe/options.js';

/** Passes whose mean loss is checked, and the limit as a multiple of the loss of guessing. */
const window = 10;
const factor = 5;

type Weighing = Pick<TrainOptions, 'distillAlpha' | 'distillTemperature' | 'pseudoWeight'>;

/** Weight of a clip's targets in the loss: more than 1 with a teacher, by its squared temperature, and with pseudo-labels. */
export function lossWeight(options: Weighing, parts: { readonly teacher: boolean; readonly unlabelled: boolean }): number {
  const { distillAlpha: share, distillTemperature: temperature, pseudoWeight } = options;
  return (parts.teacher ? 1 - share + share * temperature ** 2 : 1) * (parts.unlabelled ? 1 + pseudoWeight : 1);
}

export class DivergenceWatch {
  private readonly recent: number[] = [];
  private readonly limit: number;

  /** `classes` gives the loss of guessing, ln classes, of targets that weigh so much in all. */
  constructor(classes: number, weight = 1) {
    this.limit = factor * Math.max(Math.log(classes), 1) * weight;
  }

  /** The fault after this pass, if any. */
  fault(loss: number, gradientNorm: number): string | undefined {
    if (!Number.isFinite(loss)) return `the loss is ${loss}`;
    if (!Number.isFinite(gradientNorm)) return `the gradient's norm is ${gradientNorm}`;
    this.recent.push(loss);
    if (this.recent.length > window) this.recent.shift();
    const mean = this.recent.reduce((sum, value) => sum + value, 0) / this.recent.length;
    if (this.recent.length < window || mean <= this.limit) return undefined;
    return `the mean loss of ${window} passes is ${mean.toFixed(2)}, more than ${factor} times that of guessing`;
  }
}
