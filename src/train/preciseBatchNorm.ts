/**
 * Batch-norm statistics over several batches with the current weights ("precise batch norm", Wu and Johnson 2021): running
 * averages lag behind the weights and are poor with small batches.
 */

import { sizeOf } from '../graph/shape.js';
import type { VariableSpec } from '../models/variables.js';

/** Adds up what batch norms saw in each batch: pairs of running_mean and running_var in the order of the inventory. */
export class PreciseBatchNorm {
  private readonly sums: Float64Array;
  private readonly squares: Float64Array;
  private batches = 0;

  constructor(private readonly specs: readonly VariableSpec[]) {
    const length = specs.reduce((sum, spec) => sum + sizeOf(spec.shape), 0);
    this.sums = new Float64Array(length);
    this.squares = new Float64Array(length);
  }

  add(seen: Float32Array): void {
    this.batches++;
    for (let i = 0; i < seen.length; i++) {
      const value = seen[i] ?? 0;
      this.sums[i] = (this.sums[i] ?? 0) + value;
      this.squares[i] = (this.squares[i] ?? 0) + value * value;
    }
  }

  /** Mean of the means; variance = mean of the variances + variance of the means. */
  result(): Float32Array {
    const out = new Float32Array(this.sums.length);
    let at = 0;
    for (const { name, shape } of this.specs) {
      const channels = sizeOf(shape);
      for (let c = 0; c < channels; c++) {
        const mean = (this.sums[at + c] ?? 0) / this.batches;
        out[at + c] = name.endsWith('.running_var') ? mean + this.spread(at + c - channels) : mean;
      }
      at += channels;
    }
    return out;
  }

  private spread(meanIndex: number): number {
    const mean = (this.sums[meanIndex] ?? 0) / this.batches;
    return Math.max((this.squares[meanIndex] ?? 0) / this.batches - mean * mean, 0);
  }
}
