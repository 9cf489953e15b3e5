/** Generate, check, train, test, predict and report in one go; an end-to-end example of the library. */

import { cpus } from 'node:os';
import { join } from 'node:path';
import { checkDataset } from '../dataset/check.js';
import { readDataset } from '../dataset/dataset.js';
import { videosOf } from '../dataset/labelledVideos.js';
import { DatasetError } from '../errors.js';
import { type Evaluation, evaluateDataset } from '../inference/evaluate.js';
import { loadRecogniser } from '../inference/fileRecogniser.js';
import type { Recogniser } from '../inference/recogniser.js';
import { top1Among } from '../metrics/metrics.js';
import { networkCost } from '../models/cost.js';
import type { TemporalPlan } from '../models/model.js';
import { defaultNetwork, networkConfig } from '../models/registry.js';
import { renderReport } from '../report/report.js';
import type { ReportData } from '../report/reportData.js';
import { reversedPairs } from '../synth/actions.js';
import { generateActions } from '../synth/generate.js';
import { defaultSynthOptions } from '../synth/options.js';
import { type TrainJobEvent, type TrainSummary, train } from '../train/train.js';
import { writeFileAtomically } from '../weights/files.js';
import { sampleClips } from './samples.js';

export interface DemoOptions {
  /** Folder for everything; a data set already there is used again, a run is not. */
  readonly out: string;
  readonly model?: string;
  /** `none` removes temporal modelling: an action is then indistinguishable from its reversal. */
  readonly temporal?: TemporalPlan;
  readonly trainClips?: number;
  readonly valClips?: number;
  readonly testClips?: number;
  readonly epochs?: number;
  readonly seed?: number;
  readonly onEvent?: (event: DemoEvent) => void;
  readonly signal?: AbortSignal | undefined;
}

export type DemoEvent =
  | { readonly kind: 'stage'; readonly stage: string }
  | { readonly kind: 'progress'; readonly what: string; readonly done: number; readonly of: number }
  | { readonly kind: 'train'; readonly event: TrainJobEvent };

/** Contents of summary.json. Accuracies are shares of the test clips. */
export interface DemoSummary {
  readonly top1: number;
  /** Over the classes that are each other's reversal in time. */
  readonly top1Pairs: number;
  readonly trainClips: number;
  readonly testClips: number;
  /** Wall time of all stages, and of each. */
  readonly seconds: number;
  readonly stages: Readonly<Record<string, number>>;
  readonly model: string;
  readonly temporal: TemporalPlan;
  readonly parameters: number;
  readonly macs: number;
  readonly epochs: number;
  readonly seed: number;
  readonly machine: string;
  readonly date: string;
}

export interface DemoResult {
  readonly summary: DemoSummary;
  readonly summaryPath: string;
  readonly reportPath: string;
  readonly weightsPath: string;
}

const defaults = {
  model: defaultNetwork,
  temporal: 'all',
  trainClips: 960,
  valClips: 48,
  testClips: 240,
  epochs: 7,
  seed: 0,
} as const;

/** Runs all stages. The clips to test on come from streams of their own: no seed of a training clip is ever used for them. */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const chosen = { ...defaults, ...options };
  const { out, signal, onEvent = () => {} } = options;
  const clock = new Stages(onEvent);
  const data = join(out, 'data');
  await clock.run('generate', () => generate(data, chosen, onEvent, signal));
  await clock.run('check', () => check(data, onEvent));
  const trained = await clock.run('train', () => learn(data, out, chosen, onEvent, signal));
  if (trained.interrupted) signal?.throwIfAborted();
  const recogniser = await loadRecogniser(trained.bestPath);
  try {
    const videos = videosOf(await readDataset(data), 'test');
    const onProgress = (done: number, of: number) => onEvent({ kind: 'progress', what: 'test', done, of });
    const evaluation = await clock.run('test', () => evaluateDataset(recogniser, videos, { onProgress, signal }));
    const clips = await clock.run('recognise', () => sampleClips(recogniser, evaluation, signal));
    const summary = summarise(chosen, trained, evaluation, recogniser, clock);
    return await write(out, summary, trained, evaluation, clips);
  } finally {
    await recogniser.close();
  }
}

type Chosen = Required<Omit<DemoOptions, 'onEvent' | 'signal'>>;

async function generate(
  folder: string,
  { trainClips, valClips, testClips, seed }: Chosen,
  onEvent: (e: DemoEvent) => void,
  signal: AbortSignal | undefined,
) {
  const counts = { train: trainClips, val: valClips, test: testClips };
  const onProgress = (done: number, of: number) => onEvent({ kind: 'progress', what: 'generate', done, of });
  await generateActions(folder, { ...defaultSynthOptions, counts, seed }, onProgress, signal);
}

async function check(folder: string, onEvent: (e: DemoEvent) => void): Promise<void> {
  const onProgress = (done: number, of: number) => onEvent({ kind: 'progress', what: 'check', done, of });
  const { problems } = await checkDataset(await readDataset(folder), { onProgress });
  const [first] = problems;
  if (first) throw new DatasetError(`${problems.length} problems, first: ${first.name}: ${first.reason}`, { path: folder });
}

function learn(
  data: string,
  out: string,
  chosen: Chosen,
  onEvent: (e: DemoEvent) => void,
  signal: AbortSignal | undefined,
): Promise<TrainSummary> {
  const { model, temporal, epochs, seed } = chosen;
  return train({
    recipe: false,
    data,
    out: join(out, 'run'),
    model: networkConfig(model, { temporal }),
    options: { epochs, seed, warmupEpochs: 1 },
    preprocess: { resize: 'crop' }, // generated actions are centred
    onEvent: (event) => onEvent({ kind: 'train', event }),
    ...(signal && { signal }),
  });
}

function summarise(
  chosen: Chosen,
  trained: TrainSummary,
  { metrics, rows }: Evaluation,
  { config, labels }: Recogniser,
  clock: Stages,
): DemoSummary {
  const { macs, parameters } = networkCost(config);
  const paired = new Set(reversedPairs.flat().map((name) => labels.indexOf(name)));
  const clips = rows.map(({ label, scores }) => ({ labelIndex: labels.indexOf(label), scores }));
  return {
    top1: metrics.top1,
    top1Pairs: top1Among(clips, paired).top1,
    trainClips: trained.trainVideos,
    testClips: rows.length,
    seconds: clock.total,
    stages: clock.seconds,
    model: config.name,
    temporal: chosen.temporal,
    parameters,
    macs,
    epochs: trained.epochs.length,
    seed: chosen.seed,
    machine: `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, Node ${process.version}`,
    date: new Date().toISOString().slice(0, 10),
  };
}

async function write(
  out: string,
  summary: DemoSummary,
  trained: TrainSummary,
  evaluation: Evaluation,
  clips: NonNullable<ReportData['clips']>,
): Promise<DemoResult> {
  const paths = { summaryPath: join(out, 'summary.json'), reportPath: join(out, 'report.html'), weightsPath: trained.bestPath };
  const encoder = new TextEncoder();
  await writeFileAtomically(paths.reportPath, [
    encoder.encode(renderReport(reportData(out, summary, trained, evaluation, clips))),
  ]);
  await writeFileAtomically(paths.summaryPath, [encoder.encode(`${JSON.stringify(summary, null, 2)}\n`)]);
  return { summary, ...paths };
}

function reportData(
  out: string,
  summary: DemoSummary,
  trained: TrainSummary,
  { metrics, rows }: Evaluation,
  clips: NonNullable<ReportData['clips']>,
): ReportData {
  const pairNames = new Set<string>(reversedPairs.flat());
  const inPairs = rows.filter(({ label }) => pairNames.has(label));
  const weights = trained.bestPath;
  return {
    title: 'Human actions, learnt from generated clips',
    lead: `${summary.model} learnt ${trained.labels.length} actions from ${summary.trainClips} encoded videos and was tested on ${summary.testClips} others. Three pairs of actions are each other's reversal in time: only motion tells them apart.`,
    accuracy: {
      top1: { correct: metrics.correct, count: metrics.count },
      top1Pairs: { correct: inPairs.filter(({ correct }) => correct).length, count: inPairs.length },
      top5: metrics.top5,
      meanClassAccuracy: metrics.meanClassAccuracy,
    },
    model: {
      name: summary.model,
      parameters: summary.parameters,
      macs: summary.macs,
      frames: trained.config.frames,
      height: trained.config.height,
      width: trained.config.width,
      weightsPath: weights,
    },
    run: {
      trainClips: summary.trainClips,
      valClips: trained.valVideos,
      testClips: summary.testClips,
      seconds: summary.seconds,
      seed: summary.seed,
      data: join(out, 'data'),
      machine: summary.machine,
      date: summary.date,
    },
    epochs: trained.epochs.map(({ epoch, trainLoss, trainTop1, valLoss, valTop1 }) => ({
      epoch,
      trainLoss,
      ...(trainTop1 !== undefined && { trainAccuracy: trainTop1 }),
      ...(valLoss !== undefined && { valLoss }),
      ...(valTop1 !== undefined && { valAccuracy: valTop1 }),
    })),
    metrics,
    clips,
    commands: [
      { command: 'npm ci && npm run demo', what: 'all of this' },
      { command: `npm run vmf -- eval ${join(out, 'data')} --weights ${weights}`, what: 'the test alone' },
      { command: `npm run vmf -- predict VIDEO --weights ${weights}`, what: 'a video of your own' },
    ],
  };
}

class Stages {
  readonly seconds: Record<string, number> = {};

  constructor(private readonly onEvent: (event: DemoEvent) => void) {}

  get total(): number {
    return Object.values(this.seconds).reduce((sum, seconds) => sum + seconds, 0);
  }

  async run<T>(stage: string, work: () => Promise<T>): Promise<T> {
    this.onEvent({ kind: 'stage', stage });
    const start = performance.now();
    const result = await work();
    this.seconds[stage] = (performance.now() - start) / 1000;
    return result;
  }
}
