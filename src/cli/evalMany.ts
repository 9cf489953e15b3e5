/** `vmf eval` for weights of several labels at once: mean average precision, F1, and a table of classes. */

import { joinedLabels, type LabelledVideo, type LabelledVideos } from '../dataset/labelledVideos.js';
import { evaluateMultiLabel, type MultiLabelEvaluation } from '../inference/evaluateMultiLabel.js';
import type { Recogniser } from '../inference/recogniser.js';
import { binaryCalibration } from '../metrics/binaryCalibration.js';
import type { CalibrationReport } from '../metrics/calibration.js';
import { percent } from '../metrics/percent.js';
import { type EvalFlags, shareOf, writeText } from './evalFlags.js';
import { evaluationReport } from './evalReport.js';
import { bar, ProgressLine } from './progressLine.js';
import { csvTable, jsonText, textTable } from './textTable.js';

interface Asked {
  readonly dataPath: string;
  readonly data: LabelledVideos;
  readonly videos: readonly LabelledVideo[];
  readonly flags: EvalFlags;
  readonly signal: AbortSignal;
}

interface Tested extends Asked {
  readonly evaluation: MultiLabelEvaluation;
  readonly seconds: number;
}

/** Tests, writes what was asked for, and prints. */
export async function evaluateMany(recogniser: Recogniser, asked: Asked): Promise<void> {
  const { videos, flags, signal } = asked;
  const line = new ProgressLine();
  const started = performance.now();
  const onProgress = (done: number, of: number) => line.show(`testing ${bar(done / of)} ${done}/${of}`);
  let evaluation: MultiLabelEvaluation;
  try {
    evaluation = await evaluateMultiLabel(recogniser, videos, { ...flags.views, onProgress, signal });
  } finally {
    line.clear();
  }
  const tested = { ...asked, evaluation, seconds: (performance.now() - started) / 1000 };
  for (const { name, truncated } of evaluation.rows) {
    if (truncated !== undefined) process.stderr.write(`warning: ${name}: truncated: ${truncated}; what is there was used\n`);
  }
  if (flags.csv !== undefined) await writeText(flags.csv, rowsAsCsv(recogniser, evaluation));
  if (flags.report !== undefined) {
    const { dataPath, data } = asked;
    const { weights: weightsPath, split, views, decoder } = flags;
    const run = { dataPath, weightsPath, split, views, data, evaluation, seconds: tested.seconds };
    await writeText(flags.report, await evaluationReport(recogniser, run, { decoder, signal }));
  }
  process.stdout.write(flags.json ? jsonText(asJson(recogniser, tested)) : describe(recogniser, tested));
}

function rowsAsCsv({ labels }: Recogniser, { rows }: MultiLabelEvaluation): string {
  const header = ['name', 'labels', 'predicted', 'correct', ...labels.map((label) => `score of ${label}`)];
  return csvTable(
    header,
    rows.map((row) => [row.name, joinedLabels(row.labels), joinedLabels(row.predicted), row.correct ? 1 : 0, ...row.scores]),
  );
}

function calibrationOf({ labels: all }: Recogniser, { rows }: MultiLabelEvaluation): CalibrationReport {
  const place = new Map(all.map((label, i) => [label, i]));
  return binaryCalibration(
    rows.map(({ labels, scores }) => ({ labelIndices: labels.map((label) => place.get(label) ?? -1), scores })),
  );
}

function asJson(recogniser: Recogniser, { evaluation, dataPath, data, flags, seconds }: Tested): object {
  const { config, labels, calibration } = recogniser;
  const { weights, split, views } = flags;
  return {
    ...{ data: dataPath, split, splitBy: data.splitBy, weights, model: config.name, views, multiLabel: true, labels },
    ...evaluation.metrics,
    calibration: { temperature: calibration?.temperature ?? 1, ...calibrationOf(recogniser, evaluation) },
    rows: evaluation.rows.map(({ path: _, ...row }) => row),
    seconds: Number(seconds.toFixed(3)),
  };
}

function describe(recogniser: Recogniser, { evaluation, dataPath, flags, seconds }: Tested): string {
  const { config, calibration } = recogniser;
  const { count, map, microF1, macroF1, exactMatch, perClass } = evaluation.metrics;
  const { views } = flags;
  const happening = perClass.filter((row) => row.count > 0).length;
  const { ece, nll } = calibrationOf(recogniser, evaluation);
  const tuned = flags.threshold === undefined && calibration?.thresholds !== undefined;
  const from = tuned
    ? `thresholds chosen on ${calibration?.fittedOn.videos} videos of split ${calibration?.fittedOn.split}`
    : `threshold ${flags.threshold ?? 0.5} for all classes`;
  return [
    `${dataPath}, split ${flags.split}, with ${flags.weights} (${config.name}), views ${views.clips}x${views.crops}\n`,
    `mAP                  ${shareOf(map)}  (mean average precision of ${happening} classes that happen, ${count} videos)`,
    `micro F1             ${shareOf(microF1)}  (${from})`,
    `macro F1             ${shareOf(macroF1)}`,
    `exact match          ${percent(exactMatch)}`,
    `calibration error    ${percent(ece)}, binary cross-entropy ${nll.toFixed(3)}`,
    `time                 ${seconds.toFixed(1)} s, ${(count / seconds).toFixed(1)} videos/s\n`,
    textTable(
      ['class', 'videos', 'AP', 'F1', 'recall', 'precision', 'threshold'],
      perClass.map((row) => [
        ...[row.label, row.count, shareOf(row.ap), shareOf(row.f1), shareOf(row.recall), shareOf(row.precision)],
        row.threshold.toFixed(3),
      ]),
    ),
    mistakes(evaluation),
  ].join('\n');
}

const named = (labels: readonly string[]): string => (labels.length === 0 ? 'nothing' : labels.join(', '));

function mistakes({ rows }: MultiLabelEvaluation): string {
  const wrong = rows.filter(({ correct }) => !correct);
  if (wrong.length === 0) return 'no mistakes\n';
  const wrongLabels = ({ labels, predicted }: (typeof rows)[number]) =>
    labels.filter((label) => !predicted.includes(label)).length + predicted.filter((label) => !labels.includes(label)).length;
  const worst = [...wrong].sort((a, b) => wrongLabels(b) - wrongLabels(a)).slice(0, 10);
  const title = wrong.length > 10 ? `${wrong.length} videos with a mistake, 10 with the most` : 'mistakes';
  return `${title}\n${textTable(
    ['video', 'labels', 'predicted'],
    worst.map((row) => [row.name, named(row.labels), named(row.predicted)]),
  )}`;
}
