/**
 * Weights with configuration, labels, preprocessing and, during a run, training state. One safetensors file: a tensor per
 * parameter and statistic, the rest JSON metadata.
 */

import * as v from 'valibot';
import { parsePreprocess } from '../clip/preprocess.js';
import { WeightsError } from '../errors.js';
import { sizeOf } from '../graph/shape.js';
import { parsedJson } from '../json.js';
import { causalParameter } from '../models/causalKernels.js';
import type { NetworkConfig } from '../models/config.js';
import { type FlatWeights, hasAtMost, inventoryOf, isClassifier } from '../models/network.js';
import { parseNetworkConfig } from '../models/registry.js';
import { countValues, type VariableSpec } from '../models/variables.js';
import { matching } from '../schema.js';
import { storedBouts } from './boutSettings.js';
import { storedCalibration } from './calibration.js';
import { upgradedConfig, upgradedPreprocess } from './legacy.js';
import { floatTensor, type NamedTensor, quoted, type TensorFile } from './namedTensor.js';
import type { NetworkFacts } from './networkFacts.js';

/** A network ready for use. */
export interface Checkpoint extends FlatWeights, NetworkFacts {
  /** Present in the checkpoint of a run: what continues it. */
  readonly training?: TrainingState;
}

export interface TrainingState {
  /** AdamW's moments, flat like the parameters, and then those of the teacher's head. */
  readonly expAvg: Float32Array;
  readonly expAvgSq: Float32Array;
  /** The weights being trained, when the checkpoint's own are their moving average. */
  readonly rawParams?: Float32Array;
  /** Gradients added up so far of a step that is not finished. */
  readonly gradients?: Float32Array;
  /** Parameters of a teacher's head, which are no part of the weights. */
  readonly teacherHead?: Float32Array;
  /** Progress and options as JSON, owned by the trainer. */
  readonly progress: unknown;
}

const format = 'video-mobile-former 1';
const stringList = v.pipe(v.array(v.string()), v.minLength(1));
const stringRecord = v.record(v.string(), v.string());

/** As the content of a safetensors file. */
export function checkpointFile(checkpoint: Checkpoint): TensorFile {
  const { config, labels, multiLabel, preprocess, notes, calibration, bouts, training } = checkpoint;
  const { parameters, statistics } = inventoryOf(config);
  const tensors = new Map<string, NamedTensor>([
    ...named(parameters, checkpoint.parameters),
    ...named(statistics, checkpoint.statistics),
  ]);
  if (training) {
    for (const name of ['expAvg', 'expAvgSq', 'rawParams', 'gradients', 'teacherHead'] as const) {
      const data = training[name];
      if (data) tensors.set(`optimizer.${name}`, { dtype: 'F32', shape: [data.length], data });
    }
  }
  const more = {
    ...(multiLabel && { multiLabel }),
    ...(calibration && { calibration }),
    ...(bouts && { bouts }),
    ...(training && { training: training.progress }),
  };
  const json = { config, labels, preprocess, notes, ...more };
  const metadata = Object.fromEntries(Object.entries(json).map(([key, value]) => [key, JSON.stringify(value)]));
  return { metadata: { format, ...metadata }, tensors };
}

function* named(specs: readonly VariableSpec[], flat: Float32Array): Generator<[string, NamedTensor]> {
  let at = 0;
  for (const { name, shape } of specs) {
    const end = at + sizeOf(shape);
    yield [name, { dtype: 'F32', shape, data: flat.subarray(at, end) }];
    at = end;
  }
}

/** Reads what `checkpointFile` wrote. `where` names the file in the WeightsError for anything missing or of another shape. */
export function parseCheckpoint(file: TensorFile, where: string): Checkpoint {
  if (file.metadata['format'] !== format) {
    const found = file.metadata['format'];
    throw new WeightsError(
      `not weights of this program: metadata "format" is ${found === undefined ? 'missing' : quoted(found)}, expected ${quoted(format)}`,
      { path: where },
    );
  }
  const config = parseNetworkConfig(upgradedConfig(metadataJson(file.metadata, 'config', where)), where);
  const labels = matching(stringList, metadataJson(file.metadata, 'labels', where));
  if (labels?.length !== config.classes) {
    throw new WeightsError(`expected ${config.classes} labels, one a class, got ${labels?.length ?? 'none'}`, { path: where });
  }
  checkSize(file, config, where);
  const { parameters, statistics } = inventoryOf(config);
  const older = file.tensors.has('optimizer.first'); // a run under earlier names: its weights load, but it cannot go on
  const training =
    older || file.metadata['training'] === undefined ? {} : { training: trainingState(file, countValues(parameters), where) };
  return {
    config,
    labels,
    ...(file.metadata['multiLabel'] === 'true' && { multiLabel: true as const }),
    preprocess: parsePreprocess(upgradedPreprocess(metadataJson(file.metadata, 'preprocess', where)), where),
    notes: matching(stringRecord, metadataJson(file.metadata, 'notes', where)) ?? {},
    parameters: flat(file, parameters, where),
    statistics: flat(file, statistics, where),
    ...storedCalibration(file.metadata, where),
    ...storedBouts(file.metadata, where),
    ...training,
  };
}

/** A configuration may ask for any amount of memory; the file must hold that much before it is allocated. */
function checkSize(file: TensorFile, config: NetworkConfig, where: string): void {
  const held = [...file.tensors.values()].reduce((sum, { data }) => sum + data.length, 0);
  if (!hasAtMost(config, held))
    throw new WeightsError(`its configuration is of a network of more parameters than the file holds values, ${held}`, {
      path: where,
    });
}

/** A value that a file's metadata must have as JSON, of a safetensors file or an ONNX model. */
export function metadataJson(metadata: Readonly<Record<string, string>>, key: string, where: string): unknown {
  const value = parsedJson(metadata[key] ?? '');
  if (value === undefined) throw new WeightsError(`metadata ${quoted(key)} is missing or no JSON`, { path: where });
  return value;
}

function flat(file: TensorFile, specs: readonly VariableSpec[], where: string): Float32Array {
  const out = new Float32Array(countValues(specs));
  let at = 0;
  for (const { name, shape } of specs) {
    out.set(floatTensor(file, name, shape, where), at);
    at += sizeOf(shape);
  }
  return out;
}

function trainingState(file: TensorFile, length: number, where: string): TrainingState {
  const head = file.tensors.get('optimizer.teacherHead')?.data.length ?? 0;
  const vector = (name: string, values = length + head) => floatTensor(file, `optimizer.${name}`, [values], where);
  const has = (name: string) => file.tensors.has(`optimizer.${name}`);
  return {
    expAvg: vector('expAvg'),
    expAvgSq: vector('expAvgSq'),
    ...(has('rawParams') && { rawParams: vector('rawParams', length) }),
    ...(has('gradients') && { gradients: vector('gradients') }),
    ...(head > 0 && { teacherHead: vector('teacherHead', head) }),
    progress: metadataJson(file.metadata, 'training', where),
  };
}

/** Parameters that starting from other weights took over, and those it did not. */
export interface Transfer {
  readonly taken: readonly string[];
  /** Names whose shape differs or that the source lacks: they keep their first values. */
  readonly fresh: readonly string[];
}

/**
 * Copies every tensor of `from` whose name and shape fit into flat weights for `config`. The last layer belongs to the classes: it
 * is taken only when `sameLabels`. Kernels that saw the next frame are turned back for a causal network (causalKernels.ts). WeightsError
 * when nothing but trifles would fit, which means another network.
 */
export function transferWeights(
  config: NetworkConfig,
  into: FlatWeights,
  from: Checkpoint,
  sameLabels: boolean,
  where: string,
): Transfer {
  const source = checkpointFile(from).tensors;
  const turned = config.causal && !from.config.causal ? causalParameter : (_: readonly number[], data: Float32Array) => data;
  const { parameters, statistics } = inventoryOf(config);
  const taken: string[] = [];
  const fresh: string[] = [];
  for (const [specs, values] of [
    [parameters, into.parameters],
    [statistics, into.statistics],
  ] as const) {
    let at = 0;
    for (const { name, shape } of specs) {
      const found = source.get(name);
      const fits = found?.shape.join() === shape.join() && (sameLabels || !isClassifier(config, name));
      if (found && fits) values.set(turned(shape, found.data as Float32Array), at);
      (fits ? taken : fresh).push(name);
      at += sizeOf(shape);
    }
  }
  if (taken.length < fresh.length) {
    throw new WeightsError(
      `weights of ${from.config.name} do not fit ${config.name}: only ${taken.length} of ${taken.length + fresh.length} tensors agree`,
      { path: where },
    );
  }
  return { taken, fresh };
}
