/**
 * A trained network to distil from: weights of this program, a model it exported, or any fitting ONNX network. It sees the
 * student's own clips, augmented and mixed (Beyer et al. 2022, arXiv 2106.05237), resampled to its size, frames and
 * normalisation.
 */

import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { resampleClips } from '../../clip/clipResample.js';
import { sameClips, sizeText } from '../../clip/clipShape.js';
import { type ClipTensor, takeClips } from '../../clip/clipTensor.js';
import type { Preprocess } from '../../clip/preprocess.js';
import { ConfigError, WeightsError } from '../../errors.js';
import { Inference } from '../../inference/inference.js';
import { softmax } from '../../metrics/softmax.js';
import { networkCost } from '../../models/cost.js';
import { platformOf } from '../../node/platform.js';
import type { Platform, PlatformOptions } from '../../platform/platform.js';
import { type Checkpoint, parseCheckpoint } from '../../weights/checkpoint.js';
import { readSafetensors } from '../../weights/files.js';
import { locateWeights } from '../../weights/locateWeights.js';
import type { TensorFile } from '../../weights/namedTensor.js';
import { isOnnxFile, readModelBytes } from '../../weights/onnxFile.js';
import { isOwnModel, type OnnxWeights, parseOnnxWeights } from '../../weights/onnxWeights.js';
import type { TeacherHead } from '../teacherHead.js';
import { FeatureDirections } from './featureDirections.js';
import { alignLabels, headNote, type Student, type TeacherNetwork } from './labelAlignment.js';
import { type OnnxChoices, openOnnxTeacher } from './onnxTeacher.js';

export interface Teacher {
  /** What kind of network it is. */
  readonly name: string;
  /** Multiply-adds of one clip; undefined when unknown. */
  readonly macs: number | undefined;
  /** Conclusions about it, and doubts. */
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
  /** What a head of the student learns; undefined when the teacher answers of the student's classes. */
  readonly head: TeacherHead | undefined;
  /**
   * Clips as the student sees them (kept) -> what is learnt: probabilities at a temperature, [B, classes] in the order of the
   * student's labels or [B, outputs] of other classes, or features [B, outputs] of length 1. Rejects with a WeightsError when the
   * answers are no numbers.
   */
  targets(clips: ClipTensor, temperature: number): Promise<Float32Array>;
  /** Of features: takes their mean and deviation from some clips, before the first targets. */
  adapt?(clips: AsyncIterable<ClipTensor>): Promise<void>;
  close(): Promise<void>;
}

export interface TeacherOptions extends PlatformOptions, OnnxChoices {
  readonly threads?: number;
}

/**
 * Opens the file of a teacher, given by path or, for pretrained weights, by name. WeightsError when it is no such file, or takes other input than is needed.
 */
export async function openTeacher(given: string, student: Student, options: TeacherOptions = {}): Promise<Teacher> {
  const path = await teacherPath(given);
  const { pixels, features, size, threads } = options;
  const network = await networkOf(path, student, { platform: platformOf(options), threads, pixels, features, size });
  try {
    return taughtBy(path, network, student);
  } catch (error) {
    await network.close();
    throw error;
  }
}

/** Of the file's bytes and how it is read: equal digests are the same teacher. WeightsError when it cannot be read. */
export async function teacherDigest(given: string, choices: OnnxChoices = {}): Promise<string> {
  const path = await teacherPath(given);
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const { pixels, features, size } = choices;
  const made = [pixels, features, size && sizeText(size)].map((choice) => choice ?? '').join(' ');
  return made.trim() === '' ? hash.digest('hex') : `${hash.digest('hex')} ${made}`;
}

async function teacherPath(given: string): Promise<string> {
  const path = await locateWeights(given).catch((error: unknown) => {
    throw error instanceof WeightsError ? new WeightsError(`--teacher: ${error.message}`) : error;
  });
  const kind = await stat(path).catch((error: NodeJS.ErrnoException) => error);
  if (kind instanceof Error) throw new WeightsError(`--teacher: ${path}: cannot be opened (${kind.code ?? kind.message})`);
  if (kind.isFile()) return path;
  const best = kind.isDirectory() && ['best', 'last'].map((name) => join(path, `${name}.safetensors`)).find(existsSync);
  const hint = best ? `; did you mean ${best}?` : '; expected weights (.safetensors) or an ONNX model';
  throw new WeightsError(`--teacher: ${path}: is ${kind.isDirectory() ? 'a folder' : 'no regular file'}${hint}`);
}

interface TeacherPlace extends OnnxChoices {
  readonly platform: Platform;
  readonly threads: number | undefined;
}

async function networkOf(path: string, student: Student, place: TeacherPlace): Promise<TeacherNetwork> {
  const where = `--teacher: ${path}`;
  const isWeights = !path.endsWith('.onnx') && !(await isOnnxFile(path));
  const model = isWeights ? undefined : await readModelBytes(path);
  if (model && !isOwnModel(model)) return openOnnxTeacher(model, { path, where, student, ...place });
  const stray = (['pixels', 'features', 'size'] as const).find((key) => place[key] !== undefined);
  if (stray !== undefined)
    throw new ConfigError(`--${stray === 'size' ? 'teacher-size' : stray}: ${path} says that itself; leave it out`);
  return ownNetwork(model ? parseOnnxWeights(model, where) : parseCheckpoint(await readWeights(path), where), student, place);
}

async function readWeights(path: string): Promise<TensorFile> {
  try {
    return await readSafetensors(path);
  } catch (error) {
    if (!(error instanceof WeightsError)) throw error;
    throw new WeightsError(`--teacher: ${error.message}; expected weights of this session, or an ONNX model`);
  }
}

function taughtBy(where: string, network: TeacherNetwork, student: Student): Teacher {
  return network.says === 'features' ? teacherOfFeatures(where, network) : teacherOfClasses(where, network, student);
}

function teacherOfClasses(where: string, network: TeacherNetwork, student: Student): Teacher {
  const { outputs } = network;
  const { places, note } = alignLabels(network, student.labels, `--teacher: ${where}`);
  const taken = places ?? Array.from({ length: outputs }, (_, i) => i);
  return {
    ...factsOf(network, note),
    head: places ? undefined : { learns: 'classes', outputs },
    targets: async (clips, temperature) => {
      const rows = await network.rows(clips);
      const out = new Float32Array(clips.count * taken.length);
      rows.forEach((row, b) => {
        const known = taken.map((place) => row[place] ?? Number.NaN);
        out.set(distribution(known, temperature, where), b * taken.length);
      });
      return out;
    },
  };
}

function teacherOfFeatures(where: string, network: TeacherNetwork): Teacher {
  const { outputs } = network;
  let directions = new FeatureDirections([new Float32Array(outputs)]);
  return {
    ...factsOf(network, headNote),
    head: { learns: 'features', outputs },
    targets: async (clips) => directions.of(await network.rows(clips), `--teacher: ${where}`),
    adapt: async (batches) => {
      const rows: Float32Array[] = [];
      for await (const clips of batches) rows.push(...(await network.rows(clips)));
      directions = new FeatureDirections(rows);
    },
  };
}

const factsOf = ({ name, macs, notes, warnings, close }: TeacherNetwork, note: string | undefined) => ({
  ...{ name, macs, warnings, close },
  notes: [...notes, ...(note === undefined ? [] : [note])],
});

function distribution(logits: readonly number[], temperature: number, where: string): number[] {
  try {
    return softmax(logits, temperature);
  } catch (error) {
    if (error instanceof WeightsError) throw new WeightsError(`--teacher: ${where}: ${error.message}`);
    throw error;
  }
}

/** A network of this program; clips go through it in groups, on several engines. */
function ownNetwork(weights: Checkpoint | OnnxWeights, student: Student, { platform, threads }: TeacherPlace): TeacherNetwork {
  const { config, labels, preprocess, notes } = weights;
  const values = 'model' in weights ? weights : { parameters: weights.parameters, statistics: weights.statistics };
  const inference = new Inference(config, values, platform, { threads });
  const form = { ...preprocess, frames: config.frames, height: config.height, width: config.width };
  const { macs } = networkCost(config);
  const group = inference.groupSize;
  return {
    ...{ name: config.name, macs, says: 'logits', labels, outputs: labels.length },
    notes: formNotes(form, student),
    warnings: knownVideos(notes, student),
    rows: async (clips) => {
      const { count } = clips;
      const groups = Array.from({ length: Math.ceil(count / group) }, (_, i) => i * group);
      const rows = groups.map((first) => {
        const part = Math.min(group, count - first);
        const adapted = resampleClips(takeClips(clips, first, part), student.preprocess, form);
        return inference.logits(adapted, 'throughput');
      });
      return (await Promise.all(rows)).flat();
    },
    close: () => inference.close(),
  };
}

function formNotes(form: Preprocess, { preprocess }: Student): string[] {
  const adapted = !sameClips(form, preprocess);
  const clip = (made: Preprocess) => `${made.frames} frames of ${sizeText(made)} px`;
  const seen = { crop: 'crops', fit: 'whole frames', stretch: 'stretched frames' } as const;
  return [
    ...(adapted ? [`it takes ${clip(form)}: the student's ${clip(preprocess)} are brought to that`] : []),
    ...(form.resize === preprocess.resize
      ? []
      : [`it was trained on ${seen[form.resize]} and sees the student's ${seen[preprocess.resize]}`]),
  ];
}

/** A teacher trained on videos that this run validates or tests on would leak them. */
function knownVideos(notes: Readonly<Record<string, string>>, { data }: Student): string[] {
  if (data === undefined || notes['data'] !== data.root || notes['splitBy'] === data.splitBy) return [];
  return [
    `the teacher was trained on the same data, split otherwise (${notes['splitBy'] ?? 'unknown'}; here: ${data.splitBy}): if it has seen what is kept for validation or testing here, results are too good`,
  ];
}
