/**
 * Every operator in standard ONNX, row-major, without anything special to one machine: the path that runs everywhere (also WebGPU
 * and WASM), and the fallback of the blocked one. A feature map is [T, B, C, H, W]; convolutions see it as [T*B, C, H, W].
 */

import { ShapeError } from '../../errors.js';
import type { Expr, Op } from '../expr.js';
import { emitConvolution, emitConvolutionInputGradient, emitConvolutionWeightGradient } from '../operators/convolution.js';
import {
  emitDepthwise,
  emitDepthwiseInputGradient,
  emitDepthwiseTaps,
  emitDepthwiseWeightGradient,
} from '../operators/depthwise.js';
import { images } from '../operators/images.js';
import { mapSize, type Shape } from '../shape.js';
import type { Emitter } from './emitter.js';

const unaryNames = { relu: 'Relu', exp: 'Exp', log: 'Log', sqrt: 'Sqrt', erf: 'Erf' } as const;
const binaryNames = { add: 'Add', sub: 'Sub', mul: 'Mul', div: 'Div' } as const;

/** So steep that any positive float32 above 1e-30 becomes 1: the step function in one pass. */
export const steep = 1e30;

/** Emits one expression whose operands have the given names; returns the name of its value. */
export function emitPlain(e: Emitter, node: Expr, names: readonly string[]): string {
  const { op, inputs, shape } = node;
  const name = (i: number): string => names[i] ?? missing(op, i);
  const at = (i: number): Expr => inputs[i] ?? missing(op, i);
  switch (op.kind) {
    case 'input':
      return op.name;
    case 'constant':
      return e.floats(op.data, shape);
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
      return e.node(binaryNames[op.kind], [name(0), name(1)]);
    case 'relu':
    case 'exp':
    case 'log':
    case 'sqrt':
    case 'erf':
      return e.node(unaryNames[op.kind], [name(0)]);
    case 'step':
      return e.node('HardSigmoid', [name(0)], { alpha: { float: steep }, beta: { float: 0 } });
    case 'clip':
      return e.node('Clip', [name(0), e.filled(op.low, []), e.filled(op.high, [])]);
    case 'sum':
      return e.sum(name(0), op.axes);
    case 'reshape':
      return e.reshape(name(0), shape);
    case 'broadcast':
      return e.node('Expand', [name(0), e.integers(shape)]);
    case 'transpose':
      return e.transpose(name(0), op.order);
    case 'slice':
      return e.slice(name(0), op.axis, op.start, op.end);
    case 'concat':
      return e.node('Concat', names, { axis: op.axis });
    case 'matmul':
      return emitMatmul(e, op, name(0), name(1), at(0).shape.length);
    case 'softmax':
      return e.node('Softmax', [name(0)], { axis: -1 });
    case 'logSoftmax':
      return e.node('LogSoftmax', [name(0)], { axis: -1 });
    case 'layerNorm':
      return e.node('LayerNormalization', [name(0), name(1), name(2)], { axis: -1, epsilon: { float: op.epsilon } });
    case 'scaleShift':
      return emitScaleShift(e, name(0), perChannel(e, name(1), at(1).shape), perChannel(e, name(2), at(2).shape), at(2));
    case 'channelSum':
      return e.reshape(e.sum(name(0), [0, 3, 4]), shape);
    case 'channelDot':
      return e.reshape(e.sum(e.node('Mul', [name(0), name(1)]), [0, 3, 4]), shape);
    case 'pointwise':
      if (at(1).op.kind === 'constant' && !op.perClip) return emitConstantPointwise(e, names, at(0).shape, shape);
      return emitPointwise(e, name(0), name(1), names[2], at(0).shape, shape);
    case 'gram':
      return emitGram(e, name(0), name(1), at(0).shape, at(1).shape, op.perClip);
    case 'softmaxPositions':
      return emitSoftmaxPositions(e, name(0), shape);
    case 'softmaxTokens':
      return emitSoftmaxTokens(e, name(0), shape, op.heads);
    case 'shuffleChannels':
      return emitShuffle(e, name(0), shape, op.groups);
    case 'featureMap':
      return name(0);
    case 'regroup':
      return e.reshape(name(0), shape);
    case 'memory':
      return op.name;
    case 'depthwiseTaps':
      return emitDepthwiseTaps(e, op, node, names);
    case 'depthwise':
      return emitDepthwise(e, op, node, names);
    case 'depthwiseInputGradient':
      return emitDepthwiseInputGradient(e, op, node, names);
    case 'depthwiseWeightGradient':
      return emitDepthwiseWeightGradient(e, op, node, names);
    case 'convolution':
      return emitConvolution(e, op, node, names);
    case 'convolutionInputGradient':
      return emitConvolutionInputGradient(e, op, node, names);
    case 'convolutionWeightGradient':
      return emitConvolutionWeightGradient(e, op, node, names);
  }
}

function missing(op: Op, i: number): never {
  throw new ShapeError(`${op.kind}: operand ${i} is missing`);
}

function emitMatmul(e: Emitter, op: Op & { kind: 'matmul' }, a: string, b: string, rank: number): string {
  if (rank === 2) return e.node('Gemm', [a, b], gemmFlags(op));
  const swap = [...Array(rank - 2).keys(), rank - 1, rank - 2];
  const turned = (x: string, transposed: boolean) => (transposed ? e.transpose(x, swap) : x);
  return e.node('MatMul', [turned(a, op.transposeA), turned(b, op.transposeB)]);
}

const gemmFlags = (op: Op & { kind: 'matmul' }) => ({ transA: Number(op.transposeA), transB: Number(op.transposeB) });

/** The product of two matrices plus a row [M] or [1, M], in one pass. */
export function emitBiasedProduct(e: Emitter, op: Op & { kind: 'matmul' }, a: string, b: string, bias: string): string {
  return e.node('Gemm', [a, b, bias], gemmFlags(op));
}

/** [R, C] -> [R, C, 1, 1], which broadcasts against [T, B, C, H, W]. */
const perChannel = (e: Emitter, x: string, shape: Shape) => e.reshape(x, [...shape, 1, 1]);

function emitScaleShift(e: Emitter, x: string, scale: string, shift: string, { op }: Expr): string {
  const scaled = e.node('Mul', [x, scale]);
  const nothing = op.kind === 'constant' && op.data.every((value) => value === 0);
  return nothing ? scaled : e.node('Add', [scaled, shift]);
}

function emitPointwise(e: Emitter, x: string, weight: string, bias: string | undefined, from: Shape, to: Shape): string {
  const { frames, clips, channels, height, width } = mapSize(from, 'pointwise');
  const rows = e.reshape(x, [frames, clips, channels, height * width]);
  const y = e.reshape(e.node('MatMul', [weight, rows]), to);
  return bias ? e.node('Add', [y, e.reshape(bias, [to[2] ?? 0, 1, 1])]) : y;
}

/** With weights known beforehand ONNX Runtime packs a convolution's once, and merges it with the activation that follows. */
function emitConstantPointwise(e: Emitter, [x = '', weight = '', ...bias]: readonly string[], from: Shape, to: Shape): string {
  const { channels } = mapSize(from, 'pointwise');
  const kernel = e.reshape(weight, [to[2] ?? 0, channels, 1, 1]);
  return e.reshape(e.node('Conv', [images(e, x, from), kernel, ...bias], { kernel_shape: [1, 1] }), to);
}

function emitGram(e: Emitter, y: string, x: string, yShape: Shape, xShape: Shape, perClip: boolean): string {
  const a = mapSize(yShape, 'gram');
  const b = mapSize(xShape, 'gram');
  const left = e.reshape(y, [a.frames, a.clips, a.channels, a.height * a.width]);
  const right = e.transpose(e.reshape(x, [b.frames, b.clips, b.channels, b.height * b.width]), [0, 1, 3, 2]);
  return e.sum(e.node('MatMul', [left, right]), perClip ? [0] : [0, 1], false);
}

function emitSoftmaxPositions(e: Emitter, x: string, shape: Shape): string {
  const { frames, clips, channels, height, width } = mapSize(shape, 'softmaxPositions');
  const rows = e.transpose(e.reshape(x, [frames, clips * channels, height * width]), [1, 0, 2]);
  const y = e.node('Softmax', [e.reshape(rows, [clips * channels, frames * height * width])], { axis: -1 });
  return e.reshape(e.transpose(e.reshape(y, [clips * channels, frames, height * width]), [1, 0, 2]), shape);
}

function emitSoftmaxTokens(e: Emitter, x: string, shape: Shape, heads: number): string {
  const { frames, clips, channels, height, width } = mapSize(shape, 'softmaxTokens');
  const grouped = e.reshape(x, [frames * clips * heads, channels / heads, height * width]);
  return e.reshape(e.node('Softmax', [grouped], { axis: 1 }), shape);
}

function emitShuffle(e: Emitter, x: string, shape: Shape, groups: number): string {
  const { frames, clips, channels, height, width } = mapSize(shape, 'shuffleChannels');
  const grouped = e.reshape(x, [frames * clips, groups, channels / groups, height * width]);
  return e.reshape(e.transpose(grouped, [0, 2, 1, 3]), shape);
}
