import { cpus } from 'node:os';
import type { Views } from '../clip/clipView.js';
import type { LabelledVideos, Split } from '../dataset/labelledVideos.js';
import type { Evaluation } from '../inference/evaluate.js';
import type { MultiLabelEvaluation } from '../inference/evaluateMultiLabel.js';
import type { Recogniser } from '../inference/recogniser.js';
import { networkCost } from '../models/cost.js';
import { type ReportData, renderReport } from '../report/report.js';
import { type PictureOptions, sampleClips } from '../report/sampleClips.js';

/** The evaluated data and its results. */
export interface EvaluationRun<Result extends Evaluation | MultiLabelEvaluation = Evaluation> {
  readonly dataPath: string;
  readonly weightsPath: string;
  readonly split: Split | 'all';
  readonly views: Views;
  readonly data: LabelledVideos;
  readonly evaluation: Result;
  readonly seconds: number;
}

/** The page as HTML text. Rejects as decoding does. */
export async function evaluationReport(
  recogniser: Recogniser,
  run: EvaluationRun<Evaluation | MultiLabelEvaluation>,
  options: PictureOptions,
): Promise<string> {
  const { config } = recogniser;
  const { count } = run.evaluation.metrics;
  const { parameters, macs } = networkCost(config);
  const { views, split, dataPath, weightsPath } = run;
  const seed = recogniser.notes['seed'];
  return renderReport({
    title: `${config.name} on ${dataPath}`,
    lead: `Split ${split} (${run.data.splitBy}), ${views.clips} clip(s) and ${views.crops} crop(s) a video.`,
    model: {
      name: config.name,
      parameters,
      macs,
      frames: config.frames,
      height: config.height,
      width: config.width,
      weightsPath,
    },
    run: {
      ...{ testClips: count, seconds: run.seconds, data: dataPath, machine: machine() },
      ...{ date: new Date().toISOString().slice(0, 10), ...(seed !== undefined && { seed }) },
    },
    ...(await results(recogniser, run.evaluation, options)),
    commands: [
      {
        command: `vmf eval ${dataPath} --weights ${weightsPath} --split ${split} --views ${views.clips}x${views.crops}`,
        what: 'this page, with --report FILE',
      },
    ],
    notes: run.data.notes,
  });
}

async function results(
  { labels }: Recogniser,
  evaluation: Evaluation | MultiLabelEvaluation,
  options: PictureOptions,
): Promise<Pick<ReportData, 'accuracy' | 'metrics' | 'multiLabel' | 'clips'>> {
  if (!isOneLabel(evaluation)) return { multiLabel: evaluation.metrics };
  const { metrics, rows } = evaluation;
  const { correct, count, top5, meanClassAccuracy } = metrics;
  const accuracy = { top1: { correct, count }, top5, meanClassAccuracy };
  return { accuracy, metrics, clips: await sampleClips(labels, rows, options) };
}

const isOneLabel = (evaluation: Evaluation | MultiLabelEvaluation): evaluation is Evaluation => 'top1' in evaluation.metrics;

function machine(): string {
  const processors = cpus();
  return `${processors[0]?.model.trim() ?? 'unknown processor'}, ${processors.length} threads, ${process.platform} ${process.arch}`;
}
