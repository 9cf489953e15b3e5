/** Sample test clips: the most confident mistakes and one correct clip per class, as contact strips. */

import type { EvaluatedVideo, Evaluation } from '../inference/evaluate.js';
import type { Recogniser } from '../inference/recogniser.js';
import { topK } from '../metrics/softmax.js';
import { clipPictures } from '../report/clipPictures.js';
import type { ReportClip } from '../report/reportData.js';
import { VideoPool } from '../video/pool.js';

const framesShown = 8;
const mostMistakes = 6;

/** Reads the frames of the chosen clips once more. */
export async function sampleClips(recogniser: Recogniser, { rows }: Evaluation, signal?: AbortSignal): Promise<ReportClip[]> {
  const pool = new VideoPool();
  try {
    const clips: ReportClip[] = [];
    for (const row of chosen(rows)) clips.push(await sample(pool, recogniser.labels, row, signal));
    return clips;
  } finally {
    await pool.close();
  }
}

function chosen(rows: readonly EvaluatedVideo[]): EvaluatedVideo[] {
  const mistakes = rows.filter(({ correct }) => !correct).sort((a, b) => b.score - a.score);
  const right = new Map(rows.filter(({ correct }) => correct).map((row) => [row.label, row]));
  return [...mistakes.slice(0, mostMistakes), ...right.values()];
}

async function sample(
  pool: VideoPool,
  labels: readonly string[],
  row: EvaluatedVideo,
  signal: AbortSignal | undefined,
): Promise<ReportClip> {
  const frames = await clipPictures(pool, row.path, signal, framesShown);
  const predictions = topK(row.scores, 3).map(({ labelIndex, score }) => ({ label: labels[labelIndex] ?? '', score }));
  return { name: row.name, trueLabel: row.label, predictions, frames };
}
