/** The page of an evaluation: sample clips with what the network said, confusion matrix, classes. Drawn by train/report.ts. */
import { cpus } from 'node:os';
import { inOrder } from '../dataset/inOrder.js';
import type { LabelledVideos, Split } from '../dataset/labelledVideos.js';
import { networkCost } from '../models/cost.js';
import type { EvaluatedVideo, Evaluation } from '../recognise/evaluate.js';
import type { Recogniser } from '../recognise/recogniser.js';
import { topK } from '../scores/softmax.js';
import { clipPictures } from '../train/clipPictures.js';
import { type ReportClip, renderReport } from '../train/report.js';
import { VideoPool } from '../video/pool.js';
import type { DecoderChoice } from '../video/types.js';

/** Mistakes and recognised clips shown, at most. */
const shownWrong = 12;
const shownRight = 12;

/** How each video was looked at; scores are averaged. */
export interface Views {
  readonly clips: number;
  readonly crops: 1 | 3;
}

/** What was tested, and how it went. */
export interface EvaluationRun {
  readonly dataPath: string;
  readonly weightsPath: string;
  readonly split: Split | 'all';
  readonly views: Views;
  readonly data: LabelledVideos;
  readonly evaluation: Evaluation;
  readonly seconds: number;
}

export interface PictureOptions {
  readonly decoder: DecoderChoice;
  readonly signal?: AbortSignal;
}

/** The page as HTML text. Rejects as decoding does. */
export async function evaluationReport(recogniser: Recogniser, run: EvaluationRun, options: PictureOptions): Promise<string> {
  const { metrics, rows } = run.evaluation;
  const { config } = recogniser;
  const { correct, count, top5, meanClassAccuracy } = metrics;
  const { parameters, macs } = networkCost(config);
  const { views, split, dataPath, weightsPath } = run;
  const seed = recogniser.notes['seed'];
  return renderReport({
    title: `${config.name} on ${dataPath}`,
    lead: `Split ${split} (${run.data.splitBy}), ${views.clips} clip(s) and ${views.crops} crop(s) a video.`,
    accuracy: { top1: { correct, count }, top5, meanClassAccuracy },
    model: { name: config.name, parameters, macs, frames: config.frames, size: config.size, weightsPath },
    run: {
      ...{ testClips: count, seconds: run.seconds, data: dataPath, machine: machine() },
      ...{ date: new Date().toISOString().slice(0, 10), ...(seed !== undefined && { seed }) },
    },
    metrics,
    clips: await sampleClips(recogniser.labels, rows, options),
    commands: [
      {
        command: `vmf eval ${dataPath} --weights ${weightsPath} --split ${split} --views ${views.clips}x${views.crops}`,
        what: 'this page, with --report FILE',
      },
    ],
    notes: run.data.notes,
  });
}

/** The most confident mistakes, and recognised clips spread over the rest, with frames to look at. */
export async function sampleClips(
  labels: readonly string[],
  rows: readonly EvaluatedVideo[],
  options: PictureOptions,
): Promise<ReportClip[]> {
  const wrong = rows.filter(({ correct }) => !correct).sort((a, b) => b.score - a.score);
  const right = rows.filter(({ correct }) => correct);
  const chosen = [...wrong.slice(0, shownWrong), ...spread(right, shownRight)];
  const pool = new VideoPool({ decoder: options.decoder });
  const look = ({ path }: EvaluatedVideo, signal: AbortSignal) => clipPictures(pool, path, signal);
  const clips: ReportClip[] = [];
  try {
    for await (const [{ name, label, scores }, outcome] of inOrder(chosen, 2 * pool.size, look, options.signal)) {
      if ('error' in outcome) throw outcome.error;
      const predictions = topK(scores, 3).map(({ labelIndex, score }) => ({ label: labels[labelIndex] ?? '', score }));
      clips.push({ name, trueLabel: label, predictions, frames: outcome.value });
    }
    return clips;
  } finally {
    await pool.close();
  }
}

/** At most `count` items, evenly spaced. */
function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from({ length: count }, (_, i) => items[Math.floor(((i + 0.5) * items.length) / count)] as T);
}

function machine(): string {
  const processors = cpus();
  return `${processors[0]?.model.trim() ?? 'unknown processor'}, ${processors.length} threads, ${process.platform} ${process.arch}`;
}
