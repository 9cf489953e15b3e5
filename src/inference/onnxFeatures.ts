import type { ClipShape } from '../clip/clipShape.js';
import { type ClipTensor, emptyClips } from '../clip/clipTensor.js';
import { readOnnxGraph, withOutputs } from '../graph/onnxGraph.js';
import { sizeOf } from '../graph/shape.js';
import type { GraphRuntime } from '../platform/graphRuntime.js';
import type { Readout } from '../weights/onnxWeights.js';
import { type Answers, type InputForm, OnnxNetwork } from './onnxNetwork.js';

export interface FeaturesOptions extends ClipShape {
  /** The output or intermediate value to read; `featuresValue` chooses one. */
  readonly output: string;
  /** Names the file in errors. */
  readonly where: string;
}

/** Features of clips by any ONNX network, one vector a clip from an output of any number of axes; clips are of its frames, size and normalisation. */
export class OnnxFeatures {
  private constructor(
    private readonly network: OnnxNetwork,
    private readonly output: string,
    /** Features of a clip: up to the mean over time, up to the trend, and all; a single number where there is one moment. */
    readonly widths: readonly number[],
  ) {}

  /** Features of a clip. */
  get width(): number {
    return this.widths.at(-1) ?? 0;
  }

  /** Loads a model (kept) and runs it once on a black clip. Sizes that the graph leaves open are those given. */
  static async load(engine: GraphRuntime, model: Uint8Array, { output, where, ...open }: FeaturesOptions): Promise<OnnxFeatures> {
    const network = await OnnxNetwork.load(engine, withOutput(model, output), open, where);
    const blank = emptyClips(1, network.form);
    const moments = momentsOf(await network.answers(blank, output), network.form, blank, 0);
    const width = moments[0]?.length ?? 0;
    return new OnnxFeatures(network, output, moments.length === 1 ? [width] : [width, 2 * width, 3 * width]);
  }

  get form(): InputForm {
    return this.network.form;
  }

  /** One row a clip. */
  rows(clips: ClipTensor): Promise<Float32Array[]> {
    return rowsOf(this.network, clips, this.output);
  }
}

function withOutput(model: Uint8Array, output: string): Uint8Array<ArrayBuffer> {
  return readOnnxGraph(model).outputs.includes(output) ? model.slice() : withOutputs(model, [output]);
}

/** Logits [K] of a row [D]. */
export function readoutLogits(row: Float32Array, { weights, bias }: Readout): Float32Array {
  return bias.map((start, k) => {
    let sum = start;
    for (let d = 0; d < row.length; d++) sum += (weights[k * row.length + d] as number) * (row[d] as number);
    return sum;
  });
}

async function rowsOf(network: OnnxNetwork, clips: ClipTensor, output: string): Promise<Float32Array[]> {
  const answers = await network.answers(clips, output);
  return Array.from({ length: clips.count }, (_, b) => temporalFeatures(momentsOf(answers, network.form, clips, b)));
}

/** Vectors of clip b in the order of time. */
function momentsOf({ items, shape, perFrame }: Answers, { layout }: InputForm, { count, frames }: ClipTensor, b: number) {
  const last = layout.endsWith('Last');
  if (perFrame) return Array.from({ length: frames }, (_, t) => pooled(items[t * count + b] ?? new Float32Array(), shape, last));
  const values = items[b] ?? new Float32Array();
  if (shape.length !== 2 && shape.length !== 4) return [pooled(values, shape, last)];
  const timeSecond = layout === 'channels' && shape.length === 4;
  const [times = 1, ...rest] = timeSecond ? [shape[1] ?? 1, shape[0] ?? 1, ...shape.slice(2)] : shape;
  const ordered = timeSecond ? swapped(values, shape) : values;
  const size = sizeOf(rest);
  return Array.from({ length: times }, (_, t) => pooled(ordered.subarray(t * size, (t + 1) * size), rest, last));
}

/** [C, T, h, w] -> [T, C, h, w] */
function swapped(values: Float32Array, [channels = 1, times = 1, ...map]: readonly number[]): Float32Array {
  const size = sizeOf(map);
  const out = new Float32Array(values.length);
  for (let c = 0; c < channels; c++) {
    for (let t = 0; t < times; t++)
      out.set(values.subarray((c * times + t) * size, (c * times + t + 1) * size), (t * channels + c) * size);
  }
  return out;
}

/** [D] as it is; tokens [L, D] over L; maps over space. */
function pooled(values: Float32Array, shape: readonly number[], channelsLast: boolean): Float32Array {
  if (shape.length < 2) return values;
  const last = channelsLast || shape.length === 2;
  const channels = (last ? shape.at(-1) : shape[0]) ?? 1;
  const places = values.length / channels;
  const [step, stride] = last ? [channels, 1] : [1, places];
  return Float32Array.from({ length: channels }, (_, c) => {
    let sum = 0;
    for (let i = 0; i < places; i++) sum += values[c * stride + i * step] as number;
    return sum / places;
  });
}

/**
 * Vectors [T][D] -> the mean over T, that of the second half less that of the first, and the mean absolute change from one to the
 * next, as models/linearReadout.ts has them; a single vector as it is.
 */
export function temporalFeatures(moments: readonly Float32Array[]): Float32Array {
  const [first = new Float32Array()] = moments;
  const [times, width] = [moments.length, first.length];
  if (times === 1) return first;
  const out = new Float32Array(3 * width);
  moments.forEach((vector, t) => {
    const side = (2 * Math.sign(t - (times - 1) / 2)) / times;
    const next = moments[t + 1] ?? vector;
    for (let d = 0; d < width; d++) {
      const value = vector[d] as number;
      out[d] = (out[d] as number) + value / times;
      out[width + d] = (out[width + d] as number) + side * value;
      out[2 * width + d] = (out[2 * width + d] as number) + Math.abs((next[d] as number) - value) / times;
    }
  });
  return out;
}
