/**
 * Distillation (Hinton et al. 2015, arXiv 1503.02531): (1 - share) times the cross-entropy with the labels plus share times T^2
 * times that with the teacher at temperature T, on the same view. Unlabelled clips have their full weight from the start, since
 * this teacher is already trained.
 */

import { emptyClips } from '../../clip/clipTensor.js';
import { percent } from '../../metrics/percent.js';
import type { NetworkConfig } from '../../models/config.js';
import { networkCost } from '../../models/cost.js';
import type { TrainJob } from '../job.js';
import type { TrainOptions } from '../recipe/options.js';
import type { TrainSetup } from '../setup.js';
import type { Objective } from './objective.js';
import { batchParts } from './semiSupervised.js';
import type { TrainingBatch } from './supervised.js';
import { openTeacher, type Teacher } from './teacher.js';

/** The objective with what the teacher says of each pass's clips. */
export function distillationObjective(
  objective: Objective,
  teacher: Pick<Teacher, 'probabilities'>,
  options: TrainOptions,
): Objective {
  return {
    ...objective,
    makeBatch: async (clips, at) => {
      const batch = await objective.makeBatch(clips, at);
      return distillationBatch(batch, await teacher.probabilities(batch.clips, options.distillTemperature), options);
    },
  };
}

type Shares = Pick<TrainOptions, 'distillAlpha' | 'batch' | 'unlabelledRatio' | 'pseudoWeight'>;

/** `probabilities` [B, classes] are the teacher's; the weight of each clip is divided between them and the labels. */
export function distillationBatch(batch: TrainingBatch, probabilities: Float32Array, options: Shares): TrainingBatch {
  const { distillAlpha } = options;
  const weights = clipWeights(batch.labels, options);
  const classes = probabilities.length / weights.length;
  return {
    ...batch,
    targets: batch.targets.map((value) => value * (1 - distillAlpha)),
    soft: probabilities.map((value, i) => value * distillAlpha * (weights[Math.floor(i / classes)] ?? 0)),
  };
}

/** Target weights of each clip: see semiSupervisedBatch. */
function clipWeights(labels: Int32Array, options: Shares): number[] {
  if (!labels.includes(-1)) return Array<number>(labels.length).fill(1);
  const { labelled, unlabelled } = batchParts(options);
  const { batch, pseudoWeight } = options;
  return Array.from(labels, (label) => (label === -1 ? (pseudoWeight * batch) / unlabelled : batch / labelled));
}

/** Opens a run's teacher and reports its notes and warnings; undefined for a run without. Rejects as `openTeacher`. */
export async function openTeacherFor(
  { teacher: path, threads, platform, onEvent }: TrainJob,
  start: TrainSetup,
): Promise<Teacher | undefined> {
  if (path === undefined) return undefined;
  const { preprocess, data } = start;
  const { labels, root, splitBy } = data;
  const student = { preprocess, labels, data: { root, splitBy } };
  const teacher = await openTeacher(path, student, {
    ...(threads !== undefined && { threads }),
    ...(platform !== undefined && { platform }),
  });
  for (const note of teacher.notes) onEvent?.({ kind: 'note', message: `teacher ${path}: ${note}` });
  for (const message of teacher.warnings) onEvent?.({ kind: 'warning', message });
  return teacher;
}

/**
 * Times the teacher on a blank batch and reports its cost beside a student of so many clips a second. -> its seconds a clip.
 */
export async function reportTeacherSpeed(
  job: TrainJob,
  start: TrainSetup,
  teacher: Teacher,
  clipsPerSec: number,
): Promise<number> {
  const { config, options } = start;
  const blank = () => teacher.probabilities(emptyClips(options.batch, config), 1);
  await blank(); // loads what is not loaded yet
  const startedMs = performance.now();
  await blank();
  const seconds = (performance.now() - startedMs) / 1000 / options.batch;
  const times = (1 + seconds * clipsPerSec).toFixed(1);
  job.onEvent?.({
    kind: 'note',
    message: `teacher ${job.teacher}: ${teacher.name}${costText(teacher, config)}; it gives ${percent(options.distillAlpha, 0)} of the loss, and steps take ${times} times as long`,
  });
  return seconds;
}

function costText({ macs }: Teacher, config: NetworkConfig): string {
  if (macs === undefined) return '';
  const millions = (macs / 1e6).toLocaleString('en', { maximumSignificantDigits: 3 });
  return `, ${millions} M multiply-adds a clip, ${(macs / networkCost(config).macs).toPrecision(2)} times the student's`;
}
