import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ClipForm, resampleClips } from '../../clip/clipResample.js';
import { type FrameShape, sizeText } from '../../clip/clipShape.js';
import { type ClipTensor, emptyClips } from '../../clip/clipTensor.js';
import { ConfigError } from '../../errors.js';
import { readOnnxGraph } from '../../graph/onnxGraph.js';
import { OnnxFeatures } from '../../inference/onnxFeatures.js';
import { describeInput, OnnxNetwork } from '../../inference/onnxNetwork.js';
import { featuresValue, namesFeatures } from '../../inference/onnxOutline.js';
import { normalisationOf, type PixelRange, statedFacts } from '../../inference/onnxPixels.js';
import type { GraphRuntime, ValueFacts } from '../../platform/graphRuntime.js';
import type { Platform } from '../../platform/platform.js';
import type { Student, TeacherNetwork } from './labelAlignment.js';

/** How a network of other origin is read, where that is not left to its file. */
export interface OnnxChoices {
  readonly pixels?: PixelRange | undefined;
  /** The value that holds its features: they are learnt instead of its answers. */
  readonly features?: string | undefined;
  /** Pixels, where its graph leaves them open; the student's by default. */
  readonly size?: FrameShape | undefined;
}

export interface OnnxTeacherOptions extends OnnxChoices {
  readonly path: string;
  /** Names the file in errors. */
  readonly where: string;
  readonly student: Student;
  readonly platform: Platform;
  readonly threads: number | undefined;
}

/**
 * A teacher from any ONNX file (see inference/onnxNetwork.ts): its answers, or its features where it has no other or they are asked
 * for. Loads the model and runs it once. WeightsError when that fails or its inputs or outputs do not fit.
 */
export async function openOnnxTeacher(model: Uint8Array<ArrayBuffer>, options: OnnxTeacherOptions): Promise<TeacherNetwork> {
  const { threads, platform } = options;
  const engine = platform.openRuntime(threads === undefined ? {} : { threads });
  try {
    return { ...(await understood(engine, model, options)), close: () => engine.close() };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

async function understood(
  engine: GraphRuntime,
  model: Uint8Array<ArrayBuffer>,
  { path, where, student, pixels: range, features: asked, size }: OnnxTeacherOptions,
): Promise<Omit<TeacherNetwork, 'close'>> {
  const facts = statedFacts(model, where);
  const onnx = await OnnxNetwork.load(engine, model.slice(), { ...student.preprocess, ...size }, where);
  if (size && (onnx.form.height !== size.height || onnx.form.width !== size.width))
    throw new ConfigError(`--teacher-size: ${path} takes ${sizeText(onnx.form)} px only; leave it out`);
  const pixels = normalisationOf(facts, range, student.preprocess);
  const form = { ...onnx.form, ...pixels.normalisation };
  const common = { name: `ONNX network of ${describeInput(onnx.form)}`, macs: undefined, warnings: [] };
  const answer = asked === undefined ? answerOf(onnx.facts.outputs) : undefined;
  const network = answer === undefined ? undefined : new ForeignNetwork(onnx, answer, form, student);
  const tried = await network?.tryOut();
  if (network && tried) {
    const labels = facts.labels ?? labelsBeside(path, tried.outputs);
    const notes = [...tried.notes, ...pixels.notes];
    return { ...common, says: 'logits', labels, outputs: tried.outputs, notes, rows: (clips) => network.rows(clips) };
  }
  const { output, reason } = featuresValue(readOnnxGraph(model), onnx.facts, asked, where);
  const features = await OnnxFeatures.load(engine, model, { ...onnx.form, where, output });
  return {
    ...{ ...common, says: 'features', labels: undefined, outputs: features.width },
    notes: [`its features are "${output}" (${reason}), ${features.width} a clip`, ...pixels.notes],
    rows: (clips) => features.rows(resampleClips(clips, student.preprocess, form)),
  };
}

/** The only output, or the one called logits; undefined for a network of features. */
function answerOf(outputs: readonly ValueFacts[]): string | undefined {
  const chosen = outputs.length === 1 ? outputs[0] : outputs.find(({ name }) => name === 'logits');
  return chosen?.type === 'float32' && !namesFeatures(chosen.name) ? chosen.name : undefined;
}

/** A line of labels.txt in the file's folder for each output. */
function labelsBeside(path: string, outputs: number): string[] | undefined {
  const beside = join(dirname(path), 'labels.txt');
  if (!existsSync(beside)) return undefined;
  const lines = readFileSync(beside, 'utf8')
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '');
  return lines.length === outputs ? lines : undefined;
}

/** Floor of probabilities before their logarithm. */
const leastProbability = 1e-12;

class ForeignNetwork {
  private probabilities = false;

  constructor(
    private readonly network: OnnxNetwork,
    private readonly output: string,
    private readonly form: ClipForm,
    private readonly student: Student,
  ) {}

  /** Runs a black clip. Undefined when its outputs are not one vector a clip. */
  async tryOut(): Promise<{ readonly outputs: number; readonly notes: readonly string[] } | undefined> {
    const answers = await this.network.answers(emptyClips(1, this.network.form), this.output);
    if (answers.shape.length !== 1) return undefined;
    const [row = new Float32Array()] = answers.items;
    const sum = row.reduce((total, value) => total + value, 0);
    this.probabilities = row.every((value) => value >= 0) && Math.abs(sum - 1) < 1e-3;
    const note = 'its outputs are probabilities: their logarithms are used as logits';
    return { outputs: row.length, notes: this.probabilities ? [note] : [] };
  }

  /** Of each clip; those of frames are averaged. */
  async rows(given: ClipTensor): Promise<Float32Array[]> {
    const clips = resampleClips(given, this.student.preprocess, this.form);
    const { items, perFrame } = await this.network.answers(clips, this.output);
    const rows = items.map((row) => this.asLogits(row));
    if (!perFrame) return rows;
    const { count, frames } = clips;
    return Array.from({ length: count }, (_, b) => meanRow(Array.from({ length: frames }, (__, t) => rows[t * count + b])));
  }

  private asLogits(row: Float32Array): Float32Array {
    return this.probabilities ? row.map((value) => Math.log(Math.max(value, leastProbability))) : row;
  }
}

function meanRow(rows: readonly (Float32Array | undefined)[]): Float32Array {
  const [first = new Float32Array()] = rows;
  return first.map((_, i) => rows.reduce((sum, row) => sum + (row?.[i] ?? Number.NaN), 0) / rows.length);
}
