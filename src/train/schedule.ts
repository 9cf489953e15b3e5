/** The learning rate over a run: linear warm-up, then a half cosine. */

export interface Schedule {
  readonly peak: number;
  readonly warmupSteps: number;
  readonly totalSteps: number;
  /** Learning rate at the end, as a share of the peak. */
  readonly finalShare: number;
}

/** The rate for a step, counted from 0. */
export function lrAt(step: number, { peak, warmupSteps, totalSteps, finalShare }: Schedule): number {
  if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
  const progress = Math.min((step - warmupSteps) / Math.max(totalSteps - warmupSteps, 1), 1);
  return peak * (finalShare + (1 - finalShare) * 0.5 * (1 + Math.cos(Math.PI * progress)));
}
