/**
 * The end of fine-tuning: averages of the probe's and the tuned weights, tested on validation videos. Such averages keep more of what was
 * learnt before than tuned weights alone (Wortsman et al. 2022, arXiv 2109.01903).
 */

import { type LabelledVideos, videosOf } from '../../dataset/labelledVideos.js';
import { percent } from '../../metrics/percent.js';
import type { FlatWeights } from '../../models/network.js';
import type { RunFolder } from '../runFolder/runFolder.js';
import type { TrainOutcome } from '../trainer.js';
import { type ValidationParts, type ValidationResult, validate } from '../validation.js';

export interface AverageParts extends ValidationParts {
  readonly data: LabelledVideos;
  readonly folder: RunFolder;
  readonly outcome: TrainOutcome;
  readonly onEvent: (event: { readonly kind: 'note'; readonly message: string }) => void;
}

/** What the run ends with. */
export interface Kept extends ValidationResult {
  /** Of the tuned weights in the average, 0 for the probe alone; undefined for the best epoch as it is. */
  readonly tunedShare: number | undefined;
}

const shares = [0, 0.25, 0.5, 0.75, 1];

/**
 * `best` becomes the one of least validation loss of the probe, the best epoch, and averages of probe and last epoch; those that are right
 * less often than the probe do not count. Undefined without validation videos: then the last epoch stays.
 */
export async function averageWithProbe(parts: AverageParts): Promise<Kept | undefined> {
  const { folder, outcome, data, onEvent } = parts;
  const { bestTop1, bestLoss } = outcome;
  if (bestTop1 === undefined || bestLoss === undefined) return undefined;
  const val = videosOf(data, 'val');
  const [probe, tuned] = [await folder.readProbe(), await folder.readLast()];
  const candidates: Kept[] = [];
  for (const tunedShare of shares) {
    await use(parts, averaged(probe, tuned, tunedShare));
    const result = await validate(parts, val);
    if (result && !Number.isNaN(result.loss)) candidates.push({ tunedShare, ...result });
  }
  const floor = candidates.find(({ tunedShare }) => tunedShare === 0)?.top1 ?? 0;
  const epoch = { tunedShare: undefined, top1: bestTop1, loss: bestLoss };
  const kept = [...(outcome.bestEpoch > 0 ? [epoch] : []), ...candidates]
    .filter(({ top1 }) => top1 >= floor)
    .reduce((best, each) => (each.loss < best.loss ? each : best));
  onEvent({ kind: 'note', message: told(candidates, kept) });
  if (kept.tunedShare === undefined) return kept;
  const { training: _, notes, ...rest } = tuned;
  const more = { tunedShare: String(kept.tunedShare), valTop1: kept.top1.toFixed(4) };
  await folder.saveBest({ ...rest, ...averaged(probe, tuned, kept.tunedShare), notes: { ...notes, ...more } });
  return kept;
}

async function use({ session }: AverageParts, weights: FlatWeights): Promise<void> {
  const none = new Float32Array(weights.parameters.length);
  await session.setWeights({ ...weights, expAvg: none, expAvgSq: none });
}

/** (1 - share) a + share b */
export function averaged(a: FlatWeights, b: FlatWeights, share: number): FlatWeights {
  const mean = (x: Float32Array, y: Float32Array) => x.map((value, i) => (1 - share) * value + share * (y[i] as number));
  return { parameters: mean(a.parameters, b.parameters), statistics: mean(a.statistics, b.statistics) };
}

function told(candidates: readonly Kept[], { tunedShare, top1, loss }: Kept): string {
  const each = candidates.map((one) => `${one.tunedShare} ${percent(one.top1)} / ${one.loss.toFixed(3)}`).join(', ');
  const what =
    tunedShare === undefined
      ? 'the best epoch'
      : tunedShare === 0
        ? 'the probe'
        : `${100 * tunedShare} % tuned weights and the rest of the probe`;
  return `kept ${what}: val top-1 ${percent(top1)}, loss ${loss.toFixed(3)} (share of the tuned weights, top-1 / loss: ${each})`;
}
