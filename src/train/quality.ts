/** What a validation says, and which weights are better for it. */

/** Mean cross-entropy, and share of right answers; binary cross-entropy and mean average precision for several labels at once. */
export interface ValidationResult {
  readonly loss: number;
  readonly top1?: number | undefined;
  readonly map?: number | undefined;
}

interface Validated {
  readonly valLoss?: number;
  readonly valTop1?: number;
  readonly valMap?: number;
}

interface Reached {
  readonly top1?: number | undefined;
  readonly map?: number | undefined;
  readonly loss?: number | undefined;
}

/** What weights are chosen by: the more, the better. */
export const qualityOf = ({ top1, map }: Reached) => map ?? top1;

/** Higher validation top-1 or mAP, or equal with lower loss; without validation videos the latest. NaN is never better. */
export function isBetter({ valTop1: top1, valMap: map, valLoss: loss }: Validated, best: Reached | undefined): boolean {
  const quality = qualityOf({ top1, map });
  if (quality === undefined || loss === undefined) return true;
  if (Number.isNaN(loss)) return false;
  const before = best && qualityOf(best);
  if (before === undefined || best?.loss === undefined) return true;
  return quality > before || (quality === before && loss < best.loss);
}

/** As fields of a line of metrics.jsonl. */
export const validated = ({ loss, top1, map }: ValidationResult): Validated => ({
  ...{ valLoss: loss, ...(top1 !== undefined && { valTop1: top1 }), ...(map !== undefined && { valMap: map }) },
});

/** For the notes of weights. */
export const reachedNotes = ({ top1, map }: Pick<ValidationResult, 'top1' | 'map'>): Readonly<Record<string, string>> => ({
  ...(top1 !== undefined && { valTop1: top1.toFixed(4) }),
  ...(map !== undefined && { valMap: map.toFixed(4) }),
});
