/** `vmf eval DATA --films`: timelines of whole films against their labelled segments, and the choice of how windows become bouts. */
import { dirname, join } from 'node:path';
import type { Annotations } from '../annotations/annotations.js';
import { writeAnnotations, writerNamed } from '../annotations/formats.js';
import { describeLosses } from '../annotations/reduce.js';
import { type DatasetOptions, readDataset } from '../dataset/dataset.js';
import type { LabelledVideos, Split } from '../dataset/labelledVideos.js';
import { counted } from '../dataset/some.js';
import { ConfigError } from '../errors.js';
import {
  type EvaluatedFilm,
  type EvaluateFilmsOptions,
  evaluateFilms,
  type FilmsEvaluation,
  filmsOf,
} from '../inference/evaluateFilms.js';
import { loadRecogniser } from '../inference/fileRecogniser.js';
import type { Recogniser } from '../inference/recogniser.js';
import { tuneBouts } from '../inference/tuneBouts.js';
import { percent } from '../metrics/percent.js';
import type { SegmentationScores } from '../metrics/segments/segmentMetrics.js';
import { filmsPage } from '../report/filmsPage.js';
import { recogniserOptions, thresholdsGiven } from './arguments.js';
import { type EvalFlags, writeText } from './evalFlags.js';
import { bar, clock, ProgressLine } from './progressLine.js';
import { storeFiles } from './storeFiles.js';
import { jsonText, textTable } from './textTable.js';

interface Asked {
  readonly dataPath: string;
  readonly data: LabelledVideos;
  /** How the data were read. */
  readonly reading: DatasetOptions;
  readonly flags: EvalFlags;
  readonly signal: AbortSignal;
}

/** The split to test or to tune on; never tunes on test films. Throws a ConfigError for contradictory options. */
export function filmSplit(flags: EvalFlags, given: Split | 'all' | undefined): Split | 'all' | undefined {
  const needs = (['tune', 'predictions', 'window', 'stride', 'tunedOut'] as const).find((name) => flags[name] !== undefined);
  if (!flags.films && !flags.tune) {
    if (needs !== undefined) throw new ConfigError(`--${optionName(needs)}: is about whole films; add --films`);
    return undefined;
  }
  if (flags.calibrate) throw new ConfigError('--calibrate: fits scores of segments; run it without --films');
  if (flags.csv !== undefined) throw new ConfigError('--csv: is of segments; with --films use --predictions FILE');
  if (!flags.tune) {
    if (flags.tunedOut !== undefined) throw new ConfigError('--tuned-out: says where --tune writes; add --tune');
    return flags.split;
  }
  if (given === 'test' || given === 'all') {
    throw new ConfigError(`--tune: nothing is chosen on test films (--split ${given}); use val, which is the default`);
  }
  return given ?? 'val';
}

const optionName = (key: string): string => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Tests films or tunes on them, writes what was asked for, and prints. */
export async function evaluateFilmsOf(asked: Asked, split: Split | 'all'): Promise<void> {
  const { dataPath, data, reading, flags, signal } = asked;
  for (const note of data.notes) process.stderr.write(`note: ${note}\n`);
  const rows = await readDataset(dataPath, { ...reading, labels: 'rows', background: false }, { decoder: flags.decoder, signal });
  const background = typeof reading.background === 'string' ? reading.background : 'background';
  const films = filmsOf(data, rows, split, background);
  const line = new ProgressLine();
  const onProgress = (film: number, doneSec: number, ofSec: number) =>
    line.show(`${bar((film + doneSec / ofSec) / films.length)} film ${film + 1} of ${films.length}, ${clock(doneSec)}`);
  const { window: windowSec, stride: strideSec } = flags;
  const timeline: EvaluateFilmsOptions = {
    ...{ background, onProgress, signal },
    ...(windowSec !== undefined && { windowSec }),
    ...(strideSec !== undefined && { strideSec }),
  };
  try {
    if (flags.tune) await tune(films, split, timeline, flags, line);
    else await test(films, split, timeline, asked, line);
  } finally {
    line.clear();
  }
}

async function tune(
  films: Parameters<typeof tuneBouts>[1],
  split: string,
  timeline: EvaluateFilmsOptions,
  { weights, tunedOut, json, ...flags }: EvalFlags,
  line: ProgressLine,
): Promise<void> {
  const machine = {
    ...recogniserOptions(flags),
    ...thresholdsGiven(flags),
  };
  const { path, bouts } = await tuneBouts(weights, films, { ...timeline, split, machine, ...(tunedOut && { out: tunedOut }) });
  line.clear();
  if (json) {
    process.stdout.write(jsonText({ path, bouts }));
    return;
  }
  const { fittedOn, smoothSec, on, off, minDurationSec, bridgeSec } = bouts;
  const sec = (value: number) => `${Number(value.toFixed(3))} s`;
  process.stdout.write(
    [
      `${path}: how windows become bouts, chosen on ${counted(fittedOn.films, 'film')} of split ${fittedOn.split}`,
      `segment F1 at 50 % on these films: ${percent(fittedOn.f1Before)} before, ${percent(fittedOn.f1)} now`,
      `smoothing over ${sec(smoothSec)}; begins at a score of ${on}, ends below ${off}; at least ${sec(minDurationSec)}; gaps to ${sec(bridgeSec)} bridged\n`,
    ].join('\n'),
  );
}

interface Tested extends Asked {
  readonly split: string;
  readonly evaluation: FilmsEvaluation;
  readonly seconds: number;
}

async function test(
  films: Parameters<typeof evaluateFilms>[1],
  split: string,
  timeline: EvaluateFilmsOptions,
  asked: Asked,
  line: ProgressLine,
): Promise<void> {
  const { flags } = asked;
  const recogniser = await loadRecogniser(flags.weights, {
    ...recogniserOptions(flags),
    ...thresholdsGiven(flags),
    mode: 'throughput',
  });
  try {
    const started = performance.now();
    const evaluation = await evaluateFilms(recogniser, films, timeline);
    const tested = { ...asked, split, evaluation, seconds: (performance.now() - started) / 1000 };
    line.clear();
    if (flags.predictions !== undefined) await writePredictions(flags.predictions, evaluation);
    if (flags.report !== undefined) await writeText(flags.report, pageOf(recogniser, tested));
    process.stdout.write(flags.json ? jsonText(asJson(recogniser, tested)) : describe(recogniser, tested));
  } finally {
    await recogniser.close();
  }
}

/** ActivityNet's results for .json, else the own CSV. */
async function writePredictions(path: string, { films }: FilmsEvaluation): Promise<void> {
  const annotations: Annotations = {
    films: films.map(({ name, predicted, durationSec }) => ({
      film: name,
      durationSec,
      moments: predicted.map(({ startSec, endSec, label, score }) => ({ startSec, endSec, labels: [label], score, where: name })),
      where: name,
    })),
    notes: [],
  };
  const format = writerNamed(path.endsWith('.json') ? 'activitynet' : 'csv');
  const { files, losses } = writeAnnotations(format, annotations);
  const lost = describeLosses(losses, format.title);
  if (lost !== undefined) process.stderr.write(`note: ${path}: not kept: ${lost}\n`);
  await storeFiles(files.map(({ name, content }) => ({ path: name === '' ? path : join(dirname(path), name), content })));
}

/** Times of windows and bouts as used, for the record. */
function settingsOf({ films: [first] }: FilmsEvaluation) {
  const { windowSec = 0, strideSec = 0, bouts } = first?.timeline ?? {};
  return { windowSec, strideSec, bouts };
}

function asJson({ config, labels, bouts }: Recogniser, { dataPath, data, flags, split, evaluation, seconds }: Tested): object {
  return {
    ...{ data: dataPath, split, splitBy: data.splitBy, weights: flags.weights, model: config.name, labels },
    ...settingsOf(evaluation),
    ...(bouts && { fittedOn: bouts.fittedOn }),
    ...evaluation.metrics,
    rows: evaluation.films.map(rowOf),
    seconds: Number(seconds.toFixed(3)),
  };
}

const rowOf = ({ name, durationSec, truth, timeline }: EvaluatedFilm): object => ({
  ...{ name, durationSec, truth },
  predicted: timeline.segments.map(({ labelIndex: _, ...segment }) => segment),
});

const rate = (value: number): string => (Number.isFinite(value) ? percent(value) : '-');

function describe(recogniser: Recogniser, { dataPath, flags, split, evaluation, seconds }: Tested): string {
  const { metrics, films } = evaluation;
  const totalSec = films.reduce((sum, { durationSec }) => sum + durationSec, 0);
  const { windowSec, strideSec } = settingsOf(evaluation);
  const short = (value: number) => String(Number(value.toFixed(3)));
  return [
    `${dataPath}, split ${split}, with ${flags.weights} (${recogniser.config.name}), windows of ${short(windowSec)} s every ${short(strideSec)} s`,
    `${counted(films.length, 'film')} of ${clock(totalSec)} with ${metrics.truthSegments} segments, ${metrics.predictedSegments} found in ${seconds.toFixed(1)} s; ${madeHow(recogniser, evaluation)}\n`,
    scoreTable(metrics, metrics.withBackground),
    textTable(
      ['overlap', ...metrics.map.map(({ overlap }) => String(overlap)), 'mean'],
      [['mAP', ...metrics.map.map(({ value }) => rate(value)), rate(metrics.averageMap)]],
    ),
    textTable(
      ['class', 'true', 'found', 'AP at 0.5', 'F1 at 50 %', 'frame F1'],
      metrics.perClass.map((row) => [
        row.label,
        row.truth,
        row.predicted,
        rate(row.averagePrecision),
        rate(row.f1),
        rate(row.frameF1),
      ]),
    ),
  ].join('\n');
}

function madeHow({ bouts }: Recogniser, evaluation: FilmsEvaluation): string {
  if (settingsOf(evaluation).bouts === undefined) return 'every moment has a label, since the weights have no background';
  if (bouts === undefined) return 'bouts by the defaults: vmf eval --films --tune chooses on validation films';
  return `bouts as chosen on ${counted(bouts.fittedOn.films, 'film')} of split ${bouts.fittedOn.split}`;
}

function scoreTable(plain: SegmentationScores, whole: SegmentationScores): string {
  const row = (name: string, { f1, edit, accuracy, meanF1 }: SegmentationScores) => [
    name,
    ...f1.map(({ value }) => rate(value)),
    ...[edit, accuracy, meanF1].map(rate),
  ];
  const header = [
    '',
    ...plain.f1.map(({ overlap }) => `F1 at ${Math.round(100 * overlap)} %`),
    'edit',
    'frame accuracy',
    'mean frame F1',
  ];
  return textTable(header, [row('actions', plain), row('with background', whole)]);
}

function pageOf({ config }: Recogniser, { dataPath, flags, split, evaluation }: Tested): string {
  const { metrics, films } = evaluation;
  const { windowSec, strideSec } = settingsOf(evaluation);
  return filmsPage({
    title: `${config.name} on films of ${dataPath}`,
    lead: `${counted(films.length, 'whole film')} of split ${split}: ${metrics.truthSegments} true segments, ${metrics.predictedSegments} found.`,
    metrics,
    films: films.map(({ name, durationSec, truth, timeline }) => ({ name, durationSec, truth, predicted: timeline.segments })),
    facts: [
      ['Weights', flags.weights],
      ['Windows', `${windowSec.toFixed(2)} s every ${strideSec.toFixed(2)} s`],
    ],
    commands: [
      {
        command: `vmf eval ${dataPath} --weights ${flags.weights} --films --split ${split}`,
        what: 'this page, with --report FILE',
      },
    ],
  });
}
