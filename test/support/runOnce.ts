/** Lowers expressions, runs them once in ONNX Runtime, and gives back the outputs. For tests. */

import * as ort from 'onnxruntime-node';
import { closure, type Expr } from '../../src/graph/expr.js';
import { lower } from '../../src/graph/lowering/lower.js';
import { refuseOtherBlock } from '../../src/node/blockSize.js';

export async function runOnce(
  outputs: Record<string, Expr>,
  inputs: ReadonlyMap<string, Float32Array>,
  block: number,
): Promise<Record<string, Float32Array>> {
  const model = lower(outputs, { block });
  await refuseOtherBlock(model, 'test');
  const session = await ort.InferenceSession.create(model, { logSeverityLevel: 3, intraOpNumThreads: 1 });
  const feeds: Record<string, ort.Tensor> = {};
  for (const { op, shape } of closure(Object.values(outputs))) {
    if (op.kind === 'input') feeds[op.name] = new ort.Tensor('float32', inputs.get(op.name) ?? new Float32Array(), shape);
  }
  const results = await session.run(feeds);
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.data as Float32Array]));
}
