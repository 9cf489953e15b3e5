/** Weight compression: constants stored in fewer bits, dequantized to float32 by nodes that ONNX Runtime folds at load time. */

import type { OnnxModel, OnnxNode, OnnxTensor } from '../graph/onnx.js';
import { sizeOf } from '../graph/shape.js';
import { float16FromFloat32 } from '../weights/halfFloat.js';

/** Smaller constants are not worth a node. */
const leastValues = 256;

/** All float32 constants of some size as float16. */
export function storeFloat16(model: OnnxModel): OnnxModel {
  const large = (tensor: OnnxTensor) => tensor.type === 'float32' && sizeOf(tensor.shape) >= leastValues;
  return stored(model, large, (tensor) => {
    const half = float16FromFloat32(floatsOf(tensor));
    const name = `${tensor.name}_half`;
    return {
      tensors: [{ ...tensor, name, type: 'float16', bytes: new Uint8Array(half.buffer) }],
      nodes: [{ type: 'Cast', inputs: [name], outputs: [tensor.name], attributes: { to: 1 } }],
    };
  });
}

/** The weights of linear layers [O, I] as int8 with a scale for each of their rows. */
export function storeLinearWeights(model: OnnxModel): OnnxModel {
  const weights = new Set(model.nodes.flatMap(({ type, inputs }) => (type === 'Gemm' ? [inputs[1]] : [])));
  const large = (tensor: OnnxTensor) =>
    weights.has(tensor.name) && tensor.type === 'float32' && tensor.shape.length === 2 && sizeOf(tensor.shape) >= leastValues;
  return stored(model, large, (tensor) => {
    const [rows = 1] = tensor.shape;
    const { values, scales } = wholeNumbers(floatsOf(tensor), rows, 127);
    const [whole, scale, wide] = ['int8', 'scales', 'wide'].map((what) => `${tensor.name}_${what}`) as [string, string, string];
    return {
      tensors: [
        { ...tensor, name: whole, type: 'int8', bytes: new Uint8Array(values.buffer) },
        { name: scale, type: 'float32', shape: [rows, 1], bytes: new Uint8Array(scales.buffer) },
      ],
      nodes: [
        { type: 'Cast', inputs: [whole], outputs: [wide], attributes: { to: 1 } },
        { type: 'Mul', inputs: [wide, scale], outputs: [tensor.name] },
      ],
    };
  });
}

interface Replacement {
  readonly tensors: readonly OnnxTensor[];
  readonly nodes: readonly OnnxNode[];
}

function stored(
  model: OnnxModel,
  wanted: (tensor: OnnxTensor) => boolean,
  replace: (tensor: OnnxTensor) => Replacement,
): OnnxModel {
  const replaced = model.initializers.filter(wanted).map(replace);
  const kept = model.initializers.filter((tensor) => !wanted(tensor));
  return {
    ...model,
    initializers: [...kept, ...replaced.flatMap(({ tensors }) => tensors)],
    nodes: [...replaced.flatMap(({ nodes }) => nodes), ...model.nodes],
  };
}

/** float32 [O, ...] as whole numbers from -largest to largest and what they are to be multiplied by, [O]. */
export function wholeNumbers(weights: Float32Array, rows: number, largest: number): { values: Int8Array; scales: Float32Array } {
  const each = weights.length / rows;
  const values = new Int8Array(weights.length);
  const scales = new Float32Array(rows);
  for (let i = 0; i < rows; i++) {
    const row = weights.subarray(i * each, (i + 1) * each);
    const most = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const scale = Math.max(most / largest, 1e-12);
    scales[i] = scale;
    values.set(
      Int8Array.from(row, (value) => Math.round(value / scale)),
      i * each,
    );
  }
  return { values, scales };
}

/** The values of a float32 constant. */
export const floatsOf = ({ bytes }: OnnxTensor): Float32Array => new Float32Array(bytes.slice().buffer);
