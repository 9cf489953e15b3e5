/**
 * The next moments to label in films, and the labels that look wrong. With labels, a linear probe on frozen features says how sure one
 * can be of each moment, unless the weights were trained for these labels; without, the weights' own answers do.
 */

import type { TimeWindow } from '../clip/temporalSampling.js';
import { type BatchVideo, DataLoader } from '../dataset/dataLoader.js';
import { footageOf } from '../dataset/footage.js';
import type { LabelledVideo, LabelledVideos } from '../dataset/labelledVideos.js';
import { targetsOf } from '../dataset/labelSets.js';
import { sigmoid } from '../metrics/sigmoid.js';
import { softmax, topK } from '../metrics/softmax.js';
import { platformOf } from '../node/platform.js';
import type { PlatformOptions } from '../platform/platform.js';
import { joined } from '../runtime/joined.js';
import { fitProbe, type ProbeFit } from '../train/linearProbe/fitProbe.js';
import { logitsOf } from '../train/linearProbe/probeResult.js';
import type { DecoderChoice } from '../video/types.js';
import type { Checkpoint } from '../weights/checkpoint.js';
import { type DoubtfulMoment, doubtfulMoments } from './doubtfulMoments.js';
import { FrozenWeights } from './frozenWeights.js';
import { informative } from './informative.js';
import { type Moment, openMoments } from './openMoments.js';

export interface SuggestJob extends PlatformOptions {
  /** Paths of video files; a short one is one moment. */
  readonly films: readonly string[];
  readonly weights: Checkpoint;
  /** Of the weights, for errors. */
  readonly where: string;
  /** What is labelled already; moments that it covers are not suggested. */
  readonly labelled?: LabelledVideos | undefined;
  /** Moments to suggest; 20 by default. */
  readonly count?: number | undefined;
  /** Length of a moment; by default the median of the labelled segments, what a clip spanned in training, or 2. */
  readonly windowSec?: number | undefined;
  readonly threads?: number | undefined;
  readonly workers?: number | undefined;
  readonly decoder?: DecoderChoice | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
  readonly onWarning?: ((message: string) => void) | undefined;
}

export interface SuggestedMoment extends TimeWindow {
  readonly path: string;
  /** From 0, sure, to 1. */
  readonly uncertainty: number;
  /** The likeliest label, and its probability. */
  readonly label: string;
  readonly score: number;
}

export interface Suggestions {
  /** The most valuable first. */
  readonly moments: readonly SuggestedMoment[];
  /** The clearest contradictions first; empty without labels. */
  readonly doubtful: readonly DoubtfulMoment[];
  /** Moments that were compared. */
  readonly considered: number;
  readonly windowSec: number;
  readonly notes: readonly string[];
}

/** Rejects with a DatasetError when no film can be read, a ConfigError for weights without features of clips. */
export async function suggest(job: SuggestJob): Promise<Suggestions> {
  const { weights, where, labelled, threads, decoder, workers, signal } = job;
  const windowSec = job.windowSec ?? usualLength(labelled) ?? weights.preprocess.windowSec ?? 2;
  const windows = await openMoments(job.films, windowSec, job);
  const engine = platformOf(job).openRuntime(threads === undefined ? {} : { threads });
  const loader = new DataLoader({
    ...{ preprocess: weights.preprocess, cacheFolder: false },
    ...(decoder && { decoder }),
    ...(workers !== undefined && { workers }),
  });
  try {
    const network = await FrozenWeights.load(engine, weights, where);
    const known = labelled?.videos ?? [];
    const reader = new Reader(network, loader, signal, progressOf(job, windows.length + known.length));
    const before = labelled && { ...(await reader.read(known)), videos: known };
    const fit = before && probeOf(before, labelled, network.blocks);
    const pool = await reader.read(windows);
    return { ...answers(job, { windows, pool, before, fit, blocks: network.blocks }), considered: windows.length, windowSec };
  } finally {
    await Promise.all([engine.close(), loader.close()]);
  }
}

const usualLength = (labelled: LabelledVideos | undefined): number | undefined => {
  const lengths = labelled?.videos.flatMap(({ segment }) => (segment ? [segment.endSec - segment.startSec] : [])) ?? [];
  return lengths.toSorted((a, b) => a - b)[lengths.length >> 1];
};

/** Features [N, D] and logits [N, K]. */
interface Seen {
  readonly features: Float32Array;
  readonly logits: Float32Array;
}

class Reader {
  constructor(
    private readonly network: FrozenWeights,
    private readonly loader: DataLoader,
    private readonly signal: AbortSignal | undefined,
    private readonly tell: (clips: number) => void,
  ) {}

  async read(videos: readonly BatchVideo[]): Promise<Seen> {
    const parts: Seen[] = [];
    const { network, signal } = this;
    const choices = { batch: network.batch, train: false, dropLast: false, ...(signal && { signal }) };
    for await (const { clips } of this.loader.batches(videos, choices)) {
      const { count } = clips;
      parts.push(await network.of(clips));
      this.tell(count);
    }
    return { features: joined(parts.map(({ features }) => features)), logits: joined(parts.map(({ logits }) => logits)) };
  }
}

function progressOf({ onProgress }: SuggestJob, of: number): (clips: number) => void {
  let done = 0;
  return (clips) => {
    done += clips;
    onProgress?.(done, of);
  };
}

type Labelled = Seen & { readonly videos: readonly LabelledVideo[] };

function probeOf(
  { features, videos }: Labelled,
  { labels: { length: classes } }: LabelledVideos,
  blocks: readonly number[],
): ProbeFit {
  const labels = Int32Array.from(videos, ({ labelIndex }) => labelIndex);
  const targets = targetsOf(videos, [...videos.keys()], classes);
  return fitProbe({ features, labels, targets }, classes, { blocks, groups: footageOf(videos)?.groups });
}

interface Parts {
  readonly windows: readonly Moment[];
  readonly pool: Seen;
  readonly before: Labelled | undefined;
  readonly fit: ProbeFit | undefined;
  readonly blocks: readonly number[];
}

function answers(job: SuggestJob, parts: Parts): Pick<Suggestions, 'moments' | 'doubtful' | 'notes'> {
  const { windows, pool, before, blocks } = parts;
  const { labels, multiLabel: many, scores, note } = scoresOf(job, parts);
  const chosen = informative({ features: pool.features, scores, many, labelled: before?.features, blocks }, job.count ?? 20);
  const moments = chosen.map(({ index, uncertainty }): SuggestedMoment => {
    const { path, segment } = windows[index] as Moment;
    const [best] = topK(scores[index] as number[], 1);
    return { path, ...segment, uncertainty, label: labels[best?.labelIndex ?? 0] ?? '', score: best?.score ?? 0 };
  });
  return { moments, doubtful: doubtfulOf(job, parts), notes: note };
}

/** Probabilities of each window: by the weights if they know these labels or there are none, else by the probe. */
function scoresOf({ weights, labelled }: SuggestJob, { windows, pool, fit }: Parts) {
  if (labelled && fit && !knows(weights, labelled)) {
    const logits = logitsOf({ features: pool.features, labels: new Int32Array(windows.length) }, fit);
    return { ...labelled, scores: probabilities(rows(logits, windows.length), labelled), note: [] };
  }
  const note = labelled
    ? 'these weights know these labels: wrong ones that they were trained on are found better with pretrained weights'
    : 'no labels given: how sure one can be is judged by the labels of the weights; --labelled takes yours';
  const scores = probabilities(rows(pool.logits, windows.length), weights, weights.calibration?.temperature);
  return { ...weights, scores, note: [note] };
}

/** Of one label or of several at once. */
const probabilities = (
  logits: readonly ArrayLike<number>[],
  { multiLabel }: Pick<LabelledVideos, 'multiLabel'>,
  temperature?: number,
) => logits.map((row) => (multiLabel ? sigmoid(row, temperature) : softmax(row, temperature)));

const knows = (weights: Checkpoint, { labels, multiLabel }: LabelledVideos): boolean =>
  weights.labels.join('\n') === labels.join('\n') && weights.multiLabel === multiLabel;

const rows = (values: Float32Array | Float64Array, count: number): ArrayLike<number>[] => {
  const width = values.length / count;
  return Array.from({ length: count }, (_, i) => values.subarray(i * width, (i + 1) * width));
};

function doubtfulOf({ labelled }: SuggestJob, { fit }: Parts): DoubtfulMoment[] {
  if (!labelled || !fit) return [];
  return doubtfulMoments(probabilities(rows(fit.leftOut, labelled.videos.length), labelled), labelled);
}
