/** Folds reshapes and slices of constants and drops unused constants. */

import type { OnnxModel, OnnxNode, OnnxTensor } from './onnx.js';
import { sizeOf } from './shape.js';

export function foldConstantNodes(model: OnnxModel): OnnxModel {
  const constants = new Map(model.initializers.map((tensor) => [tensor.name, tensor]));
  const nodes = model.nodes.filter((node) => {
    const folded = folding(node, constants);
    if (folded) constants.set(folded.name, folded);
    return !folded;
  });
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  return { ...model, nodes, initializers: [...constants.values()].filter(({ name }) => read.has(name)) };
}

function folding({ type, inputs, outputs }: OnnxNode, constants: ReadonlyMap<string, OnnxTensor>): OnnxTensor | undefined {
  if (type !== 'Reshape' && type !== 'Slice') return undefined;
  const [data, ...numbers] = inputs.map((name) => constants.get(name));
  const [name] = outputs;
  if (!data || name === undefined) return undefined;
  const values = numbers.map((tensor) => (tensor ? integersOf(tensor) : []));
  const [first = [], ends = [], axes = []] = values;
  if (type === 'Reshape') return first.includes(-1) ? undefined : { ...data, name, shape: first };
  return { ...sliced(data, axes[0] ?? 0, first[0] ?? 0, ends[0] ?? 0), name };
}

/** The values of a one-axis int64 constant. */
export function integersOf({ bytes }: OnnxTensor): number[] {
  return Array.from(new BigInt64Array(bytes.slice().buffer), Number);
}

function sliced(tensor: OnnxTensor, axis: number, start: number, end: number): OnnxTensor {
  const { shape, bytes } = tensor;
  const width = bytes.length / sizeOf(shape);
  const inner = sizeOf(shape.slice(axis + 1)) * width;
  const row = (shape[axis] ?? 1) * inner;
  const out = new Uint8Array((bytes.length / row) * (end - start) * inner);
  for (let from = 0, to = 0; from < bytes.length; from += row, to += (end - start) * inner) {
    out.set(bytes.subarray(from + start * inner, from + end * inner), to);
  }
  return { ...tensor, shape: shape.map((size, i) => (i === axis ? end - start : size)), bytes: out };
}
