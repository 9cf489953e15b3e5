/**
 * Layers quantized to int8: 1x1 convolutions, nearly all of the multiply-adds. Not depthwise ones (slower in int8 in ONNX
 * Runtime), the stem or attention.
 */

import { WeightsError } from '../errors.js';
import type { OnnxModel, OnnxNode, OnnxTensor } from '../graph/onnx.js';
import type { NetworkConfig } from '../models/config.js';
import { inventoryOf } from '../models/network.js';

/**
 * Input channels from which int8 pays: below, turning a large map into bytes and back costs about what the product saves (on AVX2;
 * single layers: `npm run bench -- int8`).
 */
export const leastChannels = 128;

export interface QuantizableLayer {
  /** As in checkpoints, without ".weight". */
  readonly name: string;
  /** The node's place in the model. */
  readonly node: OnnxNode;
  /** float32 [O, I, 1, 1] and [O]. */
  readonly weight: OnnxTensor;
  readonly bias: OnnxTensor;
  /** The tensor whose values the node reads. */
  readonly input: string;
  /** The tensor whose range bounds the result: the output of an activation right after the layer, if any. */
  readonly result: string;
}

/** Whether a layer has at least `least` input channels. */
export const hasChannels = ({ weight }: QuantizableLayer, least: number): boolean => (weight.shape[1] ?? 0) >= least;

/** All 1x1 convolutions, in the order in which the network runs. */
export function quantizableLayers(model: OnnxModel, config: NetworkConfig): QuantizableLayer[] {
  const constants = new Map(model.initializers.map((tensor) => [tensor.name, tensor]));
  const names = inventoryOf(config).parameters.flatMap(({ name, shape }) =>
    shape.length === 5 && shape.slice(2).every((size) => size === 1) ? [name.replace(/\.weight$/, '')] : [],
  );
  const nodes = model.nodes.filter(
    ({ type, inputs }) =>
      type === 'Conv' &&
      constants
        .get(inputs[1] ?? '')
        ?.shape.slice(2)
        .join() === '1,1',
  );
  if (nodes.length !== names.length)
    throw new WeightsError(`quantize: ${nodes.length} 1x1 convolutions in the model, ${names.length} in ${config.name}`);
  return nodes.map((node, i) => {
    const [input = '', weightName = '', biasName = ''] = node.inputs;
    const [weight, bias] = [constants.get(weightName), constants.get(biasName)];
    const [output = ''] = node.outputs;
    if (!weight || !bias) throw new WeightsError(`quantize: ${names[i]} has no constant weights and bias`);
    return { name: names[i] ?? '', node, weight, bias, input, result: clippedResult(model.nodes, output) };
  });
}

/** Follows a reshape to its only reader if that is a Clip: values it cuts off need no range. */
function clippedResult(nodes: readonly OnnxNode[], value: string): string {
  const readers = nodes.filter(({ inputs }) => inputs.includes(value));
  const [reader] = readers;
  const [next] = reader?.outputs ?? [];
  if (readers.length !== 1 || !reader || next === undefined) return value;
  if (reader.type === 'Clip') return next;
  if (reader.type !== 'Reshape') return value;
  const further = clippedResult(nodes, next);
  return further === next ? value : further;
}
