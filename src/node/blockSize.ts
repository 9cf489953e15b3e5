/**
 * Channels per block of ONNX Runtime's NCHWc kernels on this machine: 16 with AVX-512, 8 with AVX2 and some others, 0 without.
 * Found by running one node, as the operators are internal.
 */

import './noTelemetry.js';
import * as ort from 'onnxruntime-node';
import { ConfigError } from '../errors.js';
import { writeOnnx } from '../graph/onnx.js';
import { readOnnxMetadata } from '../graph/onnxMetadata.js';

let known: Promise<number> | undefined;

/** Probed once a process. */
export function blockSize(): Promise<number> {
  known ??= probe().catch(() => 0);
  return known;
}

/**
 * ConfigError where a model was lowered for blocks that this machine's kernels do not have: they do not check it, and end the
 * process (a division by zero) or compute nonsense.
 */
export async function refuseOtherBlock(model: Uint8Array, label: string): Promise<void> {
  const wanted = Number(readOnnxMetadata(model)?.['block'] ?? 0);
  if (wanted === 0) return;
  const here = await blockSize();
  if (here === wanted) return;
  const has = here ? `blocks of ${here}` : 'no blocked kernels';
  throw new ConfigError(
    `${label}: lowered for blocks of ${wanted} channels, this machine has ${has}; lower it with the block that blockSize() gives, or 0`,
  );
}

/** Reorders 16 channels of two pixels, numbered in row-major order, and looks how far channel 1's first pixel moved. */
async function probe(): Promise<number> {
  const shape = [1, 16, 1, 2];
  const reorder = { type: 'ReorderInput', domain: 'com.microsoft.nchwc', inputs: ['x'], outputs: ['y'] };
  const back = { type: 'Reshape', inputs: ['y', 'shape'], outputs: ['z'] };
  const bytes = writeOnnx({
    opsets: { '': 17, 'com.microsoft.nchwc': 1 },
    nodes: [reorder, back],
    initializers: [{ name: 'shape', type: 'int64', shape: [1], bytes: new Uint8Array(BigInt64Array.of(32n).buffer) }],
    inputs: [{ name: 'x', type: 'float32', shape }],
    outputs: [{ name: 'z', type: 'float32', shape: [32] }],
  });
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const values = Float32Array.from({ length: 32 }, (_, i) => i);
  const { z } = await session.run({ x: new ort.Tensor('float32', values, shape) });
  await session.release();
  const second = z ? Array.from(z.data as Float32Array).indexOf(1) : -1; // channel 0, pixel 1
  return second === 8 || second === 16 ? second : 0;
}
