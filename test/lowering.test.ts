/** Graphs for runtimes with fewer operators: same numbers. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as ort from 'onnxruntime-node';
import { type Expr, input } from '../src/graph/expr.js';
import { type LoweringTarget, lower } from '../src/graph/lowering/lower.js';
import { mul } from '../src/graph/operators/arithmetic.js';
import { sumAll } from '../src/graph/operators/reduction.js';
import { flatten } from '../src/graph/operators/reshape.js';
import { slice } from '../src/graph/operators/sliceConcat.js';
import { logSoftmax } from '../src/graph/operators/softmax.js';
import { Rng } from '../src/rng.js';
import { readOnnx } from './support/readOnnx.js';

function outputs(): Record<string, Expr> {
  const vector = input('x', [30]);
  const pieces = Array.from({ length: 10 }, (_, i) => slice(vector, 0, 3 * i, 3 * i + 3));
  const products = pieces.reduce((sum, piece) => mul(sum, piece));
  return { products, total: sumAll(products), scores: logSoftmax(flatten(products)) };
}

async function run(target: LoweringTarget): Promise<{ types: Set<string>; values: Record<string, number[]> }> {
  const bytes = lower({ outputs: outputs() }, target);
  const types = new Set(readOnnx(bytes).nodes.map(({ type }) => type));
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const rng = new Rng(['lowering']);
  const x = Float32Array.from({ length: 30 }, () => rng.uniform(0.5, 1.5));
  const results = await session.run({ x: new ort.Tensor('float32', x, [30]) });
  await session.release();
  const values = Object.entries(results).map(([name, { data }]) => [name, Array.from(data as Float32Array)]);
  return { types, values: Object.fromEntries(values) };
}

test('few operands a node and no LogSoftmax: Slices and elementary nodes instead, the same numbers', async () => {
  const [all, few] = [await run({ block: 0 }), await run({ block: 0, maxOperands: 8, logSoftmax: false })];
  assert.ok(all.types.has('Split') && all.types.has('LogSoftmax'));
  assert.ok(!few.types.has('Split') && !few.types.has('LogSoftmax') && few.types.has('Slice'));
  for (const [name, expected] of Object.entries(all.values)) {
    assert.equal(few.values[name]?.length, expected.length);
    expected.forEach((value, i) => {
      assert.ok(Math.abs((few.values[name]?.[i] ?? NaN) - value) < 1e-6, `${name}[${i}]`);
    });
  }
});
