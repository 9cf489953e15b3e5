/**
 * A teacher from any ONNX file (see inference/onnxNetwork.ts) with one output [B, classes]; the logits of frames are averaged.
 */

import { type ClipForm, resampleClips } from '../../clip/clipResample.js';
import { type ClipTensor, emptyClips } from '../../clip/clipTensor.js';
import { WeightsError } from '../../errors.js';
import { describeInput, describeValue, OnnxNetwork } from '../../inference/onnxNetwork.js';
import { normalisationOf, statedFacts } from '../../inference/onnxPixels.js';
import type { ValueFacts } from '../../platform/graphRuntime.js';
import type { Platform } from '../../platform/platform.js';
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
  const facts = statedFacts(model, where);
  const engine = platform.openRuntime(threads === undefined ? {} : { threads });
  try {
    const onnx = await OnnxNetwork.load(engine, model, student.preprocess, where);
    const pixels = normalisationOf(facts, undefined, student.preprocess);
    const form = { ...onnx.form, ...pixels.normalisation };
    const network = new ForeignNetwork(onnx, answerOf(onnx.facts.outputs, where), form, student, where);
    const { outputs, notes } = await network.tryOut();
    return {
      ...{ name: `ONNX network of ${describeInput(onnx.form)}`, macs: undefined, labels: facts.labels, outputs },
      ...{ notes: [...notes, ...pixels.notes], warnings: [] },
      logits: (clips) => network.logits(clips),
      close: () => engine.close(),
    };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/** The only output, or the one called logits. */
function answerOf(outputs: readonly ValueFacts[], where: string): string {
  const chosen = outputs.length === 1 ? outputs[0] : outputs.find(({ name }) => name === 'logits');
  if (chosen?.type === 'float32') return chosen.name;
  const shown = outputs.map(describeValue).join(', ');
  throw new WeightsError(`expected one float32 output [B, classes], or one called "logits", got ${shown}`, { path: where });
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
    private readonly where: string,
  ) {}

  /** Runs a black clip: number of outputs, and whether they are probabilities. */
  async tryOut(): Promise<{ readonly outputs: number; readonly notes: readonly string[] }> {
    const [row = new Float32Array()] = await this.rows(emptyClips(1, this.network.form));
    const sum = row.reduce((total, value) => total + value, 0);
    this.probabilities = row.every((value) => value >= 0) && Math.abs(sum - 1) < 1e-3;
    const note = 'its outputs are probabilities: their logarithms are used as logits';
    return { outputs: row.length, notes: this.probabilities ? [note] : [] };
  }

  async logits(clips: ClipTensor): Promise<Float32Array[]> {
    return this.rows(resampleClips(clips, this.student.preprocess, this.form));
  }

  /** A row for each clip; those of frames are averaged, of probabilities their logarithms. */
  private async rows(clips: ClipTensor): Promise<Float32Array[]> {
    const { items, shape, perFrame } = await this.network.answers(clips, this.output);
    if (shape.length !== 1)
      throw new WeightsError(`expected output "${this.output}" of [B, classes], got [B,${shape}]`, { path: this.where });
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
