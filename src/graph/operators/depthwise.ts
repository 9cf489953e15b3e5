import { asMap, type Expr, mapExpr } from '../expr.js';
import type { Activation, BlockedLayout, BlockedMap, ConvOptions, Lanes } from '../lowering/blockedLayout.js';
import type { Emitter } from '../lowering/emitter.js';
import { type MapSize, mapSize, need, sizeOf } from '../shape.js';
import { channelSum } from './channelAffine.js';
import { depthwiseInputGradient, depthwiseWeightGradient } from './depthwiseGradients.js';
import { blockedKernels, type DepthwiseWeight, kernelOf, picked, pieces, tapKernel, weightOf } from './depthwiseKernels.js';
import { imageShape, images, pickFrames, spatialAttributes, sumOf } from './images.js';
import { type NchwcLowering, type Node, operator } from './operator.js';
import { sum } from './reduction.js';
import { concat, slice } from './sliceConcat.js';
import { type Sliding, seeingTaps, slidingOf, slidShape, tapPicks, withoutTaps } from './window.js';

/** How depthwise kernels count as multiply-adds. */
export interface Counting {
  /** Taps in time that were left out since they see only padding. */
  readonly unseenTaps?: number;
  readonly pooling?: boolean;
}

declare module '../expr.js' {
  interface Ops {
    depthwise: Sliding & Counting;
    depthwiseTaps: Sliding;
  }
}

/**
 * Zero padding of half the kernel. weight [C * e, kt, kh, kw]: input channel c gives output channels c*e .. c*e + e - 1. Tap k of the
 * kt in time sees the frame k - (kt - 1) / 2 - lag after the result's: with lag 0 as many before as after, with (kt - 1) / 2 none after.
 * -> [T, B, C * e, ceil(H / stride), ceil(W / stride)]
 */
export function depthwise(x: Expr, weight: Expr, stride: number, bias?: Expr, lag = 0): Expr {
  const [, kt = 0, kh = 0, kw = 0] = weight.shape;
  need(kt % 2 === 1 && Number.isInteger(lag), `depthwise: weight, lag ${lag}`, weight.shape, x.shape);
  return slidDepthwise(x, weight, slidingOf(x.shape, [kt, kh, kw], [1, stride, stride], 'half', lag), bias);
}

/** The same with any stride and padding. */
export function slidDepthwise(x: Expr, weight: Expr, sliding: Sliding, bias?: Expr, counting: Counting = {}): Expr {
  const { frames, channels } = mapSize(x.shape, 'depthwise');
  const [out = 0, kt = 0, kh = 0, kw = 0] = weight.shape;
  need(weight.shape.length === 4 && out % channels === 0, 'depthwise: weight', weight.shape, x.shape);
  const shape = slidShape(x.shape, out, [kt, kh, kw], sliding);
  const seeing = seeingTaps(kt, sliding, frames, shape[0] ?? 0);
  if (seeing.length < kt) {
    const kept = slice(weight, 1, seeing.from, seeing.from + seeing.length); // others see only padding
    const unseenTaps = kt - seeing.length;
    return slidDepthwise(x, kept, withoutTaps(sliding, seeing.from, unseenTaps), bias, { ...counting, unseenTaps });
  }
  const map = asMap(x);
  return mapExpr({ kind: 'depthwise', ...sliding, ...counting }, bias ? [map, weight, bias] : [map, weight], shape, (dy) => [
    depthwiseInputGradient(dy, weight, sliding, x.shape),
    depthwiseWeightGradient(dy, map, sliding, weight.shape),
    sum(channelSum(dy), [0], [out]),
  ]);
}

/**
 * Depthwise convolution whose taps in time are given one by one: tap k of weight [C * e, kt, kh, kw] sees maps[k], all of one shape
 * [T, B, C, H, W], and the results are added. For frames that come one at a time. -> as depthwise
 */
export function depthwiseTaps(maps: readonly Expr[], weight: Expr, stride: number, bias?: Expr): Expr {
  const [first] = maps;
  const from = first?.shape ?? [];
  const [out = 0, kt, kh = 0, kw = 0] = weight.shape;
  const { channels } = mapSize(from, 'depthwiseTaps');
  const alike = maps.every((map) => map.shape.join() === from.join());
  need(alike && kt === maps.length && out % channels === 0, 'depthwiseTaps: weight', weight.shape, from);
  const sliding = slidingOf(from, [1, kh, kw], [1, stride, stride], 'half');
  return tappedDepthwise(maps, weight, sliding, bias);
}

/** The same with any stride and padding in space. */
export function tappedDepthwise(taps: readonly Expr[], weight: Expr, sliding: Sliding, bias?: Expr): Expr {
  const maps = taps.map(asMap);
  const [out = 0, , kh = 0, kw = 0] = weight.shape;
  const shape = slidShape(maps[0]?.shape ?? [], out, [1, kh, kw], sliding);
  return mapExpr({ kind: 'depthwiseTaps', ...sliding }, [...maps, weight, ...(bias ? [bias] : [])], shape, (dy) => [
    ...maps.map((map, k) => depthwiseInputGradient(dy, slice(weight, 1, k, k + 1), sliding, map.shape)),
    concat(
      maps.map((map) => depthwiseWeightGradient(dy, map, sliding, [out, 1, kh, kw])),
      1,
    ),
    sum(channelSum(dy), [0], [out]),
  ]);
}

export const depthwiseOperator = operator('depthwise', {
  emit: emitDepthwise,
  nchwc: {
    emit: (c, node, { activation }) => {
      const [x = node, weight = node] = node.inputs;
      const from = c.mapWith(x, 1);
      const w = weightOf(c, weight);
      const options = optionsOf(c, node, activation);
      const seen = tapPicks(w.kernel[0], node.op, options.size.frames).map((pick) => picked(c.layout, from, pick));
      return byExpansion(c.layout, seen, from.lanes, w, options);
    },
    activation: 'once',
  },
  expanded: (node) => ({ map: node, times: (node.shape[2] ?? 1) / (node.inputs[0]?.shape[2] ?? 1) }),
  macs: ({ op, inputs: [, weight], shape }) => {
    const [kt, kh, kw] = kernelOf(weight?.shape ?? []);
    return op.pooling ? 0 : sizeOf(shape) * (kt + (op.unseenTaps ?? 0)) * kh * kw;
  },
});

export const depthwiseTapsOperator = operator('depthwiseTaps', {
  emit: emitTaps,
  nchwc: { emit: (c, node, { activation }) => tapsNchwc(c, node, activation), activation: 'once' },
  expanded: (node) => ({ map: node, times: (node.shape[2] ?? 1) / (node.inputs[0]?.shape[2] ?? 1) }),
  macs: ({ inputs, shape }) => sizeOf(shape) * sizeOf(inputs.find(({ isMap }) => !isMap)?.shape.slice(1) ?? []),
});

function emitDepthwise(e: Emitter, { op, inputs, shape }: Node<'depthwise'>, names: readonly string[]): string {
  const [x = '', weight = '', ...bias] = names;
  const [from = [], weights = []] = inputs.map((operand) => operand.shape);
  const { clips, channels } = mapSize(from, op.kind);
  const [kt, ...kernel] = kernelOf(weights);
  const attributes = { group: channels, ...spatialAttributes(kernel, op) };
  const picks = tapPicks(kt, op, shape[0] ?? 0);
  const biased = Math.max(0, picks.findIndex(({ first }) => first === 0)); // biome-ignore format: one line
  const parts = picks.map((pick, k) => {
    const operands = [pickFrames(e, images(e, x, from), pick, clips, imageShape(from)), tapKernel(e, weight, weights, k)];
    return e.node('Conv', k === biased ? [...operands, ...bias] : operands, attributes);
  });
  return e.reshape(sumOf(e, parts), shape);
}

function emitTaps(e: Emitter, { op, inputs, shape }: Node<'depthwiseTaps'>, names: readonly string[]): string {
  const taps = inputs.filter(({ isMap }) => isMap).length;
  const [from, weight] = [inputs[0]?.shape ?? [], inputs[taps]?.shape ?? []];
  const { channels } = mapSize(from, op.kind);
  const attributes = { group: channels, ...spatialAttributes(kernelOf(weight).slice(1), op) };
  const bias = names.slice(taps + 1);
  const parts = names.slice(0, taps).map((x, k) => {
    const operands = [images(e, x, from), tapKernel(e, names[taps] ?? '', weight, k)];
    return e.node('Conv', k === 0 ? [...operands, ...bias] : operands, attributes);
  });
  return e.reshape(sumOf(e, parts), shape);
}

interface DepthwiseOptions {
  readonly sliding: Sliding;
  /** Of the result. */
  readonly size: MapSize;
  readonly bias?: string | undefined;
  readonly activation?: Activation | undefined;
}

function optionsOf(
  c: NchwcLowering,
  node: Node<'depthwise' | 'depthwiseTaps'>,
  activation: Activation | undefined,
): DepthwiseOptions {
  const [, bias] = node.inputs.filter(({ isMap }) => !isMap);
  return { sliding: node.op, size: mapSize(node.shape, node.op.kind), bias: bias && c.standard(bias), activation };
}

/** Up to this size a copy costs less than a node. */
const smallMap = 1 << 14;

/** Small maps: repeat the input, one Conv per tap. */
function tapsNchwc(c: NchwcLowering, node: Node<'depthwiseTaps'>, activation: Activation | undefined): BlockedMap {
  const { e, layout } = c;
  const maps = node.inputs.filter(({ isMap }) => isMap).map((x) => c.mapWith(x, 1));
  const w = weightOf(c, node.inputs[maps.length] ?? node);
  const options = optionsOf(c, node, activation);
  const [first] = maps;
  const names = maps.map(({ name }) => name);
  if (first && sizeOf(layout.nominal(first)) > smallMap) return byExpansion(layout, names, first.lanes, w, options);
  const expand = w.out / (first?.size.channels ?? 1);
  const lanes = { channels: w.out, expand };
  const kernels = blockedKernels(layout, w, expand);
  const join = (parts: readonly string[], axis: number) =>
    parts.length === 1 && parts[0] ? parts[0] : e.node('Concat', parts, { axis });
  const repeated = names.map((name) => join(Array<string>(expand).fill(name), 1));
  const wide = repeated.map((_, tap) => join(kernels.map((row) => row[tap] ?? ''), 0)); // biome-ignore format: one line
  const bias = options.bias ? { bias: layout.toLanes(options.bias, [], lanes) } : {};
  const start = { ...spaceOf(options.sliding), ...bias };
  const name = sumOfTaps(layout, repeated, wide, layout.width(lanes), w, start, activation);
  return { name, size: options.size, lanes };
}

/** One Conv per expansion and tap; `from`: the lanes of the maps that the taps see. */
function byExpansion(
  layout: BlockedLayout,
  taps: readonly string[],
  from: Lanes,
  w: DepthwiseWeight,
  { size, bias, activation, sliding }: DepthwiseOptions,
): BlockedMap {
  const expand = w.out / from.channels;
  const lanes = { channels: w.out, expand };
  const biases = bias ? pieces(layout.e, layout.toLanes(bias, [], lanes), 0, expand, layout.width(from)) : [];
  const space = spaceOf(sliding);
  const parts = blockedKernels(layout, w, expand).map((row, k) =>
    sumOfTaps(layout, taps, row, layout.width(from), w, { ...space, ...(biases[k] && { bias: biases[k] }) }, activation),
  );
  const name = parts.length === 1 && parts[0] ? parts[0] : layout.e.node('Concat', parts, { axis: 1 });
  return { name, size, lanes };
}

/** Accumulates into one output: bias with the first, activation with the last. */
function sumOfTaps(
  layout: BlockedLayout,
  maps: readonly string[],
  kernels: readonly string[],
  lanes: number,
  { kernel: [, kh, kw] }: DepthwiseWeight,
  { bias, ...space }: SpaceOptions,
  activation: Activation | undefined,
): string {
  let y: string | undefined;
  maps.forEach((map, i) => {
    const start = y === undefined ? { ...(bias !== undefined && { bias }) } : { addend: y };
    const end = activation && i === maps.length - 1 ? { activation } : {};
    y = layout.conv([map, kernels[i] ?? ''], [kh, kw], lanes, { ...space, ...start, ...end });
  });
  return y ?? '';
}

const spaceOf = ({ stride, pads }: Sliding): SpaceOptions => ({
  stride: [stride[1], stride[2]],
  pads: [pads[1], pads[2], pads[4], pads[5]],
});

type SpaceOptions = Pick<ConvOptions, 'stride' | 'pads' | 'bias'>;
