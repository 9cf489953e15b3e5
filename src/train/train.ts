/**
 * Trains a network from a folder of labelled videos to a run folder. Everything that can be checked is checked before anything is
 * written.
 */

import { DataLoader } from '../dataset/dataLoader.js';
import { readDataset } from '../dataset/dataset.js';
import { videosOf } from '../dataset/labelledVideos.js';
import { platformOf } from '../node/platform.js';
import type { GraphRuntime } from '../platform/graphRuntime.js';
import { calibrateBest } from './calibrateBest.js';
import type { TrainJob, TrainJobEvent, TrainSummary } from './job.js';
import { learnsEvenly } from './layerDecay.js';
import { distillationObjective, openTeacherFor, reportTeacherSpeed } from './objectives/distillation.js';
import { createObjective } from './objectives/objective.js';
import type { Teacher } from './objectives/teacher.js';
import { dataDigest } from './progress.js';
import { RunFolder } from './runFolder/runFolder.js';
import { beginRecord, type Recording, type RunStart } from './runFolder/runRecord.js';
import { checkJob, newSetup, resumedSetup, type TrainSetup } from './setup.js';
import { defaultStep } from './step.js';
import { Trainer } from './trainer.js';
import { TrainingSession } from './trainingSession.js';

export type * from './job.js';

export async function train(given: TrainJob): Promise<TrainSummary> {
  const said: string[] = [];
  const onEvent = (event: TrainJobEvent) => {
    if (event.kind === 'note' || event.kind === 'warning') said.push(event.message);
    given.onEvent?.(event);
  };
  const job = { ...given, onEvent };
  const folder = RunFolder.check(job.out, job.resume ?? false);
  checkJob(job);
  const data = typeof job.data === 'string' ? readDataset(job.data, job.dataset) : job.data;
  for (const note of data.notes) onEvent({ kind: 'note', message: note });
  const start = job.resume ? await resumedSetup(job, folder, data) : await newSetup(job, data);
  const teacher = await openTeacherFor(job, start);
  const loader = new DataLoader({
    preprocess: start.preprocess,
    augment: start.options.augment,
    maxBadShare: start.options.maxBadShare,
    ...(job.workers !== undefined && { workers: job.workers }),
    ...(job.decoder !== undefined && { decoder: job.decoder }),
    ...(job.cacheFolder !== undefined && { cacheFolder: job.cacheFolder }),
    onLeftOut: (_, { message }) => onEvent({ kind: 'warning', message: `left out: ${message}` }),
    onWarning: (message) => onEvent({ kind: 'warning', message }),
  });
  const engine = platformOf(job).openRuntime(job.threads === undefined ? {} : { threads: job.threads });
  try {
    await folder.open();
    const recording = await beginRecord({ ...recordOf(job, folder, start, teacher), said });
    return await recording.during(async () => {
      const summary = await runTraining(job, folder, start, loader, engine, recording, teacher);
      if (!summary.interrupted) await calibrateBest(job, folder.bestPath, start.data);
      return summary;
    });
  } finally {
    await Promise.all([folder.close(), engine.close(), loader.close(), teacher?.close()]);
  }
}

function recordOf(job: TrainJob, folder: RunFolder, start: TrainSetup, teacher: Teacher | undefined): RunStart {
  const { resume = false, command, threads, workers, dataset } = job;
  const { config, data, init, options, preprocess, unlabelled } = start;
  return {
    ...{ folder: folder.path, resume, command, threads, workers, init, config, preprocess, data },
    ...{ recipe: options, chosen: job.options, dataOptions: dataset, digest: dataDigest(data, unlabelled) },
    dataPath: typeof job.data === 'string' ? job.data : undefined,
    ...(teacher !== undefined &&
      job.teacher !== undefined && {
        teacher: {
          ...{ path: job.teacher, name: teacher.name, digest: start.teacher },
          ...{ share: options.distillAlpha, temperature: options.distillTemperature },
        },
      }),
  };
}

async function runTraining(
  job: TrainJob,
  folder: RunFolder,
  start: TrainSetup,
  loader: DataLoader,
  engine: GraphRuntime,
  recording: Recording,
  teacher: Teacher | undefined,
): Promise<TrainSummary> {
  const { onEvent = () => {}, signal } = job;
  const { data, config, options } = start;
  const videos = videosOf(data, 'train');
  const session = new TrainingSession(engine, config, {
    ...defaultStep,
    clips: options.batch,
    gradClip: options.gradClip || Number.POSITIVE_INFINITY,
    gradAccum: options.gradAccum,
    ema: options.ema > 0,
    dropPath: options.dropPath > 0,
    layerRates: !learnsEvenly(options),
    frozenStatistics: options.batchNorm === 'frozen',
    ...(teacher && { temperature: options.distillTemperature }),
  });
  await session.setWeights(start.weights);
  const [prepared] = await Promise.all([
    loader.prepare(videos, { ...(signal && { signal }), onProgress: (done, of) => onEvent({ kind: 'reading', done, of }) }),
    session.warmUp(),
  ]);
  recording.noteClues(prepared.read);
  await estimateTime(job, start, session, prepared.usable, teacher);
  if (start.progress) await folder.keepEpochs(start.progress.epoch);
  const preprocess = { ...start.preprocess, ...(prepared.medianSec > 0 && { windowSec: prepared.medianSec }) };
  const notes = { data: data.root, splitBy: data.splitBy, model: config.name, seed: String(options.seed) };
  const plan = await createObjective(job, start, loader, session);
  const parts = {
    config,
    preprocess,
    data,
    unlabelled: start.unlabelled,
    teacher: start.teacher,
    options,
    folder,
    loader,
    session,
    ...(teacher ? distillationObjective(plan, teacher, options) : plan),
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

/** Approximate cost of a pass without gradients, as a share of one with them. */
const forwardShare = 0.35;

async function estimateTime(
  job: TrainJob,
  start: TrainSetup,
  session: TrainingSession,
  clips: number,
  teacher: Teacher | undefined,
) {
  const { data, options, progress } = start;
  const { onEvent } = job;
  if (!onEvent) return;
  const speed = await session.measureSpeed();
  const teaching = teacher ? await reportTeacherSpeed(job, start, teacher, speed) : 0;
  const epochs = options.epochs - (progress?.epoch ?? 0);
  const val = data.videos.filter(({ split }) => split === 'val').length;
  const looks = val > 0 ? Math.ceil(epochs / options.validateEvery) : 1;
  const looked = looks * forwardShare * (val + Math.min(options.preciseBn * options.batch, clips));
  const learnt = epochs * options.repeatedAug * clips;
  const seconds = (learnt + looked) / speed + learnt * teaching;
  const length = seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
  onEvent({
    kind: 'note',
    message: `about ${length}: ${epochs} epochs of ${clips} clips at ${(1 / (1 / speed + teaching)).toFixed(1)} clips/s on this machine`,
  });
}
