/** The start of a run: options from flags, recipe and data, and first weights, or all from a checkpoint. Writes nothing. */

import { sidedLabels } from '../clip/augment.js';
import { type FrameShape, sizeText } from '../clip/clipShape.js';
import { makePreprocess, type Preprocess } from '../clip/preprocess.js';
import { type LabelledVideos, videosOf } from '../dataset/labelledVideos.js';
import type { VideoPart } from '../dataset/videoPart.js';
import { shapesOf } from '../dataset/videoShapes.js';
import { ConfigError, WeightsError } from '../errors.js';
import type { NetworkConfig } from '../models/config.js';
import type { TemporalPlan } from '../models/model.js';
import { inventoryOf } from '../models/network.js';
import { defaultNetwork, networkConfig, parseNetworkConfig } from '../models/registry.js';
import { countValues, initialValues } from '../models/variables.js';
import { Rng } from '../rng.js';
import type { Checkpoint } from '../weights/checkpoint.js';
import { type InitialWeights, isRandom, readInitialWeights, takeInitialWeights } from './initialWeights.js';
import type { TrainJob } from './job.js';
import { classFrequencies, startAtFrequencies } from './multiLabel.js';
import { teacherDigest } from './objectives/teacher.js';
import { unlabelledVideos } from './objectives/unlabelledVideos.js';
import { type FrameForm, frameForm, frameForms } from './pictureSize.js';
import { checkTeacher, type Progress, resumedProgress } from './progress.js';
import { type RecipeDefaults, recipeDefaults } from './recipe/defaults.js';
import { type TrainOptions, trainOptions } from './recipe/options.js';
import { type Recipe, readRecipe } from './recipe/recipe.js';
import type { RunFolder } from './runFolder/runFolder.js';
import type { TrainingWeights } from './trainingSession.js';

/** Decay of the pseudo-labelling moving average, when the recipe has none. */
const teacherAverage = 0.99;

/** Everything a run starts with, read and checked. */
export interface TrainSetup {
  readonly data: LabelledVideos;
  readonly config: NetworkConfig;
  readonly preprocess: Preprocess;
  readonly options: TrainOptions;
  readonly weights: TrainingWeights;
  readonly progress: Progress | undefined;
  /** Videos without labels to learn from. */
  readonly unlabelled: readonly VideoPart[];
  /** Digest of the teacher's file, when there is one. */
  readonly teacher: string | undefined;
  /** Path or name of the weights that a new run starts from, when there are any. */
  readonly init?: string;
  /** Ways to see the videos that a new run chooses from; empty where there is no choice. */
  readonly views?: readonly FrameForm[];
}

/** Checks recipe and options before the data are read. */
export function checkJob({ recipe, options }: Pick<TrainJob, 'recipe' | 'options'>): void {
  if (typeof recipe === 'string') readRecipe(recipe);
  trainOptions(options ?? {});
}

/** A new run: first values from the seed, or from other weights. */
export async function newSetup(job: TrainJob, data: LabelledVideos): Promise<TrainSetup> {
  const { onEvent = () => {} } = job;
  refuseMultiLabel(job, data);
  if (data.labels.length < 2 && !data.multiLabel)
    throw new ConfigError(`${data.root}: ${data.labels.length} class; training needs at least two`);
  const init = await readInitialWeights(job);
  const from = init?.checkpoint;
  const { model, preprocess: sampling, edge, options: wished } = chosen(job, data, init);
  const wanted = { model: init?.ofNetwork ?? model, sampling, edge };
  const { config: plain, resize, views } = await chosenConfig(job, wanted, data, from);
  const options = { ...wished, probe: wished.probe && canBeProbed(plain, init, job) };
  const config = options.probe ? { ...plain, readout: 'multilevel' as const } : plain;
  parseNetworkConfig(config, 'model'); // else its weights could not be read again
  const inventory = inventoryOf(config);
  const rng = new Rng([options.seed, 'weights']);
  const weights: TrainingWeights = {
    parameters: initialValues(inventory.parameters, rng),
    statistics: initialValues(inventory.statistics, rng),
    expAvg: new Float32Array(countValues(inventory.parameters)),
    expAvgSq: new Float32Array(countValues(inventory.parameters)),
  };
  const [view] = views;
  if (view && !(options.probe && views.length > 1)) {
    onEvent({ kind: 'note', message: `${viewText(view)}: ${view.reason}; --size and --resize take others` });
  }
  if (data.multiLabel) startAtFrequencies(config, weights.parameters, classFrequencies(videosOf(data, 'train'), config.classes));
  if (init) takeInitialWeights(init, config, weights, data.labels, onEvent);
  const preprocess = chosenPreprocess({ ...job, preprocess: { ...(resize && { resize }), ...sampling } }, data, config, from);
  const unlabelled = await unlabelledOf(job, data);
  refuseTeacherOptions(job);
  return {
    data,
    config,
    options: withTeacher(options, unlabelled.length > 0),
    weights,
    progress: undefined,
    preprocess,
    unlabelled,
    teacher: await digestOfTeacher(job),
    ...(init && { init: init.name }),
    views: options.probe ? views : [],
  };
}

async function unlabelledOf(
  { unlabelled, dataset, decoder, onEvent }: TrainJob,
  data: LabelledVideos,
): Promise<readonly VideoPart[]> {
  const { videos, notes } = await unlabelledVideos({ unlabelled, dataset, decoder }, data);
  for (const message of notes) onEvent?.({ kind: 'note', message });
  return videos;
}

/** What several labels at once do not go with. */
function refuseMultiLabel({ teacher, unlabelled, options = {} }: TrainJob, { multiLabel, root }: LabelledVideos): void {
  if (!multiLabel) return;
  const reason = (what: string, why: string) => new ConfigError(`${what}: ${why}; leave it out, or --labels one`, { path: root });
  if (teacher !== undefined)
    throw reason('--teacher', "a teacher's answers are of one class, and these videos have several at once");
  if (unlabelled !== undefined)
    throw reason('--unlabelled', 'pseudo-labels are of one class, and these videos have several at once');
  if (options.classBalanced)
    throw reason('--class-balanced', 'videos have several classes at once, of which rare ones weigh more already');
}

/** A probe reads whole clips with trained weights; ConfigError where one was asked for that cannot be. */
function canBeProbed({ causal, name }: NetworkConfig, init: InitialWeights | undefined, job: TrainJob): boolean {
  if (!init) throw new ConfigError('a start from a linear probe needs trained weights: give --init, or --no-probe');
  if (!causal) return true;
  if (job.options?.probe)
    throw new ConfigError(`${name}: a probe reads whole clips, which a causal network has not; leave out --probe`);
  job.onEvent?.({ kind: 'note', message: 'no probe first: it reads whole clips, and this network looks back only' });
  return false;
}

function refuseTeacherOptions({ options = {}, teacher, ...job }: TrainJob): void {
  const flags = { pixels: '--pixels', features: '--features', teacherSize: '--teacher-size' } as const;
  const foreign = (['pixels', 'features', 'teacherSize'] as const).find((key) => job[key] !== undefined);
  if (teacher === undefined && foreign !== undefined)
    throw new ConfigError(`${flags[foreign]} is for a network in an ONNX file; give --teacher, or --baseline and --init`);
  const stray = (['distillAlpha', 'distillTemperature'] as const).find((key) => options[key] !== undefined);
  if (teacher === undefined && stray !== undefined) throw new ConfigError(`${stray}: is for runs with a teacher; give --teacher`);
}

const digestOfTeacher = async ({ teacher, pixels, features, teacherSize: size }: TrainJob): Promise<string | undefined> =>
  teacher === undefined ? undefined : teacherDigest(teacher, { pixels, features, size });

type Choices = Required<Pick<TrainJob, 'preprocess'>> & {
  readonly model: TrainJob['model'] | undefined;
  /** Edge of a square of as many pixels. */
  readonly edge: number | undefined;
  readonly options: TrainOptions;
};

/** Pseudo-labels come from the moving average of the weights, so there must be one. */
function withTeacher(options: TrainOptions, needed: boolean): TrainOptions {
  return needed && options.ema === 0 ? { ...options, ema: teacherAverage } : options;
}

/** Precedence: job, recipe, data. */
function chosen(job: TrainJob, data: LabelledVideos, init?: InitialWeights): Choices {
  const { onEvent = () => {}, options = {}, preprocess = {}, model } = job;
  if (job.recipe === false) return { model, preprocess, edge: undefined, options: trainOptions(options) };
  const auto = recipeDefaults({ perClass: trainingCounts(data), pretrained: !isRandom(job) });
  const recipe = readRecipe(job.recipe ?? auto.recipe);
  const augment = { ...recipe.options.augment, ...options.augment };
  const merged = { ...auto.options, ...recipe.options, ...options, augment };
  for (const reason of reasonsFor(job, auto, recipe)) onEvent({ kind: 'note', message: reason });
  const ofRecipe = !init || init.isPretrained; // weights of one's own know best how they see videos
  return {
    model: model ?? (isRandom(job) ? recipe.model : undefined),
    preprocess: { ...(ofRecipe && recipe.preprocess), ...preprocess },
    edge: ofRecipe ? recipe.edge : undefined,
    options: trainOptions(merged),
  };
}

function reasonsFor(job: TrainJob, { reasons }: RecipeDefaults, recipe: Recipe): string[] {
  const { recipe: named, model, options = {} } = job;
  const isGiven = (key: 'epochs' | 'classBalanced') => options[key] !== undefined || recipe.options[key] !== undefined;
  return [
    ...(named === undefined ? [reasons.recipe] : []),
    ...(isGiven('epochs') ? [] : [reasons.epochs]),
    ...(reasons.classBalanced === undefined || isGiven('classBalanced') ? [] : [reasons.classBalanced]),
    ...(model === undefined && isRandom(job)
      ? [`network ${recipe.model} with random initial weights; --init takes trained weights`]
      : []),
  ];
}

/** Training videos of each class; with several at once all of them, which belong to no class alone. */
function trainingCounts({ labels, videos, multiLabel }: LabelledVideos): number[] {
  if (multiLabel) return [videos.filter(({ split }) => split === 'train').length];
  const counts = labels.map(() => 0);
  for (const { split, labelIndex } of videos) if (split === 'train') counts[labelIndex] = (counts[labelIndex] ?? 0) + 1;
  return counts;
}

interface Framed {
  readonly config: NetworkConfig;
  readonly resize: Preprocess['resize'] | undefined;
  readonly views: readonly FrameForm[];
}

interface Wanted {
  readonly model: TrainJob['model'] | undefined;
  readonly sampling: Partial<Preprocess>;
  readonly edge: number | undefined;
}

async function chosenConfig(job: TrainJob, wanted: Wanted, data: LabelledVideos, from?: Checkpoint): Promise<Framed> {
  const { model, sampling } = wanted;
  const base = baseConfig(model, job.temporal, from);
  if (typeof model === 'object' && model.readout)
    throw new ConfigError(`${model.name}: readout: a linear one is fitted, not trained; leave it out, or use --baseline`);
  const trained = base.readout === 'multilevel' ? base : withoutReadout(base);
  const isOpen =
    job.recipe !== false && typeof model !== 'object' && sampling.height === undefined && sampling.width === undefined;
  const views = isOpen ? await suitingForms(job, base, wanted, data) : [];
  const { height, width, resize } = views[0] ?? { ...sizeOf(base), ...given(sampling), resize: undefined };
  return {
    config: { ...trained, classes: data.labels.length, frames: sampling.frames ?? base.frames, height, width },
    resize,
    views,
  };
}

/** The fixed readout of earlier baselines is not trained: such a network gets its head back. */
function withoutReadout({ readout: _, ...config }: NetworkConfig): NetworkConfig {
  return config;
}

function baseConfig(model: TrainJob['model'], temporal: TemporalPlan | undefined, from: Checkpoint | undefined): NetworkConfig {
  if (typeof model === 'object') return model;
  if (model === undefined && temporal === undefined && from) return from.config;
  return networkConfig(model ?? defaultNetwork, temporal === undefined ? {} : { temporal });
}

const sizeOf = ({ height, width }: FrameShape): FrameShape => ({ height, width });

const given = ({ height, width }: Partial<FrameShape>): Partial<FrameShape> => ({
  ...(height !== undefined && { height }),
  ...(width !== undefined && { width }),
});

/** Frame sizes and resizes for the shapes of the training videos, the usual first, with the pixel count of the recipe or else the network. */
async function suitingForms(
  job: TrainJob,
  base: NetworkConfig,
  { edge, sampling }: Wanted,
  data: LabelledVideos,
): Promise<FrameForm[]> {
  const square = edge === undefined ? sizeOf(base) : { height: edge, width: edge };
  const shapes = await shapesOf(videosOf(data, 'train'), job);
  const { resize } = sampling;
  return resize === undefined ? frameForms(shapes, square) : [frameForm(shapes, square, resize)];
}

/** How frames are seen, for the user. */
export function viewText(form: FrameForm): string {
  const how = { crop: 'the middle of each frame', fit: 'whole frames', stretch: 'whole frames, stretched,' }[form.resize];
  return `${how} at ${sizeText(form)} px`;
}

function chosenPreprocess(job: TrainJob, data: LabelledVideos, config: NetworkConfig, from: Checkpoint | undefined): Preprocess {
  const { onEvent = () => {} } = job;
  const { frames, height, width } = config;
  const sided = sidedLabels(data.labels);
  if (sided.length > 0 && job.preprocess?.flip === undefined) {
    onEvent({ kind: 'note', message: `clips are not mirrored, since labels tell sides apart: ${sided.join(', ')}` });
  }
  const inherited = from ? inheritedBy(config, from) : {};
  return makePreprocess({ ...inherited, ...(sided.length > 0 && { flip: false }), ...job.preprocess, frames, height, width });
}

/** From trained weights: all for frames of the same size, else the normalisation. */
function inheritedBy({ height, width }: NetworkConfig, { config, preprocess }: Checkpoint): Partial<Preprocess> {
  if (config.height === height && config.width === width) return preprocess;
  return { mean: preprocess.mean, std: preprocess.std };
}

/** A resumed run: all its options come from its checkpoint; others are refused. */
export async function resumedSetup(job: TrainJob, folder: RunFolder, data: LabelledVideos): Promise<TrainSetup> {
  const given = [
    job.model !== undefined && '--model',
    job.temporal !== undefined && '--temporal',
    job.init !== undefined && '--init',
    job.preprocess && 'preprocessing',
    job.options && 'options',
    typeof job.recipe === 'string' && '--recipe',
  ];
  const extra = given.filter((name) => typeof name === 'string');
  if (extra.length > 0) throw new ConfigError(`--resume takes every choice from the run itself; leave out ${extra.join(', ')}`);
  const last = await folder.readLast();
  const { training } = last;
  if (!training) throw new WeightsError(`${folder.lastPath}: holds no training state to resume, or an earlier version's`);
  const unlabelled = await unlabelledOf(job, data);
  const progress = resumedProgress(training.progress, data, unlabelled, folder.lastPath);
  const teacher = await digestOfTeacher(job);
  checkTeacher(progress, teacher, folder.lastPath);
  const { config, preprocess, parameters, statistics } = last;
  const { expAvg, expAvgSq, rawParams, gradients, teacherHead } = training;
  const weights = {
    ...{ parameters: rawParams ?? parameters, statistics, expAvg, expAvgSq },
    ...(rawParams && { ema: parameters }),
    ...(gradients && { gradients }),
    ...(teacherHead && { teacherHead }),
  };
  return { data, config, preprocess, options: progress.options, weights, progress, unlabelled, teacher };
}
