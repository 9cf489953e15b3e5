/**
 * Every operator in standard ONNX, row-major, without anything special to one machine: the path that runs everywhere (also WebGPU
 * and WASM), and the fallback of the blocked one. A feature map is [T, B, C, H, W]; convolutions see it as [T*B, C, H, W].
 */

import { ShapeError } from '../../errors.js';
import type { Expr, Op } from '../expr.js';
import { mapSize, type Shape, sizeOf } from '../shape.js';
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
    case 'regroup':
      return e.reshape(name(0), shape);
    case 'memory':
      return op.name;
    case 'depthwiseTaps':
      return emitDepthwiseTaps(e, node, names);
    case 'depthwise':
      return emitDepthwise(e, name(0), name(1), names[2], at(0).shape, at(1).shape, shape, op.stride, op.lag);
    case 'depthwiseInputGradient':
      return emitDepthwiseInputGradient(e, name(0), name(1), at(0).shape, at(1).shape, shape, op.stride, op.lag);
    case 'depthwiseWeightGradient':
      return emitDepthwiseWeightGradient(e, name(0), name(1), at(0).shape, at(1).shape, shape, op.stride, op.lag);
    case 'convolution':
      return emitConvolution(e, name(0), name(1), names[2], at(0).shape, shape, op.stride);
    case 'convolutionWeightGradient':
      return emitConvolutionWeightGradient(e, name(0), name(1), at(0).shape, at(1).shape, op.stride);
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

/** A map as ONNX convolutions take it. */
const imageShape = (shape: Shape): Shape => {
  const { frames, clips, channels, height, width } = mapSize(shape, 'images');
  return [frames * clips, channels, height, width];
};

const images = (e: Emitter, x: string, shape: Shape): string => e.reshape(x, imageShape(shape));

/**
 * The map moved by whole frames: frame t of the result is frame t + by of x, zero beyond the ends. `shape` is how x is seen, images
 * first; padding whole frames as rows of one matrix is a plain copy, padding along four axes would be one for every line.
 */
export function shiftFrames(e: Emitter, x: string, by: number, imagesPerFrame: number, shape: Shape): string {
  if (by === 0) return x;
  const frames = (shape[0] ?? 0) / imagesPerFrame;
  const moved = e.pad(e.reshape(x, [frames, sizeOf(shape) / frames]), [-by, 0], [by, 0]);
  return e.reshape(moved, shape);
}

const sumOf = (e: Emitter, parts: readonly string[]): string => parts.reduce((a, b) => e.node('Add', [a, b]));

/** The kernel of one temporal tap, [C * e, 1, 3, 3]. */
function tap(e: Emitter, weight: string, shape: Shape, k: number): string {
  const [out = 0, , kh = 0, kw = 0] = shape;
  return e.reshape(e.slice(weight, 1, k, k + 1), [out, 1, kh, kw]);
}

const taps = (weightShape: Shape): number[] => [...Array(weightShape[1] ?? 1).keys()];
/** How many frames tap k looks ahead. */
const ahead = (k: number, weightShape: Shape, lag: number): number => k - ((weightShape[1] ?? 1) - 1) / 2 - lag;

function emitDepthwise(
  e: Emitter,
  x: string,
  weight: string,
  bias: string | undefined,
  from: Shape,
  weightShape: Shape,
  to: Shape,
  stride: number,
  lag: number,
): string {
  const { clips, channels } = mapSize(from, 'depthwise');
  const flat = images(e, x, from);
  const attributes = { group: channels, kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [stride, stride] };
  const parts = taps(weightShape).map((k) => {
    const by = ahead(k, weightShape, lag);
    const operands = [shiftFrames(e, flat, by, clips, imageShape(from)), tap(e, weight, weightShape, k)];
    return e.node('Conv', bias && by === 0 ? [...operands, bias] : operands, attributes);
  });
  return e.reshape(sumOf(e, parts), to);
}

function emitDepthwiseTaps(e: Emitter, { op, inputs, shape }: Expr, names: readonly string[]): string {
  const taps = inputs.filter((x) => x.shape.length === 5).length;
  const [from, weight] = [inputs[0]?.shape ?? [], inputs[taps]?.shape ?? []];
  const stride = op.kind === 'depthwiseTaps' ? op.stride : 1;
  const { channels } = mapSize(from, 'depthwiseTaps');
  const attributes = { group: channels, kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [stride, stride] };
  const bias = names.slice(taps + 1);
  const parts = names.slice(0, taps).map((x, k) => {
    const operands = [images(e, x, from), tap(e, names[taps] ?? '', weight, k)];
    return e.node('Conv', k === 0 ? [...operands, ...bias] : operands, attributes);
  });
  return e.reshape(sumOf(e, parts), shape);
}

function emitDepthwiseInputGradient(
  e: Emitter,
  dy: string,
  weight: string,
  from: Shape,
  weightShape: Shape,
  to: Shape,
  stride: number,
  lag: number,
): string {
  const { clips, channels, height, width } = mapSize(to, 'depthwiseInputGradient');
  const small = mapSize(from, 'depthwiseInputGradient');
  const flat = images(e, dy, from);
  const extra = [height - (small.height - 1) * stride - 1, width - (small.width - 1) * stride - 1];
  const attributes = {
    group: channels,
    kernel_shape: [3, 3],
    pads: [1, 1, 1, 1],
    strides: [stride, stride],
    output_padding: extra,
  };
  const parts = taps(weightShape).map((k) => {
    const moved = shiftFrames(e, flat, -ahead(k, weightShape, lag), clips, imageShape(from));
    return e.node('ConvTranspose', [moved, tap(e, weight, weightShape, k)], attributes);
  });
  return e.reshape(sumOf(e, parts), to);
}

/** dW as a convolution of each image and channel by its own gradient, then summed over images. */
function emitDepthwiseWeightGradient(
  e: Emitter,
  dy: string,
  x: string,
  dyShape: Shape,
  xShape: Shape,
  to: Shape,
  stride: number,
  lag: number,
): string {
  const { frames, clips, channels, height, width } = mapSize(xShape, 'depthwiseWeightGradient');
  const small = mapSize(dyShape, 'depthwiseWeightGradient');
  const count = frames * clips;
  const kernel = e.reshape(dy, [count * small.channels, 1, small.height, small.width]);
  const attributes = {
    group: count * channels,
    kernel_shape: [small.height, small.width],
    dilations: [stride, stride],
    pads: gradientPads(height, width, stride),
  };
  const parts = taps(to).map((k) => {
    const moved = shiftFrames(e, images(e, x, xShape), ahead(k, to, lag), clips, imageShape(xShape));
    const dots = e.node('Conv', [e.reshape(moved, [1, count * channels, height, width]), kernel], attributes);
    return e.reshape(e.sum(e.reshape(dots, [count, small.channels, 3, 3]), [0]), [small.channels, 1, 3, 3]);
  });
  return parts.length === 1 && parts[0] ? parts[0] : e.node('Concat', parts, { axis: 1 });
}

/** Padding under which a convolution by the (dilated) gradient gives exactly the 3 x 3 kernel positions. */
export const gradientPads = (height: number, width: number, stride: number): number[] =>
  stride === 1 ? [1, 1, 1, 1] : [1, 1, height % 2, width % 2];

function emitConvolution(
  e: Emitter,
  x: string,
  weight: string,
  bias: string | undefined,
  from: Shape,
  to: Shape,
  stride: number,
): string {
  const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [stride, stride] };
  const operands = [images(e, x, from), weight];
  return e.reshape(e.node('Conv', bias ? [...operands, bias] : operands, attributes), to);
}

/** dW [O, C, 3, 3]: images become the channels of a convolution of x (C images) by dy (O kernels). */
export function emitConvolutionWeightGradient(
  e: Emitter,
  dy: string,
  x: string,
  dyShape: Shape,
  xShape: Shape,
  stride: number,
): string {
  const big = mapSize(xShape, 'convolutionWeightGradient');
  const small = mapSize(dyShape, 'convolutionWeightGradient');
  const left = e.transpose(images(e, x, xShape), [1, 0, 2, 3]); // [C, T*B, H, W]
  const right = e.transpose(images(e, dy, dyShape), [1, 0, 2, 3]); // [O, T*B, h, w]
  const dots = e.node('Conv', [left, right], {
    kernel_shape: [small.height, small.width],
    dilations: [stride, stride],
    pads: gradientPads(big.height, big.width, stride),
  });
  return e.transpose(dots, [1, 0, 2, 3]);
}
