import { writeFileSync } from 'node:fs';
import { type OnnxNode, type OnnxTensor, type OnnxValue, writeOnnx } from '../../src/graph/onnx.js';

export interface Foreign {
  readonly shape: readonly (number | string)[];
  readonly nodes: readonly OnnxNode[];
  readonly tensors?: readonly OnnxTensor[];
  readonly more?: readonly OnnxValue[];
  readonly outputs?: readonly OnnxValue[];
  readonly type?: OnnxValue['type'];
  readonly metadata?: Readonly<Record<string, string>>;
}

export const logitsValue: OnnxValue = { name: 'y', type: 'float32', shape: ['n', 3] };

/** Writes a model with an input `x`. -> path */
export function foreign(
  path: string,
  { shape, nodes, tensors = [], more = [], outputs = [logitsValue], ...rest }: Foreign,
): string {
  const { type = 'float32', metadata = {} } = rest;
  const inputs = [{ name: 'x', type, shape }, ...more];
  writeFileSync(path, writeOnnx({ opsets: { '': 17 }, nodes, initializers: tensors, inputs, outputs, metadata }));
  return path;
}

/** Answers with the mean of each channel, of frame 1 where there are frames on this axis. */
export function channelMeans(time?: number): Pick<Foreign, 'nodes' | 'tensors'> {
  const one = new Uint8Array(new BigInt64Array([1n]).buffer);
  const mean = (x: string, axes: number[]): OnnxNode => {
    return { type: 'ReduceMean', inputs: [x], outputs: ['y'], attributes: { axes, keepdims: 0 } };
  };
  if (time === undefined) return { nodes: [mean('x', [2, 3])] };
  const gather: OnnxNode = { type: 'Gather', inputs: ['x', 'one'], outputs: ['frame'], attributes: { axis: time } };
  return {
    nodes: [gather, mean('frame', time === 1 ? [1, 3, 4] : [2, 3, 4])],
    tensors: [{ name: 'one', type: 'int64', shape: [1], bytes: one }],
  };
}
