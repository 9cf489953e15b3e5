/**
 * The network as an exporter would write it: standard operators, maps [B, C, T, H, W], grouped Conv3D, batch norm folded. Shares
 * only the ONNX writer with src.
 */

import { type OnnxAttribute, type OnnxNode, type OnnxTensor, writeOnnx } from '../src/graph/onnx.js';
import { sizeOf } from '../src/graph/shape.js';
import type { NetworkConfig } from '../src/models/config.js';
import { type FlatWeights, inventoryOf } from '../src/models/network.js';
import type { VariableSpec } from '../src/models/variables.js';
import type { BlockConfig, VideoMobileFormerConfig } from '../src/models/videoMobileFormerConfig.js';

const epsilon = 1e-5;

/** Shape of the model's input `clips`. */
export const exportedClipShape = ({ frames, height, width }: NetworkConfig, clips: number) => [clips, 3, frames, height, width];

/** `clips` [B, 3, T, H, W] -> `logits` [B, classes]. Pointwise convolutions in groups are not supported. */
export function plainExport(any: NetworkConfig, weights: FlatWeights, clips: number): Uint8Array<ArrayBuffer> {
  const config = any as VideoMobileFormerConfig;
  if (config.groups !== 1) throw new RangeError(`groups: expected 1, got ${config.groups}`);
  const g = new Graph(config, weights, clips);
  const logits = network(g, config);
  return writeOnnx({
    opsets: { '': 17 },
    nodes: [...g.nodes, { type: 'Identity', inputs: [logits], outputs: ['logits'] }],
    initializers: g.constants,
    inputs: [{ name: 'clips', type: 'float32', shape: exportedClipShape(config, clips) }],
    outputs: [{ name: 'logits', type: 'float32', shape: [clips, config.classes] }],
  });
}

interface Feature {
  readonly name: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

class Graph {
  readonly nodes: OnnxNode[] = [];
  readonly constants: OnnxTensor[] = [];
  private readonly tensors: ReadonlyMap<string, Float32Array>;
  private count = 0;

  constructor(
    readonly config: VideoMobileFormerConfig,
    weights: FlatWeights,
    readonly clips: number,
  ) {
    const { parameters, statistics } = inventoryOf(config);
    this.tensors = new Map([...cut(parameters, weights.parameters), ...cut(statistics, weights.statistics)]);
  }

  op(type: string, inputs: readonly string[], attributes: Readonly<Record<string, OnnxAttribute>> = {}): string {
    const [output = ''] = this.ops(type, inputs, 1, attributes);
    return output;
  }

  ops(type: string, inputs: readonly string[], outputs: number, attributes: Readonly<Record<string, OnnxAttribute>>): string[] {
    const names = Array.from({ length: outputs }, () => `${type}_${this.count++}`);
    this.nodes.push({ type, inputs, outputs: names, attributes });
    return names;
  }

  floats(data: Float32Array, shape: readonly number[]): string {
    const name = `w_${this.count++}`;
    this.constants.push({ name, type: 'float32', shape, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) });
    return name;
  }

  scalar(value: number): string {
    return this.floats(Float32Array.of(value), []);
  }

  integers(values: readonly number[]): string {
    const name = `i_${this.count++}`;
    const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    this.constants.push({ name, type: 'int64', shape: [values.length], bytes });
    return name;
  }

  zero(): string {
    const name = `i_${this.count++}`;
    this.constants.push({ name, type: 'int64', shape: [], bytes: new Uint8Array(8) });
    return name;
  }

  reshape(x: string, shape: readonly number[]): string {
    return this.op('Reshape', [x, this.integers(shape)]);
  }

  tensor(name: string): Float32Array {
    const found = this.tensors.get(name);
    if (!found) throw new RangeError(`no tensor ${name}`);
    return found;
  }
}

function* cut(specs: readonly VariableSpec[], flat: Float32Array): Generator<[string, Float32Array]> {
  let at = 0;
  for (const { name, shape } of specs) {
    yield [name, flat.slice(at, at + sizeOf(shape))];
    at += sizeOf(shape);
  }
}

function network(g: Graph, config: VideoMobileFormerConfig): string {
  const { tokens, tokenDim } = config;
  const table = g.floats(g.tensor('tokens'), [1, tokens, tokenDim]);
  let z = g.op('Expand', [table, g.integers([g.clips, tokens, tokenDim])]);
  const image = { name: 'clips', channels: 3, height: config.height, width: config.width };
  let x = relu6(g, convNorm(g, 'stem', image, config.stem, { kernel: 3, stride: 2 }));
  config.blocks.forEach((block, i) => {
    [x, z] = runBlock(g, `blocks.${i}`, block, x, z);
  });
  return head(g, x, mobileToFormer(g, 'bridge', x, z));
}

interface Convolution {
  readonly kernel?: number;
  readonly temporal?: number;
  readonly stride?: number;
  readonly groups?: number;
}

function convNorm(g: Graph, name: string, x: Feature, out: number, convolution: Convolution = {}): Feature {
  const { kernel = 1, temporal = 1, stride = 1, groups = 1 } = convolution;
  const { scale, shift } = folded(g, `${name}.bn`);
  const weight = g.tensor(`${name}.conv.weight`);
  const each = weight.length / out;
  const kernels = weight.map((value, i) => value * (scale[Math.floor(i / each)] ?? 0));
  const [before, around] = [(temporal - 1) / 2, (kernel - 1) / 2];
  const inputs = [
    x.name,
    g.floats(kernels, [out, x.channels / groups, temporal, kernel, kernel]),
    g.floats(Float32Array.from(shift), [out]),
  ];
  const made = g.op('Conv', inputs, {
    group: groups,
    kernel_shape: [temporal, kernel, kernel],
    pads: [before, around, around, before, around, around],
    strides: [1, stride, stride],
  });
  return { name: made, channels: out, height: Math.ceil(x.height / stride), width: Math.ceil(x.width / stride) };
}

function folded(g: Graph, name: string): { readonly scale: readonly number[]; readonly shift: readonly number[] } {
  const part = (what: string) => Array.from(g.tensor(`${name}.${what}`));
  const [weight, bias, mean, variance] = [part('weight'), part('bias'), part('running_mean'), part('running_var')];
  const scale = weight.map((value, i) => value / Math.sqrt((variance[i] ?? 0) + epsilon));
  return { scale, shift: bias.map((value, i) => value - (mean[i] ?? 0) * (scale[i] ?? 0)) };
}

const relu6 = (g: Graph, x: Feature): Feature => ({ ...x, name: g.op('Clip', [x.name, g.scalar(0), g.scalar(6)]) });
const hardSigmoid = (g: Graph, x: string) => g.op('HardSigmoid', [x], { alpha: { float: 1 / 6 }, beta: { float: 0.5 } });
const added = (g: Graph, x: Feature, y: Feature): Feature => ({ ...x, name: g.op('Add', [x.name, y.name]) });

function linear(g: Graph, name: string, x: string, into: number): string {
  const weight = g.tensor(`${name}.weight`);
  const bias = g.tensor(`${name}.bias`);
  const out = bias.length;
  const turned = Float32Array.from(weight, (_, i) => weight[(i % out) * into + Math.floor(i / out)] ?? 0);
  return g.op('Add', [g.op('MatMul', [x, g.floats(turned, [into, out])]), g.floats(bias, [out])]);
}

function norm(g: Graph, name: string, x: string): string {
  const part = (what: string) => g.floats(g.tensor(`${name}.${what}`), [g.tensor(`${name}.${what}`).length]);
  return g.op('LayerNormalization', [x, part('weight'), part('bias')], { axis: -1, epsilon: { float: epsilon } });
}

function runBlock(g: Graph, name: string, block: BlockConfig, x: Feature, z: string): [Feature, string] {
  if (block.kind === 'lite') return [liteBlock(g, name, block, x), z];
  const informed = former(g, `${name}.former`, mobileToFormer(g, `${name}.mobile_to_former`, x, z));
  const y = block.kind === 'mf' ? mobileBlock(g, name, block, x, informed) : downBlock(g, name, block, x, informed);
  return [formerToMobile(g, `${name}.former_to_mobile`, y, informed), informed];
}

const depthwise = (g: Graph, name: string, x: Feature, expand: number, temporal: number, stride = 1): Feature =>
  convNorm(g, name, x, x.channels * expand, { kernel: 3, temporal, stride, groups: x.channels });

function liteBlock(g: Graph, name: string, block: BlockConfig & { kind: 'lite' }, x: Feature): Feature {
  const wide = relu6(g, depthwise(g, `${name}.conv1`, x, block.expand, block.temporal, block.stride));
  const y = convNorm(g, `${name}.conv2`, wide, block.out);
  return block.stride === 1 && x.channels === block.out ? added(g, x, y) : y;
}

function mobileBlock(g: Graph, name: string, block: BlockConfig & { kind: 'mf' }, x: Feature, z: string): Feature {
  const wide = dynamicRelu(g, `${name}.act1`, convNorm(g, `${name}.conv1`, x, x.channels * block.expand), z);
  const mixed = dynamicRelu(g, `${name}.act2`, depthwise(g, `${name}.conv2`, wide, 1, block.temporal), z);
  const y = convNorm(g, `${name}.conv3`, mixed, block.out);
  return x.channels === block.out ? added(g, x, y) : y;
}

function downBlock(g: Graph, name: string, block: BlockConfig & { kind: 'down' }, x: Feature, z: string): Feature {
  const first = dynamicRelu(g, `${name}.act1`, depthwise(g, `${name}.conv1`, x, block.expand, block.temporal, 2), z);
  const u = convNorm(g, `${name}.conv2`, first, block.out);
  const second = dynamicRelu(g, `${name}.act2`, depthwise(g, `${name}.conv3`, u, block.expand2, block.temporal), z);
  return added(g, u, convNorm(g, `${name}.conv4`, second, block.out));
}

function dynamicRelu(g: Graph, name: string, x: Feature, z: string): Feature {
  const { tokenDim } = g.config;
  const first = g.op('Gather', [z, g.zero()], { axis: 1 });
  const hidden = g.op('Relu', [linear(g, `${name}.fc1`, first, tokenDim)]);
  const theta = hardSigmoid(g, linear(g, `${name}.fc2`, hidden, tokenDim / 4));
  const wide = g.reshape(theta, [g.clips, 2 * x.channels, 1, 1, 1]);
  const [a1 = '', a2 = ''] = g.ops('Split', [wide, g.integers([x.channels, x.channels])], 2, { axis: 1 });
  const steep = g.op('Mul', [g.op('Mul', [a1, g.scalar(2)]), x.name]);
  const flat = g.op('Mul', [g.op('Sub', [g.op('Mul', [a2, g.scalar(2)]), g.scalar(1)]), x.name]);
  return { ...x, name: g.op('Max', [steep, flat]) };
}

/** [B, N, C] -> [B, heads, N, C / heads] */
function heads(g: Graph, x: string, rows: number, channels: number, count: number): string {
  return g.op('Transpose', [g.reshape(x, [g.clips, rows, count, channels / count])], { perm: [0, 2, 1, 3] });
}

/** -> [B, N, C] */
function attend(g: Graph, q: string, k: string, v: string, rows: number, channels: number, count: number): string {
  const product = g.op('MatMul', [q, g.op('Transpose', [k], { perm: [0, 1, 3, 2] })]);
  const scores = g.op('Mul', [product, g.scalar((channels / count) ** -0.5)]);
  const found = g.op('MatMul', [g.op('Softmax', [scores], { axis: -1 }), v]);
  return g.reshape(g.op('Transpose', [found], { perm: [0, 2, 1, 3] }), [g.clips, rows, channels]);
}

/** [B, C, T, H, W] -> [B, T*H*W, C] */
function positions(g: Graph, x: Feature): { readonly name: string; readonly rows: number } {
  const rows = g.config.frames * x.height * x.width;
  return { name: g.op('Transpose', [g.reshape(x.name, [g.clips, x.channels, rows])], { perm: [0, 2, 1] }), rows };
}

function mobileToFormer(g: Graph, name: string, x: Feature, z: string): string {
  const { tokens, tokenDim } = g.config;
  const seen = positions(g, x);
  const keys = heads(g, seen.name, seen.rows, x.channels, 2);
  const query = heads(g, linear(g, `${name}.query`, z, tokenDim), tokens, x.channels, 2);
  const found = attend(g, query, keys, keys, tokens, x.channels, 2);
  const gate = g.op('Mul', [hardSigmoid(g, linear(g, `${name}.gate`, z, tokenDim)), g.scalar(2)]);
  const out = linear(g, `${name}.out`, g.op('Mul', [found, gate]), x.channels);
  return norm(g, `${name}.norm`, g.op('Add', [z, out]));
}

function former(g: Graph, name: string, z: string): string {
  const { tokens, tokenDim: d } = g.config;
  const own = heads(g, z, tokens, d, 4);
  const query = heads(g, linear(g, `${name}.query`, z, d), tokens, d, 4);
  const found = attend(g, query, own, own, tokens, d, 4);
  const attended = norm(g, `${name}.norm1`, g.op('Add', [z, linear(g, `${name}.out`, found, d)]));
  const wide = linear(g, `${name}.ffn_in`, attended, d);
  const erf = g.op('Erf', [g.op('Div', [wide, g.scalar(Math.SQRT2)])]);
  const gelu = g.op('Mul', [g.op('Mul', [wide, g.op('Add', [erf, g.scalar(1)])]), g.scalar(0.5)]);
  return norm(g, `${name}.norm2`, g.op('Add', [attended, linear(g, `${name}.ffn_out`, gelu, 2 * d)]));
}

function formerToMobile(g: Graph, name: string, x: Feature, z: string): Feature {
  const { frames, tokens, tokenDim } = g.config;
  const { name: rows, rows: count } = positions(g, x);
  const [key, value] = ['key', 'value'].map((part) =>
    heads(g, linear(g, `${name}.${part}`, z, tokenDim), tokens, x.channels, 2),
  ) as [string, string];
  const found = attend(g, heads(g, rows, count, x.channels, 2), key, value, count, x.channels, 2);
  const turned = g.op('Transpose', [found], { perm: [0, 2, 1] });
  return added(g, x, { ...x, name: g.reshape(turned, [g.clips, x.channels, frames, x.height, x.width]) });
}

function head(g: Graph, x: Feature, z: string): string {
  const { tokenDim, head: width } = g.config;
  const wide = relu6(g, convNorm(g, 'head.conv', x, 6 * x.channels));
  const pooled = g.reshape(g.op('ReduceMean', [wide.name], { axes: [2, 3, 4], keepdims: 0 }), [g.clips, wide.channels]);
  const first = g.op('Gather', [z, g.zero()], { axis: 1 });
  const both = g.op('Concat', [g.op('HardSwish', [pooled]), first], { axis: 1 });
  const hidden = linear(g, 'head.fc1', both, wide.channels + tokenDim);
  const { scale, shift } = folded(g, 'head.bn');
  const scaled = g.op('Mul', [hidden, g.floats(Float32Array.from(scale), [width])]);
  const normed = g.op('Add', [scaled, g.floats(Float32Array.from(shift), [width])]);
  return linear(g, 'head.fc2', g.op('HardSwish', [normed]), width);
}
