/**
 * A teacher from any ONNX file: one float32 input of clips [B, 3, T, H, W] or [B, T, 3, H, W], or of images [B, 3, H, W] (logits
 * averaged over frames), and one output [B, classes]. Optional metadata, as JSON: `labels`, names; `mean` and `std`, three
 * numbers each for values in [0, 1]. Ambiguous models are refused.
 */

import * as v from 'valibot';
import { type ClipForm, resampleClips } from '../../clip/clipResample.js';
import { sizeText } from '../../clip/clipShape.js';
import { type ClipTensor, toChannelMajor, toClipMajor } from '../../clip/clipTensor.js';
import { messageOf, WeightsError } from '../../errors.js';
import { readOnnxMetadata } from '../../graph/onnxMetadata.js';
import { sizeOf } from '../../graph/shape.js';
import { parsedJson } from '../../json.js';
import type { Session, SessionFacts, ValueFacts } from '../../platform/graphRuntime.js';
import type { Platform } from '../../platform/platform.js';
import { matching, number } from '../../schema.js';
import type { Student, TeacherNetwork } from './labelAlignment.js';

export interface OnnxTeacherOptions {
  /** Names the file in errors. */
  readonly where: string;
  readonly student: Student;
  readonly platform: Platform;
  readonly threads: number | undefined;
}

/** Loads the model and runs it once. WeightsError when that fails or its inputs or outputs do not fit. */
export async function openOnnxTeacher(
  model: Uint8Array<ArrayBuffer>,
  { where, student, platform, threads }: OnnxTeacherOptions,
): Promise<TeacherNetwork> {
  const facts = statedFacts(readOnnxMetadata(model) ?? {}, where);
  const engine = platform.openRuntime(threads === undefined ? {} : { threads });
  try {
    const session = await orRefused(engine.load(model, where, 'inference'), `${where}: ONNX Runtime cannot load it`);
    const socket = socketOf(await session.describe(), student, where);
    const form = { ...socket, mean: facts.mean ?? student.preprocess.mean, std: facts.std ?? student.preprocess.std };
    const network = new ForeignNetwork(session, socket, form, student, where);
    const { outputs, notes } = await network.tryOut();
    return {
      ...{ name: `ONNX network of ${describeSocket(socket)}`, macs: undefined, labels: facts.labels, outputs },
      ...{ notes: [...notes, ...normalisationNote(facts)], warnings: [] },
      logits: (clips) => network.logits(clips),
      close: () => engine.close(),
    };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

const triple = v.strictTuple([number(), number(), number()]);
const statedSchema = {
  labels: v.pipe(v.array(v.string()), v.minLength(1)),
  mean: triple,
  std: v.pipe(
    triple,
    v.check((values) => values.every((value) => value > 0)),
  ),
};

type Stated = { readonly [K in keyof typeof statedSchema]?: v.InferOutput<(typeof statedSchema)[K]> };

function statedFacts(metadata: Readonly<Record<string, string>>, where: string): Stated {
  const keys = (Object.keys(statedSchema) as (keyof typeof statedSchema)[]).filter((key) => metadata[key] !== undefined);
  return Object.fromEntries(
    keys.map((key) => {
      const value = matching<v.GenericSchema>(statedSchema[key], parsedJson(metadata[key] ?? ''));
      const wanted = key === 'labels' ? 'a list of names' : `three numbers${key === 'std' ? ' above 0' : ''}`;
      if (value === undefined) throw new WeightsError(`metadata "${key}": expected ${wanted} as JSON`, { path: where });
      return [key, value];
    }),
  );
}

function normalisationNote({ mean, std }: Stated): string[] {
  if (mean && std) return [];
  return ["it does not say how its input is normalised: it gets the student's, by default ImageNet's mean and deviation"];
}

/** Input layout. `batch` is a fixed batch size; undefined for any. */
interface Socket {
  readonly layout: 'frames' | 'channels' | 'images';
  readonly batch: number | undefined;
  readonly frames: number;
  readonly height: number;
  readonly width: number;
  readonly input: string;
  readonly output: string;
}

function socketOf({ inputs, outputs }: SessionFacts, { preprocess }: Student, where: string): Socket {
  const [first, ...more] = inputs;
  const shown = inputs.map(describeValue).join(', ') || 'nothing';
  const expected = 'expected one float32 input [B, 3, T, H, W], [B, T, 3, H, W] or [B, 3, H, W]';
  if (!first || more.length > 0 || first.type !== 'float32') throw new WeightsError(`${expected}, got ${shown}`, { path: where });
  const layout = layoutOf(first);
  if (layout === 'either')
    throw new WeightsError(`input ${shown} has 3 frames of 3 channels and does not say which are which; ${expected}`, {
      path: where,
    });
  const [batch, ...sizes] = first.shape.map(fixedSize);
  const [height = preprocess.height, width = preprocess.width] = sizes.slice(-2);
  if (layout === undefined) throw new WeightsError(`${expected}, got ${shown}`, { path: where });
  const frames = layout === 'images' ? preprocess.frames : (sizes[layout === 'frames' ? 0 : 1] ?? preprocess.frames);
  return { layout, batch, frames, height, width, input: first.name, output: answerOf(outputs, where) };
}

/** A fixed size; undefined when dynamic. */
const fixedSize = (size: number | string): number | undefined => (typeof size === 'number' && size > 0 ? size : undefined);

/** The axis of 3 channels must be fixed; undefined when there is none. */
function layoutOf({ shape }: ValueFacts): Socket['layout'] | 'either' | undefined {
  if (shape.length === 4) return shape[1] === 3 ? 'images' : undefined;
  if (shape.length !== 5) return undefined;
  if (shape[1] === 3 && shape[2] === 3) return 'either';
  return shape[1] === 3 ? 'channels' : shape[2] === 3 ? 'frames' : undefined;
}

/** The only output, or the one called logits. */
function answerOf(outputs: readonly ValueFacts[], where: string): string {
  const chosen = outputs.length === 1 ? outputs[0] : outputs.find(({ name }) => name === 'logits');
  if (chosen?.type === 'float32') return chosen.name;
  const shown = outputs.map(describeValue).join(', ');
  throw new WeightsError(`expected one float32 output [B, classes], or one called "logits", got ${shown}`, { path: where });
}

const describeValue = ({ name, type, shape }: ValueFacts): string =>
  `"${name}" ${type} [${shape.map((size) => fixedSize(size) ?? '?').join(', ')}]`;

function describeSocket({ layout, frames, height, width }: Socket): string {
  const size = sizeText({ height, width });
  return layout === 'images' ? `images of ${size} px, asked of each frame` : `${frames} frames of ${size} px`;
}

/** Floor of probabilities before their logarithm. */
const leastProbability = 1e-12;

class ForeignNetwork {
  private probabilities = false;

  constructor(
    private readonly session: Session,
    private readonly socket: Socket,
    private readonly form: ClipForm,
    private readonly student: Student,
    private readonly where: string,
  ) {}

  /** Runs a black clip: number of outputs, and whether they are probabilities. */
  async tryOut(): Promise<{ readonly outputs: number; readonly notes: readonly string[] }> {
    const [row = new Float32Array()] = await this.rows(new Float32Array(this.length), 1);
    const sum = row.reduce((total, value) => total + value, 0);
    this.probabilities = row.every((value) => value >= 0) && Math.abs(sum - 1) < 1e-3;
    const note = 'its outputs are probabilities: their logarithms are used as logits';
    return { outputs: row.length, notes: this.probabilities ? [note] : [] };
  }

  private get length(): number {
    const { layout, frames, height, width } = this.socket;
    return (layout === 'images' ? 1 : frames) * 3 * height * width;
  }

  async logits(clips: ClipTensor): Promise<Float32Array[]> {
    const { layout, frames } = this.socket;
    const { count } = clips;
    const adapted = resampleClips(clips, this.student.preprocess, this.form);
    if (layout === 'images') {
      const rows = (await this.rows(adapted.data, frames * count, count)).map((row) => this.asLogits(row));
      return Array.from({ length: count }, (_, b) => meanRow(Array.from({ length: frames }, (__, t) => rows[t * count + b])));
    }
    const rows = await this.rows(layout === 'frames' ? toClipMajor(adapted) : toChannelMajor(adapted), count);
    return rows.map((row) => this.asLogits(row));
  }

  private asLogits(row: Float32Array): Float32Array {
    return this.probabilities ? row.map((value) => Math.log(Math.max(value, leastProbability))) : row;
  }

  /** Items [n, ..] -> n rows of outputs, in batches of the model's fixed size, else of `atOnce`. */
  private async rows(items: Float32Array, count: number, atOnce = count): Promise<Float32Array[]> {
    const { batch = atOnce } = this.socket;
    const out: Float32Array[] = [];
    while (out.length < count) {
      const part = items.subarray(out.length * this.length, (out.length + batch) * this.length);
      const answered = await this.once(part, batch);
      out.push(...answered.slice(0, count - out.length));
    }
    return out;
  }

  /** One run; a partial batch is padded with black clips. */
  private async once(part: Float32Array, batch: number): Promise<Float32Array[]> {
    const { layout, frames, height, width, input, output } = this.socket;
    const item = { images: [3], frames: [frames, 3], channels: [3, frames] }[layout];
    const shape = [batch, ...item, height, width];
    const data = new Float32Array(sizeOf(shape));
    data.set(part);
    const running = this.session.run({ [input]: { shape, data } }, { move: true });
    const results = await orRefused(running, `${this.where}: cannot be run on [${shape}]`);
    const result = results[output];
    const got = result?.shape ?? [];
    if (!result || got.length !== 2 || got[0] !== batch || !(result.data instanceof Float32Array))
      throw new WeightsError(`expected output "${output}" of [${batch}, classes], got [${got}]`, { path: this.where });
    const classes = got[1] ?? 0;
    return Array.from({ length: batch }, (_, b) => result.data.slice(b * classes, (b + 1) * classes));
  }
}

function meanRow(rows: readonly (Float32Array | undefined)[]): Float32Array {
  const [first = new Float32Array()] = rows;
  return first.map((_, i) => rows.reduce((sum, row) => sum + (row?.[i] ?? Number.NaN), 0) / rows.length);
}

async function orRefused<T>(work: Promise<T>, what: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const [reason] = messageOf(error).split('\n');
    throw new WeightsError(`${what}: ${reason}`);
  }
}
