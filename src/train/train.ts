/**
 * Trains a network on labelled videos, from a folder to a run folder: the entry that the library and the command line share. It
 * checks everything that can be checked before anything is written.
 */

import { ClipLoader } from '../dataset/clipLoader.js';
import { videosOf } from '../dataset/labelledVideos.js';
import { readDataset } from '../dataset/list.js';
import { Engine } from '../runtime/engine.js';
import { calibrateBest } from './calibrateBest.js';
import type { TrainJob, TrainJobEvent, TrainSummary } from './job.js';
import { ratesAreEven } from './layerRates.js';
import { lessonPlan } from './lessonPlan.js';
import { dataDigest } from './progress.js';
import { RunFolder } from './runFolder.js';
import { beginRecord, type Recording, type RunStart } from './runRecord.js';
import { checkChoices, freshStart, resumedStart, type Start } from './runStart.js';
import { defaultStep } from './step.js';
import { Trainer } from './trainer.js';
import { TrainingPrograms } from './trainingPrograms.js';

export type * from './job.js';

export async function train(given: TrainJob): Promise<TrainSummary> {
  const said: string[] = [];
  const onEvent = (event: TrainJobEvent) => {
    if (event.kind === 'note' || event.kind === 'warning') said.push(event.message);
    given.onEvent?.(event);
  };
  const job = { ...given, onEvent };
  const folder = RunFolder.check(job.out, job.resume ?? false);
  checkChoices(job);
  const data = typeof job.data === 'string' ? readDataset(job.data, job.dataset) : job.data;
  for (const note of data.notes) onEvent({ kind: 'note', message: note });
  const start = job.resume ? await resumedStart(job, folder, data) : await freshStart(job, data);
  const loader = new ClipLoader({
    preprocess: start.preprocess,
    augment: start.options.augment,
    maxBadShare: start.options.maxBadShare,
    ...(job.workers !== undefined && { workers: job.workers }),
    ...(job.decoder !== undefined && { decoder: job.decoder }),
    ...(job.cacheFolder !== undefined && { cacheFolder: job.cacheFolder }),
    onLeftOut: (video, reason) =>
      onEvent({
        kind: 'warning',
        message: `left out: ${reason.message.includes(video.path) ? '' : `${video.path}: `}${reason.message}`,
      }),
    onWarning: (message) => onEvent({ kind: 'warning', message }),
  });
  const engine = new Engine(job.threads === undefined ? {} : { threads: job.threads });
  try {
    await folder.open();
    const recording = await beginRecord({ ...recordOf(job, folder, start), said });
    return await recording.during(async () => {
      const summary = await runTraining(job, folder, start, loader, engine, recording);
      if (!summary.interrupted) await calibrateBest(job, folder.bestPath, start.data);
      return summary;
    });
  } finally {
    await Promise.all([folder.close(), engine.close(), loader.close()]);
  }
}

/** What run.json is to say when a session begins. */
function recordOf(job: TrainJob, folder: RunFolder, { config, data, options, preprocess, unlabelled }: Start): RunStart {
  const { resume = false, command, threads, workers, init, dataset } = job;
  return {
    ...{ folder: folder.path, resume, command, threads, workers, init, config, preprocess, data },
    ...{ recipe: options, chosen: job.options, dataOptions: dataset, digest: dataDigest(data, unlabelled) },
    dataPath: typeof job.data === 'string' ? job.data : undefined,
  };
}

async function runTraining(
  job: TrainJob,
  folder: RunFolder,
  start: Start,
  loader: ClipLoader,
  engine: Engine,
  recording: Recording,
): Promise<TrainSummary> {
  const { onEvent = () => {}, signal } = job;
  const { data, config, options } = start;
  const videos = videosOf(data, 'train');
  const programs = new TrainingPrograms(engine, config, {
    ...defaultStep,
    clips: options.batch,
    maxGradientNorm: options.maxGradientNorm || Number.POSITIVE_INFINITY,
    accumulate: options.accumulate,
    average: options.average > 0,
    dropPath: options.dropPath > 0,
    layerRates: !ratesAreEven(options),
    frozenStatistics: options.batchNorm === 'frozen',
  });
  await programs.setWeights(start.weights);
  const [prepared] = await Promise.all([
    loader.prepare(videos, { ...(signal && { signal }), onProgress: (done, of) => onEvent({ kind: 'reading', done, of }) }),
    programs.warmUp(),
  ]);
  recording.noteClues(prepared.read);
  await tellTime(job, start, programs, prepared.usable);
  if (start.progress) await folder.keepEpochs(start.progress.epoch);
  const preprocess = { ...start.preprocess, ...(prepared.medianSec > 0 && { windowSec: prepared.medianSec }) };
  const notes = { data: data.root, splitBy: data.splitBy, model: config.name, seed: String(options.seed) };
  const plan = await lessonPlan(job, start, loader, programs);
  const parts = {
    config,
    preprocess,
    data,
    unlabelled: start.unlabelled,
    options,
    folder,
    loader,
    programs,
    ...plan,
    notes,
    onEvent,
    signal,
  };
  const outcome = await new Trainer(parts, start.progress).run();
  return {
    ...outcome,
    config,
    labels: data.labels,
    trainVideos: prepared.usable,
    valVideos: data.videos.filter((video) => video.split === 'val').length,
    leftOut: [...loader.leftOut].map(([path, reason]) => ({ path, reason: reason.message })),
    lastPath: folder.lastPath,
    bestPath: folder.bestPath,
  };
}

/** What a pass without gradients costs of one with them, about. */
const forwardShare = 0.35;

/** Says how long the run will take, from one timed step on this machine. */
async function tellTime({ onEvent }: TrainJob, { data, options, progress }: Start, programs: TrainingPrograms, clips: number) {
  if (!onEvent) return;
  const speed = await programs.measureSpeed();
  const epochs = options.epochs - (progress?.epoch ?? 0);
  const looks = Math.ceil(epochs / options.validateEvery);
  const val = data.videos.filter(({ split }) => split === 'val').length;
  const looked = looks * forwardShare * (val + Math.min(options.statisticsBatches * options.batch, clips));
  const seconds = (epochs * options.repeats * clips + looked) / speed;
  const length = seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
  onEvent({
    kind: 'note',
    message: `about ${length}: ${epochs} epochs of ${clips} clips at ${speed.toFixed(1)} clips/s on this machine`,
  });
}
