/** Recognisers of video files (Node). */
import { FileClipReader } from '../dataset/clipReader.js';
import { ConfigError } from '../errors.js';
import { bestPretrained, type PretrainedWeights, pretrainedList, pretrainedOf } from '../models/pretrained.js';
import { platformOf } from '../node/platform.js';
import type { PlatformOptions } from '../platform/platform.js';
import { decodersFor } from '../runtime/cores.js';
import type { DecoderChoice, VideoLimits } from '../video/types.js';
import { type Checkpoint, parseCheckpoint } from '../weights/checkpoint.js';
import { readSafetensors } from '../weights/files.js';
import { locateWeights, pretrainedPath } from '../weights/locateWeights.js';
import { isOnnxFile, readOnnxWeights } from '../weights/onnxFile.js';
import type { OnnxWeights } from '../weights/onnxWeights.js';
import { type Recogniser, type RecogniserSettings, startRecogniser } from './recogniser.js';

export interface RecogniserOptions extends PlatformOptions, RecogniserSettings {
  readonly decoder?: DecoderChoice;
  /** Videos decoded at once; as many as there are cores by default, at most 32. */
  readonly workers?: number;
  readonly limits?: Partial<VideoLimits>;
  /** A video that takes longer to decode is given up with a LimitError; 300 by default. */
  readonly timeoutSec?: number;
}

/**
 * Reads weights that `vmf train` wrote, or a model file of `vmf export` or `vmf quantize`, whatever the file is called, and makes them
 * ready. A name of pretrained weights will do where there is no such file. Rejects with a WeightsError or ConfigError when they are not.
 */
export async function loadRecogniser(weights: string, options: RecogniserOptions = {}): Promise<Recogniser> {
  return loadFile(await locateWeights(weights), options);
}

/**
 * A recogniser with weights that come with this package: see `pretrainedWeights` for names and what their labels are; by default those
 * of the largest network. ConfigError for an unknown name, WeightsError when their file is missing or its SHA-256 is another.
 */
export async function fromPretrained(name?: string, options: RecogniserOptions = {}): Promise<Recogniser> {
  return loadFile(await pretrainedPath(name === undefined ? bestOrError() : pretrainedOf(name)), options);
}

function bestOrError(): PretrainedWeights {
  const best = bestPretrained();
  if (best) return best;
  throw new ConfigError(`no pretrained weights: ${pretrainedList()}`);
}

async function loadFile(weightsPath: string, options: RecogniserOptions): Promise<Recogniser> {
  const weights = (await isOnnxFile(weightsPath))
    ? await readOnnxWeights(weightsPath)
    : parseCheckpoint(await readSafetensors(weightsPath), weightsPath);
  return openRecogniser(weights, options, weightsPath);
}

/** The same from a checkpoint or model file in memory; `where` names it in errors. */
export function openRecogniser(
  weights: Checkpoint | OnnxWeights,
  options: RecogniserOptions = {},
  where = 'weights',
): Promise<Recogniser> {
  const platform = platformOf(options);
  const { workers = decodersFor(platform.cores), ...reading } = options;
  return startRecogniser(
    weights,
    (preprocess) => ({ platform, reader: new FileClipReader(preprocess, { ...reading, size: workers }) }),
    options,
    where,
  );
}
