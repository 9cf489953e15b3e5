import { orderedMap } from '../dataset/orderedMap.js';
import type { VideoPart } from '../dataset/videoPart.js';
import type { EvaluatedVideo } from '../inference/evaluate.js';
import { topK } from '../metrics/softmax.js';
import { VideoPool } from '../video/pool.js';
import type { DecoderChoice } from '../video/types.js';
import { clipPictures } from './clipPictures.js';
import type { ReportClip } from './reportData.js';

const shownWrong = 12;
const shownRight = 12;

export interface PictureOptions {
  readonly decoder: DecoderChoice;
  readonly signal?: AbortSignal;
}

/** The most confident mistakes, then recognised clips. Rejects as decoding does. */
export async function sampleClips(
  labels: readonly string[],
  rows: readonly EvaluatedVideo[],
  options: PictureOptions,
): Promise<ReportClip[]> {
  const wrong = rows.filter(({ correct }) => !correct).sort((a, b) => b.score - a.score);
  const right = rows.filter(({ correct }) => correct);
  const chosen = [...wrong.slice(0, shownWrong), ...spread(right, shownRight)];
  const pictures = await picturesOf(chosen, options);
  return chosen.map(({ name, label, scores }, i) => ({
    ...{ name, trueLabel: label, frames: pictures[i] ?? [] },
    predictions: topK(scores, 3).map(({ labelIndex, score }) => ({ label: labels[labelIndex] ?? '', score })),
  }));
}

/** A few frames of each video as data URIs, in the videos' order. Rejects as decoding does. */
export async function picturesOf(videos: readonly VideoPart[], { decoder, signal }: PictureOptions): Promise<string[][]> {
  const pool = new VideoPool({ decoder });
  const look = (video: VideoPart, leaving: AbortSignal) => clipPictures(pool, video, leaving);
  const pictures: string[][] = [];
  try {
    for await (const [, outcome] of orderedMap(videos, 2 * pool.size, look, signal)) {
      if ('error' in outcome) throw outcome.error;
      pictures.push(outcome.value);
    }
    return pictures;
  } finally {
    await pool.close();
  }
}

function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from({ length: count }, (_, i) => items[Math.floor(((i + 0.5) * items.length) / count)] as T);
}
