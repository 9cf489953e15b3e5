/**
 * Distillation (Hinton et al. 2015, arXiv 1503.02531): (1 - share) times the cross-entropy with the labels plus share times T^2
 * times that with the teacher at temperature T, on the same view. Unlabelled clips have their full weight from the start, since
 * this teacher is already trained.
 */

import { type ClipTensor, emptyClips } from '../../clip/clipTensor.js';
import type { ClipBatch, DataLoader } from '../../dataset/dataLoader.js';
import type { LabelledVideo } from '../../dataset/labelledVideos.js';
import { ConfigError } from '../../errors.js';
import { percent } from '../../metrics/percent.js';
import type { NetworkConfig } from '../../models/config.js';
import { networkCost } from '../../models/cost.js';
import { countValues, initialValues } from '../../models/variables.js';
import { Rng } from '../../rng.js';
import type { TrainJob } from '../job.js';
import { type TrainOptions, trainOptions } from '../recipe/options.js';
import type { TrainSetup } from '../setup.js';
import { headParameters, type TeacherHead } from '../teacherHead.js';
import type { TrainingWeights } from '../trainingSession.js';
import type { Objective } from './objective.js';
import { batchParts } from './semiSupervised.js';
import type { TrainingBatch } from './supervised.js';
import { openTeacher, type Teacher } from './teacher.js';

/** The objective with what the teacher says of each pass's clips. */
export function distillationObjective(objective: Objective, teacher: Pick<Teacher, 'targets'>, options: TrainOptions): Objective {
  return {
    ...objective,
    makeBatch: async (clips, at) => {
      const batch = await objective.makeBatch(clips, at);
      return distillationBatch(batch, await teacher.targets(batch.clips, options.distillTemperature), options);
    },
  };
}

type Shares = Pick<TrainOptions, 'distillAlpha' | 'batch' | 'unlabelledRatio' | 'pseudoWeight'>;

/** `taught` [B, K] is the teacher's; the weight of each clip is divided between it and the labels. */
export function distillationBatch(batch: TrainingBatch, taught: Float32Array, options: Shares): TrainingBatch {
  const { distillAlpha } = options;
  const weights = clipWeights(batch.labels, options);
  const width = taught.length / weights.length;
  return {
    ...batch,
    targets: batch.targets.map((value) => value * (1 - distillAlpha)),
    soft: taught.map((value, i) => value * distillAlpha * (weights[Math.floor(i / width)] ?? 0)),
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
  { teacher: path, threads, platform, onEvent, pixels, features, teacherSize: size }: TrainJob,
  start: TrainSetup,
): Promise<Teacher | undefined> {
  if (path === undefined) return undefined;
  const { preprocess, data } = start;
  const { labels, root, splitBy } = data;
  const student = { preprocess, labels, data: { root, splitBy } };
  const teacher = await openTeacher(path, student, {
    ...(threads !== undefined && { threads }),
    ...(platform !== undefined && { platform }),
    ...{ pixels, features, size },
  });
  if (teacher.head && start.config.causal) {
    await teacher.close();
    throw new ConfigError(`${start.config.name}: is causal; a teacher of other classes or of features is for whole clips`);
  }
  for (const note of teacher.notes) onEvent?.({ kind: 'note', message: `teacher ${path}: ${note}` });
  for (const message of teacher.warnings) onEvent?.({ kind: 'warning', message });
  return teacher;
}

/** The share of a teacher that says nothing of the labels. */
const headShare = 0.5;

/** A new run's setup beside its teacher: one whose answers a head learns gets less of the loss, unless the share was chosen. */
export function setupWithTeacher(job: TrainJob, start: TrainSetup, teacher: Teacher | undefined): TrainSetup {
  const { head } = teacher ?? {};
  const { config, options, weights } = start;
  if (!head) return start;
  const isChosen =
    start.progress !== undefined || job.options?.distillAlpha !== undefined || options.distillAlpha !== defaultAlpha;
  const chosen = isChosen ? options : { ...options, distillAlpha: headShare };
  return { ...start, options: chosen, weights: withHead(weights, config, head, options.seed) };
}

const defaultAlpha = trainOptions({}).distillAlpha;

function withHead(weights: TrainingWeights, config: NetworkConfig, head: TeacherHead, seed: number): TrainingWeights {
  if (weights.teacherHead) return weights;
  const specs = headParameters(config, head);
  const room = weights.parameters.length + countValues(specs);
  const teacherHead = initialValues(specs, new Rng([seed, 'teacher head']));
  return { ...weights, teacherHead, expAvg: new Float32Array(room), expAvgSq: new Float32Array(room) };
}

const mostAdapting = 64;

/** Shows a teacher of features some training clips, evenly out of all, as they look in testing. */
export async function adaptTeacher(
  teacher: Teacher,
  loader: DataLoader,
  videos: readonly LabelledVideo[],
  { batch }: TrainOptions,
): Promise<void> {
  if (!teacher.adapt) return;
  const usable = videos.filter((video) => loader.isUsable(video));
  const count = Math.min(mostAdapting, usable.length);
  const some = Array.from({ length: count }, (_, i) => usable[Math.floor((i * usable.length) / count)] as LabelledVideo);
  const batches = loader.batches(some, { batch, train: false });
  await teacher.adapt(clipsOf(batches));
}

async function* clipsOf(batches: AsyncIterable<Pick<ClipBatch, 'clips'>>): AsyncGenerator<ClipTensor> {
  for await (const { clips } of batches) yield clips;
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
  const blank = () => teacher.targets(emptyClips(options.batch, config), 1);
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
