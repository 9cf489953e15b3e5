/**
 * Trains a network from a folder of labelled videos to a run folder. Everything that can be checked is checked before anything is
 * written.
 */

import type { DataLoader } from '../dataset/dataLoader.js';
import { readDataset } from '../dataset/dataset.js';
import { type Split, videosOf } from '../dataset/labelledVideos.js';
import { platformOf } from '../node/platform.js';
import type { GraphRuntime } from '../platform/graphRuntime.js';
import type { Checkpoint } from '../weights/checkpoint.js';
import { calibrateBest } from './calibrateBest.js';
import { type ProbeStart, probeStart, type StoreParts, storeProbe } from './finetune/probeStart.js';
import { storedProbe } from './finetune/storedProbe.js';
import { type AverageParts, averageWithProbe, type Kept } from './finetune/weightAverage.js';
import type { TrainJob, TrainJobEvent, TrainSummary } from './job.js';
import { learnsEvenly } from './layerDecay.js';
import { classFrequencies, positiveWeights } from './multiLabel.js';
import {
  adaptTeacher,
  distillationObjective,
  openTeacherFor,
  reportTeacherSpeed,
  setupWithTeacher,
} from './objectives/distillation.js';
import { createObjective } from './objectives/objective.js';
import type { Teacher } from './objectives/teacher.js';
import { openLoader } from './openLoader.js';
import { dataDigest } from './progress.js';
import { RunFolder } from './runFolder/runFolder.js';
import { beginRecord, type Recording, type RunStart } from './runFolder/runRecord.js';
import { checkJob, newSetup, resumedSetup, type TrainSetup } from './setup.js';
import { defaultStep, type StepOptions } from './step.js';
import { Trainer } from './trainer.js';
import { TrainingSession } from './trainingSession.js';
import { tuneBest } from './tuneBest.js';

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
  const data = typeof job.data === 'string' ? await readDataset(job.data, job.dataset, { decoder: job.decoder }) : job.data;
  for (const note of data.notes) onEvent({ kind: 'note', message: note });
  const setup = job.resume ? await resumedSetup(job, folder, data) : await newSetup(job, data);
  const engine = platformOf(job).openRuntime(job.threads === undefined ? {} : { threads: job.threads });
  let [teacher, loader]: [Teacher | undefined, DataLoader | undefined] = [undefined, undefined];
  try {
    const probe = await fittedProbe(job, setup, engine);
    if (probe === 'interrupted') return interruptedBefore(setup, folder);
    const begun = probe ? { ...setup, ...startFrom(probe, setup) } : setup;
    teacher = await openTeacherFor(job, begun);
    const start = setupWithTeacher(job, begun, teacher);
    loader = openLoader(job, start.preprocess, start.options);
    await folder.open();
    const recording = await beginRecord({ ...recordOf(job, folder, start, teacher), said });
    const parts = { job, folder, start, loader, engine, recording, teacher, probe };
    return await recording.during(async () => {
      const summary = await runTraining(parts);
      if (!summary.interrupted) {
        await calibrateBest(job, folder.bestPath, start.data);
        await tuneBest(job, folder.bestPath, start.data);
      }
      return summary;
    });
  } finally {
    await Promise.all([folder.close(), engine.close(), loader?.close(), teacher?.close()]);
  }
}

type Job = TrainJob & Pick<Required<TrainJob>, 'onEvent'>;

/** The probe that a new run starts from, if its options ask for one. */
async function fittedProbe(job: Job, start: TrainSetup, engine: GraphRuntime): Promise<ProbeStart | 'interrupted' | undefined> {
  if (!start.options.probe || start.progress) return undefined;
  const quiet = { ...job, onEvent: (event: TrainJobEvent) => event.kind === 'reading' && job.onEvent(event) };
  try {
    return await probeStart({ job, start, engine, openLoader: (preprocess) => openLoader(quiet, preprocess, start.options) });
  } catch (error) {
    if (job.signal?.aborted) return 'interrupted';
    throw error;
  }
}

function startFrom({ config, preprocess, weights }: ProbeStart, { weights: before }: TrainSetup) {
  return { config, preprocess, weights: { ...before, ...weights } };
}

/** Nothing was stored yet. */
function interruptedBefore({ config, data }: TrainSetup, { lastPath, bestPath }: RunFolder): TrainSummary {
  const count = (name: Split) => data.videos.filter(({ split }) => split === name).length;
  return {
    ...{ epochs: [], bestTop1: undefined, bestLoss: undefined, bestEpoch: 0, interrupted: true, stoppedEarly: false },
    ...{ config, labels: data.labels, trainVideos: count('train'), valVideos: count('val'), leftOut: [], lastPath, bestPath },
  };
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

interface Parts {
  readonly job: Job;
  readonly folder: RunFolder;
  readonly start: TrainSetup;
  readonly loader: DataLoader;
  readonly engine: GraphRuntime;
  readonly recording: Recording;
  readonly teacher: Teacher | undefined;
  readonly probe: ProbeStart | undefined;
}

async function runTraining(parts: Parts): Promise<TrainSummary> {
  const { job, folder, start, loader, recording, teacher } = parts;
  const { onEvent, signal } = job;
  const { data, config, options } = start;
  const session = new TrainingSession(parts.engine, config, stepOptions(start, teacher));
  await session.setWeights(start.weights);
  const [prepared] = await Promise.all([
    loader.prepare(videosOf(data, 'train'), {
      ...(signal && { signal }),
      onProgress: (done, of) => onEvent({ kind: 'reading', done, of }),
    }),
    session.warmUp(),
  ]);
  recording.noteClues(prepared.read);
  const preprocess = { ...start.preprocess, ...(prepared.medianSec > 0 && { windowSec: prepared.medianSec }) };
  const notes = { data: data.root, splitBy: data.splitBy, model: config.name, seed: String(options.seed) };
  const probe = await probeOfRun(parts, { ...start, preprocess, notes, folder, onEvent });
  await estimateTime(job, start, session, prepared.usable, teacher);
  if (start.progress) await folder.keepEpochs(start.progress.epoch);
  if (teacher) await adaptTeacher(teacher, loader, videosOf(data, 'train'), options);
  const plan = await createObjective(job, start, loader, session);
  const trainerParts = {
    ...{ config, preprocess, data, unlabelled: start.unlabelled, teacher: start.teacher, probe },
    first: parts.probe?.validation,
    mostClasses: Math.max(config.classes, teacher?.head?.learns === 'classes' ? teacher.head.outputs : 0),
    ...{ options, folder, loader, session, notes, onEvent, signal },
    ...(teacher ? distillationObjective(plan, teacher, options) : plan),
  };
  const outcome = await new Trainer(trainerParts, start.progress).run();
  const kept = probe && !outcome.interrupted ? await keptOf({ ...trainerParts, probe, outcome }) : undefined;
  return {
    ...outcome,
    ...(kept === 'interrupted' && { interrupted: true }),
    ...(kept &&
      kept !== 'interrupted' && {
        bestTop1: kept.top1,
        ...(kept.map !== undefined && { bestMap: kept.map }),
        bestLoss: kept.loss,
        tunedShare: kept.tunedShare,
        candidates: kept.candidates,
      }),
    ...{ config, labels: data.labels, trainVideos: prepared.usable },
    valVideos: data.videos.filter((video) => video.split === 'val').length,
    leftOut: loader.leftOut,
    ...{ lastPath: folder.lastPath, bestPath: folder.bestPath },
    ...(options.probe && { probePath: folder.probePath }),
  };
}

/** The new probe is stored; a resumed run reads that of its start. */
async function probeOfRun({ probe, start }: Parts, store: StoreParts): Promise<Checkpoint | undefined> {
  if (probe) return storeProbe(probe, store);
  return start.options.probe ? storedProbe(store.folder, start.config, store.onEvent) : undefined;
}

async function keptOf(parts: AverageParts): Promise<Kept | 'interrupted' | undefined> {
  try {
    return await averageWithProbe(parts);
  } catch (error) {
    if (parts.signal?.aborted) return 'interrupted';
    throw error;
  }
}

function stepOptions({ options, data, config }: TrainSetup, teacher: Teacher | undefined): StepOptions {
  return {
    ...defaultStep,
    clips: options.batch,
    gradClip: options.gradClip || Number.POSITIVE_INFINITY,
    gradAccum: options.gradAccum,
    ema: options.ema > 0,
    dropPath: options.dropPath > 0,
    layerRates: !learnsEvenly(options),
    frozenStatistics: options.batchNorm === 'frozen',
    ...(teacher && { temperature: options.distillTemperature }),
    ...(teacher?.head && { teacherHead: teacher.head }),
    ...(data.multiLabel && { positiveWeights: positiveWeights(classFrequencies(videosOf(data, 'train'), config.classes)) }),
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
