/**
 * How many channels the machine's blocked (NCHWc) kernels of ONNX Runtime hold side by side: 16 with AVX-512, 8 with AVX2 and on
 * some others, 0 where there are none. Found by running one node, as the operators are internal and promise nothing.
 */

import './noTelemetry.js';
import * as ort from 'onnxruntime-node';
import { writeOnnx } from '../graph/onnx.js';

let known: Promise<number> | undefined;

/** Probed once a process. */
export function blockSize(): Promise<number> {
  known ??= probe().catch(() => 0);
  return known;
}

/** Reorders 16 channels of two pixels each, numbered in row-major order, and looks how far channel 1's first pixel moved. */
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
