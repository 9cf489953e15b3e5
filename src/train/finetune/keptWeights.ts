/** Weights that fine-tuning may end with, and how they answer on the validation videos. */
export interface TestedWeights {
  /** Of the last epoch's weights in an average with the probe's, in [0, 1]: 0 is the probe itself. Undefined for the best epoch. */
  readonly tunedShare?: number | undefined;
  readonly top1?: number | undefined;
  /** Instead of it with several labels at once: mean average precision. */
  readonly map?: number | undefined;
  /** Mean cross-entropy, with several labels at once binary. */
  readonly loss: number;
  /** Cross-entropy at the temperature that suits them best: how sure they are may be calibrated later. */
  readonly scaledLoss: number;
}

/** The words for such weights, for messages and reports. */
export function averageName(tunedShare: number | undefined): string {
  if (tunedShare === undefined) return 'the best epoch';
  if (tunedShare === 0) return 'the linear probe';
  return tunedShare === 1 ? 'the last epoch' : `${100 * tunedShare} % last epoch and the rest linear probe`;
}
