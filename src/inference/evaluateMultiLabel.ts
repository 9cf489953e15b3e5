/** Evaluation where any number of labels is true of a video: every video, in order, none skipped. */

import { joinedLabels, labelsOf } from '../dataset/labelledVideos.js';
import { type MultiLabelMetrics, multiLabelMetrics } from '../metrics/multiLabel.js';
import { type EvaluateOptions, placesOf, recognisedRows, type TestVideo } from './evaluate.js';
import type { ClipResult, Recogniser } from './recogniser.js';

/** One video and what was made of it. */
export interface MultiLabelVideo {
  readonly path: string;
  readonly name: string;
  /** Sorted; none where nothing happens. */
  readonly labels: readonly string[];
  /** Those whose score reaches their threshold, sorted. */
  readonly predicted: readonly string[];
  /** Whether both are the same. */
  readonly correct: boolean;
  /** [classes] probabilities, each of its own class, in the order of the recogniser's labels. */
  readonly scores: readonly number[];
  /** [views][classes] without temperature; only on request. */
  readonly logits?: readonly Float32Array[];
  /** Why the file counts as truncated, if it does. */
  readonly truncated?: string;
}

export interface MultiLabelEvaluation {
  /** Over the recogniser's labels, in their order. */
  readonly metrics: MultiLabelMetrics;
  /** In the order of the videos. */
  readonly rows: readonly MultiLabelVideo[];
}

/**
 * As `evaluateDataset`, for weights of several labels at once. A video with one label has a set of one. Rejects alike: a label that is none
 * of the recogniser's is a DatasetError before anything is decoded.
 */
export async function evaluateMultiLabel(
  recogniser: Recogniser,
  videos: readonly TestVideo[],
  options: EvaluateOptions = {},
): Promise<MultiLabelEvaluation> {
  const places = placesOf(recogniser.labels, videos);
  const rows = await recognisedRows(recogniser, videos, row, options);
  const clips = rows.map(({ labels, scores }) => ({ labelIndices: labels.map((label) => places.get(label) ?? -1), scores }));
  return { metrics: multiLabelMetrics(clips, recogniser.labels, recogniser.thresholds), rows };
}

function row(video: TestVideo, { labels: found = [], scores, truncated, logits }: ClipResult): MultiLabelVideo {
  const [labels, predicted] = [[...labelsOf(video)].sort(), [...found].sort()];
  return {
    ...{ path: video.path, name: video.name, labels, predicted },
    ...{ correct: joinedLabels(labels) === joinedLabels(predicted), scores },
    ...(logits && { logits }),
    ...(truncated !== undefined && { truncated }),
  };
}
