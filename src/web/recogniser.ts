/** Recognisers of videos that the page has. */

import { type Recogniser, type RecogniserSettings, startRecogniser } from '../inference/recogniser.js';
import type { PlatformOptions } from '../platform/platform.js';
import { type Checkpoint, parseCheckpoint } from '../weights/checkpoint.js';
import { type OnnxWeights, opensAsOnnx, parseOnnxWeights } from '../weights/onnxWeights.js';
import { parseSafetensors } from '../weights/safetensors.js';
import { WebClipReader, type WebReaderOptions } from './clipReader.js';
import { webPlatform } from './platform.js';
import type { VideoSource } from './videoSource.js';

export interface RecogniserOptions extends PlatformOptions, RecogniserSettings, WebReaderOptions {}

/**
 * From the bytes of a file that `vmf train`, `vmf export` or `vmf quantize` wrote, or from what was read of one. Rejects with a
 * WeightsError, with the name `where`, or a ConfigError when they are no weights.
 */
export async function openRecogniser(
  weights: Uint8Array | ArrayBuffer | Checkpoint | OnnxWeights,
  options: RecogniserOptions = {},
  where = 'weights',
): Promise<Recogniser<VideoSource>> {
  const { platform = webPlatform() } = options;
  const bytes = weights instanceof ArrayBuffer ? new Uint8Array(weights) : weights;
  const read = bytes instanceof Uint8Array ? readWeights(bytes, where) : bytes;
  return startRecogniser(read, (preprocess) => ({ platform, reader: new WebClipReader(preprocess, options) }), options, where);
}

const readWeights = (bytes: Uint8Array, where: string): Checkpoint | OnnxWeights =>
  opensAsOnnx(bytes) ? parseOnnxWeights(bytes.slice(), where) : parseCheckpoint(parseSafetensors(bytes, where), where);
