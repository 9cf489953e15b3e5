import type { DatasetOptions } from '../dataset/dataset.js';
import { readDataset } from '../dataset/dataset.js';
import { checkedClips, checkModel } from '../export/check.js';
import { readCheckpoint } from '../export/exportWeights.js';
import { checkOutputFile } from '../export/outputFile.js';
import { type OnnxModel, writeOnnx } from '../graph/onnx.js';
import { platformOf } from '../node/platform.js';
import type { GraphRuntime } from '../platform/graphRuntime.js';
import type { PlatformOptions } from '../platform/platform.js';
import { joined } from '../runtime/joined.js';
import type { Checkpoint } from '../weights/checkpoint.js';
import { writeFileAtomically } from '../weights/files.js';
import { ActivationRanges, type PixelClip } from './activationRanges.js';
import { type QuantizeChoices, type QuantizeReport, quantizeCheckpoint } from './quantize.js';
import { type ReadingOptions, readRepresentativeClips } from './representativeClips.js';

export interface QuantizeOptions extends QuantizeChoices, ReadingOptions, DatasetOptions, PlatformOptions {
  /** Clips to calibrate on, and as many others to look at the result with; 64 by default. */
  readonly clips?: number;
  /** Replace a file that is there; false by default. */
  readonly force?: boolean;
}

export interface QuantizeSummary extends QuantizeReport {
  readonly path: string;
  readonly bytes: number;
  readonly model: string;
}

/**
 * Calibrates on the training clips of `data` (all its clips where there is no such split) and writes `path`, an ONNX model for any
 * batch that `loadRecogniser` also takes. Throws as `exportOnnx`, and a VideoError or DatasetError for the clips; then nothing is
 * left behind.
 */
export async function quantizeWeights(
  weightsPath: string,
  data: string,
  path: string,
  options: QuantizeOptions = {},
): Promise<QuantizeSummary> {
  const { clips = 64, force = false, signal } = options;
  checkOutputFile(path, weightsPath, force);
  const checkpoint = await readCheckpoint(weightsPath);
  const set = await readRepresentativeClips(await readDataset(data, options), checkpoint.preprocess, clips, options);
  const engine = platformOf(options).openRuntime();
  try {
    const { model, report } = await quantizeCheckpoint(checkpoint, set, engine, options);
    const bytes = writeOnnx(model);
    await checkBatches(checkpoint, set.calibrate, model, bytes, engine);
    signal?.throwIfAborted();
    await writeFileAtomically(path, [bytes]);
    return { path, bytes: bytes.length, model: checkpoint.config.name, ...report };
  } finally {
    await engine.close();
  }
}

/** Float sums vary in their last digits with the batch, and may round to the next of 256 steps. */
const roundedTolerance = 0.05;

async function checkBatches(
  { config }: Checkpoint,
  clips: readonly PixelClip[],
  model: OnnxModel,
  bytes: Uint8Array<ArrayBuffer>,
  engine: GraphRuntime,
): Promise<void> {
  const three = Array.from({ length: checkedClips }, (_, i) => clips[i % clips.length] ?? new Float32Array(0));
  const logits = joined(await new ActivationRanges(engine, config, three).logits(model));
  await checkModel(config, bytes, { pixels: joined(three), logits }, engine, roundedTolerance);
}
