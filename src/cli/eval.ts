/** `vmf eval DATA --weights FILE`: how well weights do on labelled videos. Reads everything asked for, or fails; writes only on success. */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type LabelledVideo, type LabelledVideos, type Split, videosOf } from '../dataset/labelledVideos.js';
import { readDataset } from '../dataset/list.js';
import { ConfigError } from '../errors.js';
import { type Evaluation, evaluateDataset } from '../recognise/evaluate.js';
import { loadRecogniser, type Recogniser } from '../recognise/recogniser.js';
import { wilsonInterval } from '../scores/metrics.js';
import { writeFileAtomically } from '../weights/files.js';
import { abortable } from './abortable.js';
import { addMachineOptions, type MachineFlags, recogniserOptions, whole } from './arguments.js';
import { type EvaluationRun, evaluationReport, type Views } from './evalReport.js';
import { bar, ProgressLine } from './progressLine.js';
import { csvTable, jsonText, textTable } from './textTable.js';

interface Flags extends MachineFlags {
  readonly weights: string;
  readonly split: Split | 'all';
  readonly views: Views;
  readonly seed?: number;
  readonly allowOutside?: boolean;
  readonly json?: boolean;
  readonly csv?: string;
  readonly report?: string;
}

export function evalCommand(): Command {
  const command = new Command('eval')
    .description('test weights on labelled videos: top-1, top-5, mean class accuracy, confusion matrix, a row per video')
    .argument('<data>', 'folder per class, train/val/test folders of class folders, or a CSV/TSV/JSONL list (path,label,split)')
    .requiredOption('--weights <file>', 'weights that `vmf train` wrote, or a model of `vmf quantize` or `vmf export`')
    .addOption(new Option('--split <name>', 'which videos').choices(['test', 'val', 'train', 'all']).default('test'))
    .option('--views <CLIPSxCROPS>', 'clips in time and crops (1 or 3) in space that are averaged', views, { clips: 1, crops: 1 })
    .option('--seed <n>', 'of the split, when the data has none: as in training (default: 0)', whole(0))
    .option('--csv <file>', 'write a row per video with all scores')
    .option('--report <file>', 'write a page with clips, confusion matrix and classes (HTML)')
    .option('--allow-outside', 'let a list name files outside its own folder')
    .option('--json', 'print everything as JSON');
  return addMachineOptions(command).action((path: string, flags: Flags) =>
    abortable('eval', (signal) => run(path, flags, signal)),
  );
}

function views(text: string): Views {
  const [, clips, crops] = /^([1-9]\d?)x([13])$/.exec(text) ?? [];
  if (clips === undefined)
    throw new InvalidArgumentError('Expected CLIPSxCROPS with 1 to 99 clips and 1 or 3 crops, such as 4x3.');
  return { clips: Number(clips), crops: crops === '3' ? 3 : 1 };
}

async function run(dataPath: string, flags: Flags, signal: AbortSignal): Promise<void> {
  for (const path of [flags.csv, flags.report]) if (path !== undefined) checkWritable(path);
  const { seed, allowOutside = false } = flags;
  const data = readDataset(dataPath, { allowOutside, ...(seed !== undefined && { seed }) });
  const videos = flags.split === 'all' ? data.videos : videosOf(data, flags.split);
  const recogniser = await loadRecogniser(flags.weights, recogniserOptions(flags));
  try {
    tellNotes(data, recogniser);
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
  flags: Flags,
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

/** What the reader must know of the data; above all when the split is not the one the weights were trained with. */
function tellNotes(data: LabelledVideos, { notes }: Recogniser): void {
  for (const note of data.notes) process.stderr.write(`note: ${note}\n`);
  const trained = notes['splitBy'];
  if (notes['data'] === data.root && trained !== undefined && trained !== data.splitBy) {
    process.stderr.write(
      `warning: the weights were trained with the split "${trained}", this is "${data.splitBy}": tested videos may have been trained on\n`,
    );
  }
}

async function write(recogniser: Recogniser, tested: EvaluationRun, flags: Flags, signal: AbortSignal): Promise<void> {
  for (const { name, truncated } of tested.evaluation.rows) {
    if (truncated !== undefined) process.stderr.write(`warning: ${name}: truncated: ${truncated}; what is there was used\n`);
  }
  if (flags.csv !== undefined) await writeText(flags.csv, rowsAsCsv(recogniser, tested.evaluation));
  if (flags.report !== undefined) {
    await writeText(flags.report, await evaluationReport(recogniser, tested, { decoder: flags.decoder, signal }));
  }
  process.stdout.write(flags.json ? jsonText(asJson(recogniser, tested)) : describe(recogniser, tested));
}

async function writeText(path: string, text: string): Promise<void> {
  await writeFileAtomically(path, [new TextEncoder().encode(text)]);
}

/** Said before minutes of work, not after. */
function checkWritable(path: string): void {
  const folder = dirname(path);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new ConfigError(`${path}: there is no folder ${folder}`);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new ConfigError(`${path}: is a folder; expected a file to write`);
}

function rowsAsCsv({ labels }: Recogniser, { rows }: Evaluation): string {
  const header = ['name', 'label', 'predicted', 'correct', 'score', ...labels.map((label) => `score of ${label}`)];
  return csvTable(
    header,
    rows.map(({ name, label, predicted, correct, score, scores }) => [name, label, predicted, correct ? 1 : 0, score, ...scores]),
  );
}

function asJson({ config, labels }: Recogniser, { evaluation, ...run }: EvaluationRun): object {
  const { metrics, rows } = evaluation;
  const { count, correct, top1, top5, meanClassAccuracy, confusion, perClass } = metrics;
  const { dataPath, weightsPath, split, views, data, seconds } = run;
  return {
    ...{ data: dataPath, split, splitBy: data.splitBy, weights: weightsPath, model: config.name, views },
    ...{ count, correct, top1, top5, meanClassAccuracy, labels, confusion, perClass },
    rows: rows.map(({ path: _, ...row }) => row),
    seconds: Number(seconds.toFixed(3)),
  };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const shareOf = (share: number | null): string => (share === null ? '-' : percent(share));

function describe(
  { config, labels }: Recogniser,
  { dataPath, weightsPath, split, views, evaluation, seconds }: EvaluationRun,
): string {
  const { count, correct, top1, top5, meanClassAccuracy, confusion, perClass } = evaluation.metrics;
  const { low, high } = wilsonInterval(correct, count);
  const classes = perClass.map((row) => [row.label, row.count, row.correct, shareOf(row.recall), shareOf(row.precision)]);
  return [
    `${dataPath}, split ${split}, with ${weightsPath} (${config.name}), views ${views.clips}x${views.crops}\n`,
    `top-1                ${percent(top1)}  (${correct} of ${count}; 95 % interval ${percent(low)} to ${percent(high)})`,
    `top-5                ${percent(top5)}`,
    `mean class accuracy  ${percent(meanClassAccuracy)}`,
    `time                 ${seconds.toFixed(1)} s, ${(count / seconds).toFixed(1)} videos/s\n`,
    textTable(['class', 'videos', 'correct', 'recall', 'precision'], classes),
    confusionText(labels, confusion),
    mistakes(evaluation),
  ].join('\n');
}

/** Rows are true classes, columns predicted ones, numbered as the rows are. */
function confusionText(labels: readonly string[], confusion: readonly (readonly number[])[]): string {
  if (labels.length > 30) return `confusion matrix: ${labels.length} classes are too many to print; use --json or --report\n`;
  const header = ['true \\ predicted', ...labels.map((_, i) => String(i + 1))];
  const rows = confusion.map((row, i) => [`${i + 1} ${labels[i]}`, ...row.map((n) => (n === 0 ? '.' : String(n)))]);
  return textTable(header, rows);
}

function mistakes({ rows }: Evaluation): string {
  const wrong = rows.filter(({ correct }) => !correct).sort((a, b) => b.score - a.score);
  if (wrong.length === 0) return 'no mistakes\n';
  const shown = wrong.slice(0, 10).map(({ name, label, predicted, score }) => [name, label, predicted, percent(score)]);
  const title = wrong.length > 10 ? `${wrong.length} mistakes, the 10 most confident` : 'mistakes';
  return `${title}\n${textTable(['video', 'label', 'predicted', 'score'], shown)}`;
}
