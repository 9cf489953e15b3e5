/**
 * From values seen to the range that 256 steps are spread over. A wide range rounds everything coarsely, a narrow one cuts off the
 * largest values: three ways to settle that, of which the network's own output shows the best.
 */

export const rangeMethods = ['minmax', 'percentile', 'mse'] as const;
export type RangeMethod = (typeof rangeMethods)[number];

/** A value is scale * (q - zero), q from 0 to 255. */
export interface Steps {
  readonly scale: number;
  readonly zero: number;
}

const bins = 2048;
/** Share of values inside the percentile range. */
const kept = 0.9999;

/** How often values fell where, of one tensor over all clips. */
export class Histogram {
  private readonly counts = new Float64Array(bins);
  private total = 0;

  /** `low` to `high` holds all values. */
  constructor(
    readonly low: number,
    readonly high: number,
  ) {}

  add(values: Float32Array): void {
    const perValue = bins / Math.max(this.high - this.low, Number.MIN_VALUE);
    for (const value of values) {
      const bin = Math.min(Math.max(Math.floor((value - this.low) * perValue), 0), bins - 1);
      this.counts[bin] = (this.counts[bin] ?? 0) + 1;
    }
    this.total += values.length;
  }

  /** The steps that a method chooses. */
  steps(method: RangeMethod): Steps {
    if (method === 'minmax') return stepsOf(this.low, this.high);
    if (method === 'percentile') return stepsOf(this.quantile((1 - kept) / 2), this.quantile((1 + kept) / 2));
    return this.leastError();
  }

  private quantile(share: number): number {
    let below = 0;
    for (let bin = 0; bin < bins; bin++) {
      below += this.counts[bin] ?? 0;
      if (below >= share * this.total) return this.valueOf(share < 0.5 ? bin : bin + 1);
    }
    return this.high;
  }

  private valueOf(edge: number): number {
    return this.low + ((this.high - this.low) * edge) / bins;
  }

  /** Both ends drawn in together, by 2.5 % at a time, to where the mean squared error is least. */
  private leastError(): Steps {
    const candidates = Array.from({ length: 36 }, (_, i) => stepsOf(this.low * (1 - i / 40), this.high * (1 - i / 40)));
    const errors = candidates.map((steps) => this.squaredError(steps));
    return candidates[errors.indexOf(Math.min(...errors))] ?? stepsOf(this.low, this.high);
  }

  private squaredError({ scale, zero }: Steps): number {
    let sum = 0;
    for (let bin = 0; bin < bins; bin++) {
      const count = this.counts[bin] ?? 0;
      if (count === 0) continue;
      const value = this.valueOf(bin + 0.5);
      const q = Math.min(Math.max(Math.round(value / scale) + zero, 0), 255);
      sum += count * (value - scale * (q - zero)) ** 2;
    }
    return sum;
  }
}

/** Widened to hold 0, which becomes exact: padding and dead channels stay 0. */
function stepsOf(low: number, high: number): Steps {
  const [from, to] = [Math.min(low, 0), Math.max(high, 0)];
  const scale = Math.max((to - from) / 255, 1e-8);
  return { scale, zero: Math.min(Math.max(Math.round(-from / scale), 0), 255) };
}
