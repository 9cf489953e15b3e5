/**
 * 1x1 convolutions in int8: uint8 activations per tensor, symmetric weights per channel in 7 bits, since without VNNI two
 * products are added in 16 bits.
 */

import { WeightsError } from '../errors.js';
import { floatsOf, wholeNumbers } from '../export/storedWeights.js';
import type { OnnxModel, OnnxNode, OnnxTensor, OnnxType } from '../graph/onnx.js';
import type { QuantizableLayer } from './layers.js';
import type { Steps } from './ranges.js';

/** Steps of every tensor that a layer reads or makes, by name. */
export type StepsByTensor = ReadonlyMap<string, Steps>;

/** 255 * 64 * 2 is below 2^15. */
const largestWeight = 64;

export function int8Model(model: OnnxModel, layers: readonly QuantizableLayer[], steps: StepsByTensor): OnnxModel {
  const constants = new Constants();
  const byNode = new Map(layers.map((layer) => [layer.node, layer]));
  const quantised = new Set<string>();
  const nodes = model.nodes.flatMap((node) => {
    const layer = byNode.get(node);
    return layer ? int8Nodes(layer, steps, constants, quantised) : [node];
  });
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  const initializers = [...model.initializers, ...constants.tensors.values()].filter(({ name }) => read.has(name));
  return { ...model, nodes, initializers };
}

/** Quantize (once per input tensor), convolve, dequantize under the original name. */
function int8Nodes(layer: QuantizableLayer, steps: StepsByTensor, constants: Constants, quantised: Set<string>): OnnxNode[] {
  const from = stepsOf(steps, layer.input);
  const to = stepsOf(steps, layer.result);
  const [output = ''] = layer.node.outputs;
  const x = `${layer.input}_q`;
  const input = constants.steps(layer.input, from);
  const result = constants.steps(`${output}_of`, to);
  const weight = constants.weight(layer, from.scale);
  const first: OnnxNode = { type: 'QuantizeLinear', inputs: [layer.input, ...input], outputs: [x] };
  const nodes: OnnxNode[] = [
    {
      type: 'QLinearConv',
      name: layer.name,
      inputs: [x, ...input, weight.values, weight.scales, weight.zeros, ...result, weight.bias],
      outputs: [`${output}_q`],
      attributes: { kernel_shape: [1, 1] },
    },
    { type: 'DequantizeLinear', inputs: [`${output}_q`, ...result], outputs: [output] },
  ];
  if (quantised.has(x)) return nodes;
  quantised.add(x);
  return [first, ...nodes];
}

function stepsOf(steps: StepsByTensor, name: string): Steps {
  const found = steps.get(name);
  if (!found) throw new WeightsError(`quantize: tensor ${name} was not calibrated`);
  return found;
}

class Constants {
  readonly tensors = new Map<string, OnnxTensor>();

  private add(
    name: string,
    type: OnnxType,
    shape: readonly number[],
    { buffer, byteOffset, byteLength }: ArrayBufferView,
  ): string {
    this.tensors.set(name, { name, type, shape, bytes: new Uint8Array(buffer, byteOffset, byteLength) });
    return name;
  }

  steps(tensor: string, { scale, zero }: Steps): [string, string] {
    return [
      this.add(`${tensor}_scale`, 'float32', [], Float32Array.of(scale)),
      this.add(`${tensor}_zero`, 'uint8', [], Uint8Array.of(zero)),
    ];
  }

  weight({ name, weight, bias }: QuantizableLayer, inputScale: number) {
    const { values, scales } = wholeNumbers(floatsOf(weight), weight.shape[0] ?? 1, largestWeight);
    const channels = scales.length;
    const biases = floatsOf(bias);
    const whole = Int32Array.from(scales, (scale, i) => Math.round((biases[i] ?? 0) / (scale * inputScale)));
    return {
      values: this.add(`${name}.weight`, 'int8', weight.shape, values),
      scales: this.add(`${name}.scales`, 'float32', [channels], scales),
      zeros: this.add(`${name}.zeros`, 'int8', [channels], new Int8Array(channels)),
      bias: this.add(`${name}.bias`, 'int32', [channels], whole),
    };
  }
}
