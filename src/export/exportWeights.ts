import { ConfigError, WeightsError } from '../errors.js';
import { type OnnxModel, writeOnnx } from '../graph/onnx.js';
import { platformOf } from '../node/platform.js';
import type { GraphRuntime } from '../platform/graphRuntime.js';
import type { PlatformOptions } from '../platform/platform.js';
import { type Checkpoint, checkpointFile, parseCheckpoint } from '../weights/checkpoint.js';
import { readSafetensors, writeFileAtomically } from '../weights/files.js';
import { float16FromFloat32 } from '../weights/halfFloat.js';
import { locateWeights } from '../weights/locateWeights.js';
import type { NamedTensor, TensorFile } from '../weights/namedTensor.js';
import { isOnnxFile } from '../weights/onnxFile.js';
import { onnxFacts } from '../weights/onnxWeights.js';
import { packageVersion } from '../weights/packageVersion.js';
import { parseSafetensors, serializeSafetensors } from '../weights/safetensors.js';
import { checkModel, compared, expectedOf, floatTolerance, type ModelCheck, withinTolerance } from './check.js';
import { floatModel } from './floatModel.js';
import { checkOutputFile } from './outputFile.js';
import { storeFloat16 } from './storedWeights.js';

export interface ExportOptions extends PlatformOptions {
  /** Store weights as float16: half the size, arithmetic in float32; false by default. */
  readonly fp16?: boolean;
  /** Replace a file that is there; false by default. */
  readonly force?: boolean;
  readonly signal?: AbortSignal;
}

export interface ExportSummary extends ModelCheck {
  readonly path: string;
  readonly bytes: number;
  readonly model: string;
}

/** Relative to the largest logit; more means values outside float16's range. */
const float16Tolerance = 0.05;

/**
 * Writes `path`, an ONNX model of standard operators for any batch. Throws a WeightsError when the weights cannot be read or the
 * model does not agree with them, a ConfigError when the file may not be written; then nothing is left behind.
 */
export async function exportOnnx(weightsPath: string, path: string, options: ExportOptions = {}): Promise<ExportSummary> {
  const { fp16 = false, force = false, signal } = options;
  checkOutputFile(path, weightsPath, force);
  const checkpoint = await readCheckpoint(weightsPath);
  const float = floatModel(checkpoint);
  const model: OnnxModel = fp16
    ? { ...storeFloat16(float), metadata: onnxFacts(checkpoint, { precision: 'float16 weights', version: packageVersion() }) }
    : float;
  const bytes = writeOnnx(model);
  const check = await withEngine(options, async (engine) =>
    checkModel(checkpoint.config, bytes, await expectedOf(checkpoint, engine), engine, fp16 ? float16Tolerance : floatTolerance),
  );
  return written(checkpoint, bytes, check, path, signal);
}

/**
 * Writes `path`, a safetensors file without the state of a training, which is two thirds of a run's last checkpoint; with `fp16` its
 * kernels and matrices take half the size. Read wherever weights are read. Throws as `exportOnnx`.
 */
export async function exportSafetensors(weightsPath: string, path: string, options: ExportOptions = {}): Promise<ExportSummary> {
  const { fp16 = false, force = false, signal } = options;
  checkOutputFile(path, weightsPath, force);
  const { training: _, ...checkpoint } = await readCheckpoint(weightsPath);
  const file = checkpointFile(checkpoint);
  const bytes = serializeSafetensors(fp16 ? halved(file, weightsPath) : file);
  const check = await withEngine(options, async (engine) => {
    const expected = await expectedOf(checkpoint, engine);
    const made = await expectedOf(parseCheckpoint(parseSafetensors(bytes, path), path), engine);
    const { name } = checkpoint.config;
    return withinTolerance(name, [compared(made.logits, expected.logits)], fp16 ? float16Tolerance : 0);
  });
  return written(checkpoint, bytes, check, path, signal);
}

async function withEngine<T>(options: PlatformOptions, use: (engine: GraphRuntime) => Promise<T>): Promise<T> {
  const engine = platformOf(options).openRuntime();
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

async function written(
  { config }: Checkpoint,
  bytes: Uint8Array,
  check: ModelCheck,
  path: string,
  signal: AbortSignal | undefined,
): Promise<ExportSummary> {
  signal?.throwIfAborted();
  await writeFileAtomically(path, [bytes]);
  return { path, bytes: bytes.length, model: config.name, ...check };
}

/** Weights to make something of, by path or name; a model file has none. */
export async function readCheckpoint(weights: string): Promise<Checkpoint> {
  const path = await locateWeights(weights);
  if (await isOnnxFile(path)) throw new ConfigError('is a model already; expected weights that `vmf train` wrote', { path });
  return parseCheckpoint(await readSafetensors(path), path);
}

/** Kernels and matrices as float16; the few biases, scales and statistics stay float32. */
function halved({ metadata, tensors }: TensorFile, where: string): TensorFile {
  const smaller = [...tensors].map(([name, tensor]): [string, NamedTensor] => {
    if (tensor.dtype !== 'F32' || tensor.shape.length < 2) return [name, tensor];
    const tooLarge = tensor.data.find((value) => Math.abs(value) >= 65504);
    if (tooLarge !== undefined) throw new WeightsError(`${name} holds ${tooLarge}, too large for float16`, { path: where });
    return [name, { dtype: 'F16', shape: tensor.shape, data: float16FromFloat32(tensor.data) }];
  });
  return { metadata, tensors: new Map(smaller) };
}
