import { WeightsError } from '../../errors.js';

/** A teacher's features as targets: less their mean, over their deviation, of length 1, so that only what tells clips apart counts. */
export class FeatureDirections {
  private readonly centre: Float64Array;
  private readonly scale: Float64Array;

  /** Rows [N][D] of some clips, from which mean and deviation are taken; a constant feature counts for nothing. */
  constructor(rows: readonly Float32Array[]) {
    const width = rows[0]?.length ?? 0;
    const mean = (of: (row: Float32Array, d: number) => number) =>
      Float64Array.from({ length: width }, (_, d) => rows.reduce((sum, row) => sum + of(row, d), 0) / rows.length);
    this.centre = mean((row, d) => row[d] as number);
    const variance = mean((row, d) => ((row[d] as number) - (this.centre[d] as number)) ** 2);
    this.scale = variance.map((value, d) => (value > 1e-8 * (1 + (this.centre[d] as number) ** 2) ? 1 / Math.sqrt(value) : 0));
  }

  /** -> [B, D], rows of length 1. WeightsError when the features are no numbers. */
  of(rows: readonly Float32Array[], where: string): Float32Array {
    const { centre, scale } = this;
    const out = new Float32Array(rows.length * centre.length);
    for (const [b, row] of rows.entries()) {
      const values = row.map((value, d) => (value - (centre[d] as number)) * (scale[d] as number));
      const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
      if (!Number.isFinite(length)) throw new WeightsError('its features are no numbers', { path: where });
      out.set(length > 0 ? values.map((value) => value / length) : values, b * centre.length);
    }
    return out;
  }
}
