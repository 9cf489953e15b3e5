/** `vmf eval DATA --weights FILE`: accuracy on labelled videos. Fails rather than skip a video. */

import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Command, Option } from 'commander';
import { readDataset } from '../dataset/dataset.js';
import { type LabelledVideo, type LabelledVideos, type Split, videosOf } from '../dataset/labelledVideos.js';
import { ConfigError } from '../errors.js';
import { type Evaluation, evaluateDataset } from '../inference/evaluate.js';
import { loadRecogniser } from '../inference/fileRecogniser.js';
import type { Recogniser } from '../inference/recogniser.js';
import { type CalibrationReport, calibrationReport } from '../metrics/calibration.js';
import { wilsonInterval } from '../metrics/metrics.js';
import { percent } from '../metrics/percent.js';
import { abortable } from './abortable.js';
import {
  addMachineOptions,
  filterOption,
  recogniserOptions,
  seconds,
  share,
  thresholdOption,
  thresholdsGiven,
  viewsOption,
  whole,
} from './arguments.js';
import { addDataOptions, dataChoices } from './dataOptions.js';
import { calibrate, calibrationSplit } from './evalCalibrate.js';
import { evaluateFilmsOf, filmSplit } from './evalFilms.js';
import { type EvalFlags, shareOf, writeText } from './evalFlags.js';
import { evaluateMany } from './evalMany.js';
import { type EvaluationRun, evaluationReport } from './evalReport.js';
import { bar, ProgressLine } from './progressLine.js';
import { confusionText } from './resultText.js';
import { csvTable, jsonText, textTable } from './textTable.js';

export function evalCommand(): Command {
  const command = new Command('eval')
    .description(
      'test weights on labelled videos: top-1, top-5, mean class accuracy, confusion matrix, a row per video; mAP and F1 with several labels at once',
    )
    .argument('<data>', 'folder per class, train/val/test folders of class folders, or a CSV/TSV/JSONL list (path,label,split)')
    .requiredOption(
      '--weights <file>',
      'weights that `vmf train` wrote, pretrained ones by name, or a model of `vmf quantize` or `vmf export`',
    )
    .addOption(new Option('--split <name>', 'which videos').choices(['test', 'val', 'train', 'all']).default('test'))
    .addOption(
      new Option('--views <CLIPSxCROPS>', 'clips in time and crops (1 or 3) in space that are averaged')
        .argParser(viewsOption)
        .default({ clips: 1, crops: 1 }, '1x1'),
    )
    .option('--seed <n>', 'of the split, when the data has none: as in training (default: 0)', whole(0))
    .addOption(filterOption())
    .option('--calibrate', 'fit a temperature on the split (val by default) and store it with the weights, instead of testing')
    .option('--calibrated-out <file>', 'with --calibrate: write the weights here instead of into their file')
    .option(
      '--unknown <share>',
      'with --calibrate: choose a threshold that makes this share of the answers right, such as 0.95',
      share,
    )
    .option('--reject-threshold <score>', 'answers with a lower score are unknown (default: as stored with the weights)', share)
    .addOption(thresholdOption())
    .option('--films', 'test timelines of whole films against the segments: mAP, segment F1, edit score, frame accuracy')
    .option('--tune', 'with --films: choose on the split (val by default) how windows become bouts and store it with the weights')
    .option('--tuned-out <file>', 'with --tune: write the weights here instead of into their file')
    .option('--window <sec>', 'with --films: window of the timelines (default: what a clip spanned in training)', seconds)
    .option('--stride <sec>', 'with --films: from one window to the next (default: a quarter of a window)', seconds)
    .option('--predictions <file>', 'with --films: write what was found, as CSV or (.json) as ActivityNet results')
    .option('--csv <file>', 'write a row per video with all scores')
    .option('--report <file>', 'write a page with clips, confusion matrix and classes (HTML)')
    .option('--allow-outside', 'let a list name files outside its own folder')
    .option('--json', 'print everything as JSON');
  return addMachineOptions(addDataOptions(command)).action((path: string, flags: EvalFlags) =>
    abortable('eval', (signal) => run(path, flags, splitGiven(command, flags), signal)),
  );
}

function splitGiven(command: Command, { split }: EvalFlags): Split | 'all' | undefined {
  return command.getOptionValueSource('split') === 'cli' ? split : undefined;
}

async function run(dataPath: string, flags: EvalFlags, given: Split | 'all' | undefined, signal: AbortSignal): Promise<void> {
  const ofFilms = filmSplit(flags, given);
  const fitted = calibrationSplit(flags, given);
  for (const path of [flags.csv, flags.report, flags.calibratedOut, flags.tunedOut, flags.predictions])
    if (path !== undefined) checkWritable(path);
  const { seed, filter, allowOutside = false } = flags;
  const options = { allowOutside, ...(seed !== undefined && { seed }), ...(filter && { filter }), ...dataChoices(flags) };
  const data = await readDataset(dataPath, options, { decoder: flags.decoder, signal });
  if (ofFilms !== undefined) return evaluateFilmsOf({ dataPath, data, reading: options, flags, signal }, ofFilms);
  if (fitted !== undefined) return calibrate(data, fitted, flags, recogniserOptions(flags), signal);
  const videos = flags.split === 'all' ? data.videos : videosOf(data, flags.split);
  const recogniser = await loadRecogniser(flags.weights, { ...recogniserOptions(flags), ...thresholdsGiven(flags) });
  try {
    tellNotes(data, recogniser);
    if (recogniser.multiLabel) return await evaluateMany(recogniser, { dataPath, data, videos, flags, signal });
    const tested = await test(recogniser, dataPath, data, videos, flags, signal);
    await write(recogniser, tested, flags, signal);
  } finally {
    await recogniser.close();
  }
}

async function test(
  recogniser: Recogniser,
  dataPath: string,
  data: LabelledVideos,
  videos: readonly LabelledVideo[],
  flags: EvalFlags,
  signal: AbortSignal,
): Promise<EvaluationRun> {
  const line = new ProgressLine();
  const started = performance.now();
  const onProgress = (done: number, of: number) => line.show(`testing ${bar(done / of)} ${done}/${of}`);
  try {
    const evaluation = await evaluateDataset(recogniser, videos, { ...flags.views, onProgress, signal });
    const seconds = (performance.now() - started) / 1000;
    const { weights: weightsPath, split, views } = flags;
    return { dataPath, weightsPath, split, views, data, evaluation, seconds };
  } finally {
    line.clear();
  }
}

/** Prints warnings, above all for a split other than that of training. */
function tellNotes(data: LabelledVideos, { notes }: Recogniser): void {
  for (const note of data.notes) process.stderr.write(`note: ${note}\n`);
  const trained = notes['splitBy'];
  if (notes['data'] === data.root && trained !== undefined && trained !== data.splitBy) {
    process.stderr.write(
      `warning: the weights were trained with the split "${trained}", this is "${data.splitBy}": tested videos may have been trained on\n`,
    );
  }
}

async function write(recogniser: Recogniser, tested: EvaluationRun, flags: EvalFlags, signal: AbortSignal): Promise<void> {
  for (const { name, truncated } of tested.evaluation.rows) {
    if (truncated !== undefined) process.stderr.write(`warning: ${name}: truncated: ${truncated}; what is there was used\n`);
  }
  if (flags.csv !== undefined) await writeText(flags.csv, rowsAsCsv(recogniser, tested.evaluation));
  if (flags.report !== undefined) {
    await writeText(flags.report, await evaluationReport(recogniser, tested, { decoder: flags.decoder, signal }));
  }
  process.stdout.write(flags.json ? jsonText(asJson(recogniser, tested)) : describe(recogniser, tested));
}

/** Before minutes of work. */
function checkWritable(path: string): void {
  const folder = dirname(path);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new ConfigError(`there is no folder ${folder}`, { path });
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new ConfigError('is a folder; expected a file to write', { path });
}

function rowsAsCsv({ labels }: Recogniser, { rows }: Evaluation): string {
  const header = ['name', 'label', 'predicted', 'correct', 'score', ...labels.map((label) => `score of ${label}`)];
  return csvTable(
    header,
    rows.map(({ name, label, predicted, correct, score, scores }) => [name, label, predicted, correct ? 1 : 0, score, ...scores]),
  );
}

function asJson({ config, labels, calibration, rejectThreshold }: Recogniser, { evaluation, ...run }: EvaluationRun): object {
  const { metrics, rows } = evaluation;
  const { count, correct, top1, top5, meanClassAccuracy, confusion, perClass } = metrics;
  const { dataPath, weightsPath, split, views, data, seconds } = run;
  return {
    ...{ data: dataPath, split, splitBy: data.splitBy, weights: weightsPath, model: config.name, views },
    ...{ count, correct, top1, top5, meanClassAccuracy, labels, confusion, perClass },
    calibration: { temperature: calibration?.temperature ?? 1, ...calibrationOf(labels, rows) },
    ...(rejectThreshold > 0 && { unknown: { below: rejectThreshold, ...answeredOf(rows) } }),
    rows: rows.map(({ path: _, ...row }) => row),
    seconds: Number(seconds.toFixed(3)),
  };
}

function calibrationOf(labels: readonly string[], rows: Evaluation['rows']): CalibrationReport {
  const place = new Map(labels.map((label, i) => [label, i]));
  return calibrationReport(rows.map(({ label, scores }) => ({ labelIndex: place.get(label) ?? -1, scores })));
}

/** Accuracy among answers above the threshold; null when there are none. */
function answeredOf(rows: Evaluation['rows']): { answered: number; coverage: number; correct: number; accuracy: number | null } {
  const answered = rows.filter(({ unknown }) => !unknown);
  const correct = answered.filter((row) => row.correct).length;
  const accuracy = answered.length > 0 ? correct / answered.length : null;
  return { answered: answered.length, coverage: answered.length / rows.length, correct, accuracy };
}

function calibrationLines({ labels, calibration }: Recogniser, rows: Evaluation['rows']): string[] {
  const { ece, adaptiveEce, nll, brier } = calibrationOf(labels, rows);
  const how = calibration
    ? `temperature ${calibration.temperature.toFixed(2)}, fitted on ${calibration.fittedOn.videos} videos of split ${calibration.fittedOn.split}`
    : 'no temperature: vmf eval --calibrate fits one';
  return [
    `calibration error    ${percent(ece)}  (bins of equal counts: ${percent(adaptiveEce)}; ${how})`,
    `log likelihood       ${(-nll).toFixed(3)}, Brier score ${brier.toFixed(3)}`,
  ];
}

function unknownLines({ rejectThreshold }: Recogniser, rows: Evaluation['rows']): string[] {
  if (rejectThreshold === 0) return [];
  const { answered, coverage, correct, accuracy } = answeredOf(rows);
  const right = accuracy === null ? '' : `, ${percent(accuracy)} of the answers right (${correct} of ${answered})`;
  return [`unknown below ${rejectThreshold.toFixed(3).padEnd(7)}${percent(coverage)} answered${right}`];
}

function describe(recogniser: Recogniser, { dataPath, weightsPath, split, views, evaluation, seconds }: EvaluationRun): string {
  const { config, labels } = recogniser;
  const { count, correct, top1, top5, meanClassAccuracy, confusion, perClass } = evaluation.metrics;
  const { low, high } = wilsonInterval(correct, count);
  const classes = perClass.map((row) => [row.label, row.count, row.correct, shareOf(row.recall), shareOf(row.precision)]);
  return [
    `${dataPath}, split ${split}, with ${weightsPath} (${config.name}), views ${views.clips}x${views.crops}\n`,
    `top-1                ${percent(top1)}  (${correct} of ${count}; 95 % interval ${percent(low)} to ${percent(high)})`,
    `top-5                ${percent(top5)}`,
    `mean class accuracy  ${percent(meanClassAccuracy)}`,
    ...calibrationLines(recogniser, evaluation.rows),
    ...unknownLines(recogniser, evaluation.rows),
    `time                 ${seconds.toFixed(1)} s, ${(count / seconds).toFixed(1)} videos/s\n`,
    textTable(['class', 'videos', 'correct', 'recall', 'precision'], classes),
    confusionText(labels, confusion),
    mistakes(evaluation),
  ].join('\n');
}

function mistakes({ rows }: Evaluation): string {
  const wrong = rows.filter(({ correct }) => !correct).sort((a, b) => b.score - a.score);
  if (wrong.length === 0) return 'no mistakes\n';
  const shown = wrong.slice(0, 10).map(({ name, label, predicted, score }) => [name, label, predicted, percent(score)]);
  const title = wrong.length > 10 ? `${wrong.length} mistakes, the 10 most confident` : 'mistakes';
  return `${title}\n${textTable(['video', 'label', 'predicted', 'score'], shown)}`;
}
