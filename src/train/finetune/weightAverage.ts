/**
 * The end of fine-tuning: averages of the probe's and the tuned weights, tested on validation videos. Such averages keep more of what was
 * learnt before than tuned weights alone (Wortsman et al. 2022, arXiv 2109.01903).
 */

import { type LabelledVideo, type LabelledVideos, videosOf } from '../../dataset/labelledVideos.js';
import { atBestTemperature } from '../../metrics/binaryCalibration.js';
import { percent } from '../../metrics/percent.js';
import type { FlatWeights } from '../../models/network.js';
import type { Checkpoint } from '../../weights/checkpoint.js';
import { atBestScale } from '../linearProbe/fitProbe.js';
import { qualityOf, reachedNotes, type ValidationResult } from '../quality.js';
import type { RunFolder } from '../runFolder/runFolder.js';
import type { TrainOutcome } from '../trainer.js';
import { resultOf, type Truth, type ValidationParts, validationLogits } from '../validation.js';
import { averageName, type TestedWeights } from './keptWeights.js';

export interface AverageParts extends ValidationParts {
  readonly data: LabelledVideos;
  readonly folder: RunFolder;
  readonly probe: Checkpoint;
  readonly outcome: TrainOutcome;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent: (event: { readonly kind: 'note'; readonly message: string }) => void;
}

/** What the run ends with. */
export interface Kept extends ValidationResult {
  /** Of the tuned weights in the average, 0 for the probe alone; undefined for the best epoch as it is. */
  readonly tunedShare: number | undefined;
  readonly candidates: readonly TestedWeights[];
}

interface Candidate extends TestedWeights {
  readonly weights: FlatWeights;
}

const shares = [0, 0.25, 0.5, 0.75, 1];

/**
 * `best` becomes the one of least validation loss, each at its best temperature, of the probe, the best epoch, and averages of probe and
 * last epoch; those that are right less often than the probe do not count. Undefined without validation videos: the last epoch stays.
 * Throws the signal's reason when aborted between two of them; a resumed run tests them anew.
 */
export async function averageWithProbe(parts: AverageParts): Promise<Kept | undefined> {
  const { folder, probe, outcome, data, onEvent } = parts;
  if (qualityOf({ top1: outcome.bestTop1, map: outcome.bestMap }) === undefined) return undefined;
  const videos = videosOf(data, 'val');
  const tuned = await folder.readLast();
  const candidates = await tested(parts, videos, [
    ...shares.map((tunedShare) => ({ tunedShare, weights: averaged(probe, tuned, tunedShare) })),
    ...(outcome.bestEpoch > 0 ? [{ tunedShare: undefined, weights: await folder.readBest() }] : []),
  ]);
  const probed = candidates.find(({ tunedShare }) => tunedShare === 0);
  const floor = (probed && qualityOf(probed)) ?? 0;
  const fit = candidates.filter((each) => (qualityOf(each) ?? 0) >= floor);
  if (fit.length === 0) return undefined; // no logits are numbers: the run itself says so
  const {
    weights,
    scaledLoss: ___,
    tunedShare,
    ...best
  } = fit.reduce((least, each) => (each.scaledLoss < least.scaledLoss ? each : least));
  const kept: Kept = { tunedShare, ...best, candidates: candidates.map(({ weights: _, ...each }) => each) };
  onEvent({ kind: 'note', message: told(kept) });
  if (kept.tunedShare === undefined) return kept;
  const { training: __, notes, ...rest } = tuned;
  const more = { tunedShare: String(kept.tunedShare), ...reachedNotes(kept) };
  const { parameters, statistics } = weights;
  await folder.saveBest({ ...rest, parameters, statistics, notes: { ...notes, ...more } });
  return kept;
}

async function tested(
  parts: AverageParts,
  videos: readonly LabelledVideo[],
  all: readonly Pick<Candidate, 'tunedShare' | 'weights'>[],
): Promise<Candidate[]> {
  const { classes } = parts.config;
  const out: Candidate[] = [];
  for (const each of all) {
    parts.signal?.throwIfAborted();
    await use(parts, each.weights);
    const { logits, ...truth } = await validationLogits(parts, videos);
    if (!logits.every(Number.isFinite)) continue;
    out.push({ ...each, scaledLoss: scaledLossOf(logits, truth, classes), ...resultOf(logits, truth, classes) });
  }
  return out;
}

const scaledLossOf = (logits: Float32Array, { labels, targets }: Truth, classes: number): number =>
  targets ? atBestTemperature(logits, targets).loss : atBestScale(Float64Array.from(logits), labels, classes).loss;

async function use({ session }: AverageParts, weights: FlatWeights): Promise<void> {
  const none = new Float32Array(weights.parameters.length);
  await session.setWeights({ ...weights, expAvg: none, expAvgSq: none });
}

/** (1 - share) a + share b */
export function averaged(a: FlatWeights, b: FlatWeights, share: number): FlatWeights {
  const mean = (x: Float32Array, y: Float32Array) => x.map((value, i) => (1 - share) * value + share * (y[i] as number));
  return { parameters: mean(a.parameters, b.parameters), statistics: mean(a.statistics, b.statistics) };
}

function told({ candidates, tunedShare, ...kept }: Kept): string {
  const measure = kept.map === undefined ? 'top-1' : 'mAP';
  const name = (share: number | undefined) => (share === undefined ? 'best epoch' : `${100 * share} %`);
  const each = candidates
    .map((one) => `${name(one.tunedShare)} ${percent(qualityOf(one) ?? Number.NaN)}, ${one.scaledLoss.toFixed(3)}`)
    .join('; ');
  const how = `share of the last epoch's weights, ${measure}, loss at its best temperature: ${each}`;
  return `kept ${averageName(tunedShare)}: val ${measure} ${percent(qualityOf(kept) ?? Number.NaN)} (${how})`;
}
