/** ONNX files written by this program: model bytes, and metadata for input and output. Not a general ONNX reader. */

import * as v from 'valibot';
import { parsePreprocess } from '../clip/preprocess.js';
import { WeightsError } from '../errors.js';
import { withMetadata } from '../graph/onnxGraph.js';
import { readOnnxMetadata } from '../graph/onnxMetadata.js';
import type { NetworkConfig } from '../models/config.js';
import { isOnnxEncoder } from '../models/onnxEncoder.js';
import { parseNetworkConfig } from '../models/registry.js';
import { matching } from '../schema.js';
import { storedBouts } from './boutSettings.js';
import { storedCalibration } from './calibration.js';
import { metadataJson } from './checkpoint.js';
import { upgradedConfig, upgradedPreprocess } from './legacy.js';
import { quoted } from './namedTensor.js';
import type { NetworkFacts } from './networkFacts.js';

export type { NetworkFacts } from './networkFacts.js';

export type Precision = 'float32' | 'float16 weights' | 'int8';

/** A linear layer on features: weights [K, D] and bias [K]. */
export interface Readout {
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

/** A network with its weights in an ONNX model. */
export interface OnnxWeights extends NetworkFacts {
  readonly model: Uint8Array<ArrayBuffer>;
  readonly precision: Precision;
  /** What makes logits of the features of a frozen network of other origin (models/onnxEncoder.ts); absent for a model of this program. */
  readonly readout?: Readout;
}

/** Whether bytes open as an ONNX model does; a safetensors file has "{" as its ninth byte. */
export const opensAsOnnx = (bytes: Uint8Array): boolean =>
  bytes.length >= 9 && bytes[0] === 8 && (bytes[1] ?? 0) > 0 && (bytes[1] ?? 0) < 128 && bytes[8] !== 0x7b;

/** The model's input, float32 [batch, frames, 3, S, S]: RGB from 0 to 255, cut to size. */
export const clipInput = 'clip';
/** Its output, float32 [batch, classes]. */
export const logitsOutput = 'logits';

const format = 'video-mobile-former onnx 1';
const encoderFormat = 'video-mobile-former onnx encoder 1';
const precisions: readonly Precision[] = ['float32', 'float16 weights', 'int8'];
const stringList = v.pipe(v.array(v.string()), v.minLength(1));
const stringRecord = v.record(v.string(), v.string());

const inputNote = `${clipInput}: float32 [batch, frames, 3, height, width], RGB from 0 to 255; preprocess says which frames and how cut`;
function outputNote({ multiLabel, calibration }: NetworkFacts): string {
  const gives = multiLabel ? 'sigmoid' : 'softmax';
  const note = `${logitsOutput}: float32 [batch, classes] in the order of labels; ${gives}`;
  const ends = multiLabel ? ', any number of them true' : '';
  if (!calibration) return `${note} gives probabilities${ends}`;
  const thresholds = calibration.thresholds ? '; a class is there from its threshold on (calibration.thresholds)' : '';
  const { temperature } = calibration;
  return `${note} of logits / ${temperature} gives probabilities (calibration.temperature)${ends}${thresholds}`;
}

/** The metadata of a model file. The licence of the weights is in it when their notes know one. */
export function onnxFacts(
  network: NetworkFacts,
  { precision, version }: { readonly precision: Precision; readonly version: string },
): Record<string, string> {
  const { config, labels, multiLabel, preprocess, notes, calibration, bouts } = network;
  const chosen = { ...(calibration && { calibration }), ...(bouts && { bouts }) };
  const facts = { config, labels, ...(multiLabel && { multiLabel }), preprocess, notes, ...chosen };
  const json = Object.entries(facts).map(([key, value]) => [key, JSON.stringify(value)]);
  const license = notes['license'] ?? notes['licence'];
  return {
    ...{
      format,
      precision,
      model: config.name,
      version,
      input: inputNote,
      output: outputNote(network),
    },
    ...(license !== undefined && { license }),
    ...Object.fromEntries(json),
  };
}

/** Whether a model's metadata names this program, of any version. */
export const isOwnModel = (model: Uint8Array): boolean =>
  readOnnxMetadata(model)?.['format']?.startsWith('video-mobile-former onnx') === true;

export function parseOnnxWeights(model: Uint8Array<ArrayBuffer>, where: string): OnnxWeights {
  const metadata = readOnnxMetadata(model);
  if (metadata === undefined) throw new WeightsError('neither a safetensors file nor an ONNX model, or cut off', { path: where });
  const isEncoder = metadata['format'] === encoderFormat;
  if (metadata['format'] !== format && !isEncoder) {
    const found = metadata['format'] === undefined ? 'is missing' : `is ${quoted(metadata['format'])}`;
    throw new WeightsError(
      `an ONNX model that this program did not write: metadata "format" ${found}, expected ${quoted(format)}`,
      { path: where },
    );
  }
  const json = (key: string) => metadataJson(metadata, key, where);
  const config = parseNetworkConfig(upgradedConfig(json('config')), where);
  const labels = matching(stringList, json('labels'));
  if (labels?.length !== config.classes) {
    throw new WeightsError(`expected ${config.classes} labels, one a class, got ${labels?.length ?? 'none'}`, { path: where });
  }
  const precision = precisions.find((each) => each === metadata['precision']);
  if (!precision) throw new WeightsError(`metadata "precision" is ${quoted(metadata['precision'] ?? '')}`, { path: where });
  const notes = matching(stringRecord, json('notes')) ?? {};
  return {
    config,
    labels,
    ...(metadata['multiLabel'] === 'true' && { multiLabel: true as const }),
    preprocess: parsePreprocess(upgradedPreprocess(json('preprocess')), where),
    notes,
    model,
    precision,
    ...(isEncoder && { readout: storedReadout(metadata, config, where) }),
    ...storedCalibration(metadata, where),
    ...storedBouts(metadata, where),
  };
}

/**
 * A frozen network's model file with its readout: the model's own bytes, and all else as metadata after them. Any ONNX runtime
 * still runs it as what it was.
 */
export function encoderFile(facts: NetworkFacts, model: Uint8Array, { weights, bias }: Readout): Uint8Array<ArrayBuffer> {
  const { config, labels, multiLabel, preprocess, notes, calibration, bouts } = facts;
  const json = { config, labels, ...(multiLabel && { multiLabel }), preprocess, notes };
  const encoded = Object.entries(json).map(([key, value]) => [key, JSON.stringify(value)]);
  const readout = {
    calibration: calibration ? JSON.stringify(calibration) : '',
    bouts: bouts ? JSON.stringify(bouts) : '',
    'readout.weights': base64Of(weights),
    'readout.bias': base64Of(bias),
  };
  return withMetadata(model, { format: encoderFormat, precision: 'float32', ...Object.fromEntries(encoded), ...readout });
}

function storedReadout(metadata: Readonly<Record<string, string>>, config: NetworkConfig, where: string): Readout {
  if (!isOnnxEncoder(config)) throw new WeightsError(`a frozen network of family ${quoted(config.family)}`, { path: where });
  const { features, classes } = config;
  const values = (name: string, count: number): Float32Array => {
    const found = floatsOf(metadata[`readout.${name}`] ?? '');
    if (found?.length === count && found.every(Number.isFinite)) return found;
    throw new WeightsError(`metadata "readout.${name}": expected ${count} numbers as float32 in base64`, { path: where });
  };
  return { weights: values('weights', features * classes), bias: values('bias', classes) };
}

/** Little-endian, as the file formats beside it. */
function base64Of(values: Float32Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

function floatsOf(text: string): Float32Array | undefined {
  try {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return bytes.length % 4 === 0 ? new Float32Array(bytes.buffer) : undefined;
  } catch {
    return undefined; // no base64
  }
}
