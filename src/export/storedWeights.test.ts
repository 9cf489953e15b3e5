import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as ort from 'onnxruntime-node';
import { type OnnxModel, type OnnxTensor, writeOnnx } from '../graph/onnx.js';
import { Rng } from '../rng.js';
import { storeFloat16, storeLinearWeights, wholeNumbers } from './storedWeights.js';

const [rows, columns] = [24, 40];
const rng = new Rng(['stored weights']);
const weights = Float32Array.from({ length: rows * columns }, (_, i) => rng.normal(0, 10 ** ((i / columns / rows) * 4 - 2)));

const tensor = (name: string, shape: number[], values: Float32Array): OnnxTensor => ({
  ...{ name, type: 'float32', shape },
  bytes: new Uint8Array(values.buffer),
});

/** y = x W^T + b. */
const model: OnnxModel = {
  opsets: { '': 17 },
  nodes: [{ type: 'Gemm', inputs: ['x', 'w', 'b'], outputs: ['y'], attributes: { transB: 1 } }],
  initializers: [tensor('w', [rows, columns], weights), tensor('b', [rows], new Float32Array(rows).fill(1))],
  inputs: [{ name: 'x', type: 'float32', shape: ['n', columns] }],
  outputs: [{ name: 'y', type: 'float32', shape: ['n', rows] }],
};

/** W^T + b, row by row, from the runtime. */
async function matrixOf(stored: OnnxModel): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(writeOnnx(stored), { logSeverityLevel: 3 });
  const identity = Float32Array.from({ length: columns * columns }, (_, i) => (i % (columns + 1) === 0 ? 1 : 0));
  const { y } = await session.run({ x: new ort.Tensor('float32', identity, [columns, columns]) });
  await session.release();
  return y?.data as Float32Array;
}

/** Largest error per row, relative to the row's largest value. */
async function rowErrors(stored: OnnxModel): Promise<number[]> {
  const matrix = await matrixOf(stored);
  return Array.from({ length: rows }, (_, row) => {
    const own = weights.subarray(row * columns, (row + 1) * columns);
    const gaps = own.map((value, i) => Math.abs(value + 1 - (matrix[i * rows + row] ?? Number.NaN)));
    return Math.max(...gaps) / Math.max(...own.map(Math.abs));
  });
}

test('float16: half the bytes, rows off by no more than rounding', async () => {
  const stored = storeFloat16(model);
  assert.equal(stored.initializers.find(({ type }) => type === 'float16')?.bytes.length, 2 * rows * columns);
  assert.ok(
    stored.initializers.some(({ name, type }) => name === 'b' && type === 'float32'),
    'small constants stay',
  );
  const errors = await rowErrors(stored);
  assert.ok(
    errors.every((error) => error < 2 ** -11 + 1e-4),
    `${Math.max(...errors)}`,
  );
});

test('int8: a quarter of the bytes, every row by its own scale, however different the rows are', async () => {
  const stored = storeLinearWeights(model);
  assert.equal(stored.initializers.find(({ type }) => type === 'int8')?.bytes.length, rows * columns);
  const errors = await rowErrors(stored);
  assert.ok(
    errors.every((error) => error < 0.5 / 127 + 1e-4),
    `${Math.max(...errors)}`,
  );
});

test('weights in 7 bits: the largest of a row is 64, and two products with bytes fit into 16 bits', () => {
  const { values, scales } = wholeNumbers(weights, rows, 64);
  for (let row = 0; row < rows; row++) {
    const own = values.subarray(row * columns, (row + 1) * columns);
    assert.equal(Math.max(...own.map(Math.abs)), 64);
    own.forEach((value, i) => {
      assert.ok(Math.abs(value * (scales[row] ?? 0) - (weights[row * columns + i] ?? 0)) <= 0.5001 * (scales[row] ?? 0));
    });
  }
  assert.ok(2 * 255 * 64 < 2 ** 15);
  assert.deepEqual([...wholeNumbers(new Float32Array(4), 2, 64).values], [0, 0, 0, 0]);
});
