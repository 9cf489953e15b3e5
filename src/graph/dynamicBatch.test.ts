import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as ort from 'onnxruntime-node';
import { ShapeError } from '../errors.js';
import { integersOf } from './constantNodes.js';
import { withDynamicBatch } from './dynamicBatch.js';
import { type OnnxModel, type OnnxTensor, writeOnnx } from './onnx.js';

const shapeOf = (...sizes: number[]): OnnxTensor => ({
  ...{ name: 's', type: 'int64', shape: [sizes.length] },
  bytes: new Uint8Array(BigInt64Array.from(sizes, BigInt).buffer),
});

const floats = (shape: number[], fill: (i: number) => number): OnnxTensor => {
  const count = shape.reduce((a, b) => a * b, 1);
  return {
    name: 's',
    type: 'float32',
    shape,
    bytes: new Uint8Array(Float32Array.from({ length: count }, (_, i) => fill(i)).buffer),
  };
};

const modelOf = (type: string, tensor: OnnxTensor, clips: number): OnnxModel => ({
  ...{ opsets: { '': 17 }, initializers: [tensor] },
  nodes: [{ type, inputs: ['x', 's'], outputs: ['y'] }],
  inputs: [{ name: 'x', type: 'float32', shape: [clips, 4] }],
  outputs: [{ name: 'y', type: 'float32', shape: [clips, 4] }],
});

const merged = (type: string, of: (clips: number) => OnnxTensor) =>
  withDynamicBatch({ clips: 5, model: modelOf(type, of(5), 5) }, { clips: 7, model: modelOf(type, of(7), 7) });

test('the one size that grows with the batch is left open', () => {
  const sizes = (of: (clips: number) => OnnxTensor) => integersOf(merged('Reshape', of).initializers[0] ?? shapeOf());
  assert.deepEqual(
    sizes((clips) => shapeOf(clips, 4, 1)),
    [-1, 4, 1],
  );
  assert.deepEqual(
    sizes((clips) => shapeOf(3, 2 * clips)),
    [3, -1],
  );
  assert.deepEqual(
    sizes(() => shapeOf(5, 4)),
    [5, 4],
    'a size that happens to be the batch',
  );
  assert.deepEqual(merged('Reshape', (clips) => shapeOf(clips, 4)).inputs[0]?.shape, ['batch', 4]);
});

test('rows repeated for every clip are repeated by the model', async () => {
  const fixed = (clips: number): OnnxModel => ({
    ...{
      opsets: { '': 17 },
      initializers: [shapeOf(2 * clips, 1), { ...floats([2 * clips, 1], (i) => (i < clips ? 1.5 : -2)), name: 'c' }],
    },
    nodes: [
      { type: 'Reshape', inputs: ['x', 's'], outputs: ['r'] },
      { type: 'Add', inputs: ['r', 'c'], outputs: ['y'] },
    ],
    inputs: [{ name: 'x', type: 'float32', shape: [clips, 2] }],
    outputs: [{ name: 'y', type: 'float32' }],
  });
  const model = withDynamicBatch({ clips: 5, model: fixed(5) }, { clips: 7, model: fixed(7) });
  const session = await ort.InferenceSession.create(writeOnnx({ ...model, outputs: [{ name: 'y', type: 'float32' }] }));
  for (const batch of [1, 3]) {
    const x = new ort.Tensor(
      'float32',
      Float32Array.from({ length: 2 * batch }, (_, i) => 10 * i),
      [batch, 2],
    );
    const { y } = await session.run({ x });
    const expected = Array.from({ length: 2 * batch }, (_, i) => 10 * i + (i < batch ? 1.5 : -2));
    assert.deepEqual(Array.from(y?.data ?? [], Number), expected);
  }
  await session.release();
});

test('where a slice begins and ends may be in proportion to the batch', async () => {
  const fixed = (clips: number): OnnxModel => ({
    ...modelOf('Slice', shapeOf(0), clips),
    initializers: [{ ...shapeOf(clips), name: 'from' }, { ...shapeOf(2 * clips), name: 'to' }, shapeOf(2 * clips, 2)],
    nodes: [
      { type: 'Reshape', inputs: ['x', 's'], outputs: ['r'] },
      { type: 'Slice', inputs: ['r', 'from', 'to'], outputs: ['y'] },
    ],
  });
  const model = withDynamicBatch({ clips: 5, model: fixed(5) }, { clips: 7, model: fixed(7) });
  const session = await ort.InferenceSession.create(writeOnnx({ ...model, outputs: [{ name: 'y', type: 'float32' }] }));
  const x = new ort.Tensor(
    'float32',
    Float32Array.from({ length: 12 }, (_, i) => i),
    [3, 4],
  );
  const { y } = await session.run({ x });
  assert.deepEqual(Array.from(y?.data ?? [], Number), [6, 7, 8, 9, 10, 11]);
  await session.release();
});

test('anything else that differs is an error, not a guess', () => {
  const fails = (type: string, of: (clips: number) => OnnxTensor) => assert.throws(() => merged(type, of), ShapeError);
  fails('Reshape', (clips) => shapeOf(clips, clips));
  fails('Reshape', (clips) => shapeOf(clips + 1, 4));
  fails('Expand', (clips) => shapeOf(clips - 1, 4));
  fails('Add', (clips) => floats([clips, 4], (i) => i));
  fails('Add', (clips) => floats([4, clips], () => 1));
  fails('Add', (clips) => floats([clips, 4], () => clips));
  fails('Add', (clips) => floats([4], () => clips));
});
