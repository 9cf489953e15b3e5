/**
 * Accuracy of a recogniser on labelled videos: every video, in order, none skipped. Labels are matched to those of the weights by
 * name.
 */

import type { Views } from '../clip/clipView.js';
import { type LabelledVideo, labelsOf } from '../dataset/labelledVideos.js';
import { some } from '../dataset/some.js';
import type { VideoPart } from '../dataset/videoPart.js';
import { ConfigError, DatasetError } from '../errors.js';
import { computeMetrics, type Metrics } from '../metrics/metrics.js';
import type { ClipResult, Recogniser } from './recogniser.js';

export interface EvaluateOptions extends Partial<Views> {
  /** Keep the logits of each video; false by default. */
  readonly logits?: boolean;
  readonly onProgress?: (done: number, of: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** One video and what was made of it. */
export interface EvaluatedVideo extends VideoPart {
  readonly name: string;
  readonly label: string;
  readonly predicted: string;
  readonly correct: boolean;
  /** Probability of the predicted label. */
  readonly score: number;
  /** [classes] probabilities in the order of the recogniser's labels. */
  readonly scores: readonly number[];
  /** The score is below the recogniser's threshold. */
  readonly unknown?: true;
  /** [views][classes] without temperature; only on request. */
  readonly logits?: readonly Float32Array[];
  /** Why the file counts as truncated, if it does. */
  readonly truncated?: string;
}

export interface Evaluation {
  /** Over the recogniser's labels, in their order. */
  readonly metrics: Metrics;
  /** In the order of the videos. */
  readonly rows: readonly EvaluatedVideo[];
}

/** What evaluation needs of a labelled video. */
export type TestVideo = Pick<LabelledVideo, 'path' | 'segment' | 'name' | 'label' | 'labels'>;

/**
 * Recognises all videos and compares. Rejects with a DatasetError before anything is decoded when a label is none of the
 * recogniser's, and with the VideoError or LimitError of the first video that cannot be read.
 */
export async function evaluateDataset(
  recogniser: Recogniser,
  videos: readonly TestVideo[],
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  if (recogniser.multiLabel) throw new ConfigError('these weights have several labels at once; use evaluateMultiLabel');
  const several = videos.find(({ labels }) => labels !== undefined);
  if (several) {
    const message = 'has several labels at once, and the weights one; --labels one reads lists of one label each';
    throw new DatasetError(message, { path: several.name });
  }
  const places = placesOf(recogniser.labels, videos);
  const rows = await recognisedRows(recogniser, videos, row, options);
  const clips = rows.map(({ label, scores }) => ({ labelIndex: places.get(label) ?? -1, scores }));
  return { metrics: computeMetrics(clips, recogniser.labels), rows };
}

/** A row a video, in their order; rejects with the error of the first that cannot be read. */
export async function recognisedRows<Row>(
  recogniser: Recogniser,
  videos: readonly TestVideo[],
  rowOf: (video: TestVideo, recognised: ClipResult) => Row,
  { onProgress, ...views }: EvaluateOptions,
): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const result of recogniser.recogniseMany(videos, { ...views, top: 1 })) {
    if ('error' in result) throw result.error;
    rows.push(rowOf(videos[rows.length] as TestVideo, result));
    onProgress?.(rows.length, videos.length);
  }
  return rows;
}

function row({ path, segment, name, label }: TestVideo, recognised: ClipResult): EvaluatedVideo {
  const { predictions, scores, truncated, unknown, logits } = recognised;
  const best = predictions[0] ?? { label: '', score: Number.NaN };
  const more = { ...(unknown && { unknown }), ...(logits && { logits }), ...(truncated !== undefined && { truncated }) };
  const video = { path, ...(segment && { segment }), name, label };
  return { ...video, predicted: best.label, correct: best.label === label, score: best.score, scores, ...more };
}

export function placesOf(labels: readonly string[], videos: readonly TestVideo[]): Map<string, number> {
  const places = new Map(labels.map((label, i) => [label, i]));
  const strange = [...new Set(videos.flatMap(labelsOf))].filter((label) => !places.has(label));
  if (strange.length === 0) return places;
  const what = strange.length === 1 ? 'a class' : `${strange.length} classes`;
  throw new DatasetError(
    `the data has ${what} that the weights do not know: ${some(strange)}; the weights know ${labels.length}: ${some([...labels])}`,
  );
}
