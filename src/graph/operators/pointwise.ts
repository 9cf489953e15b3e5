/** Mixing channels at each position of a map, a 1x1x1 convolution, and the products of channels that are its gradient. */

import { asMap, constant, type Expr, expr, mapExpr } from '../expr.js';
import type { BlockedLayout, BlockedMap, Epilogue, Lanes } from '../lowering/blockedLayout.js';
import type { Emitter } from '../lowering/emitter.js';
import { mapSize, need, type Shape, sizeOf } from '../shape.js';
import { mul } from './arithmetic.js';
import { channelSum } from './channelAffine.js';
import { images } from './images.js';
import { type NchwcLowering, type Node, operator } from './operator.js';
import { sum } from './reduction.js';
import { reshape } from './reshape.js';
import { exponentials } from './spatialSoftmax.js';
import { transpose } from './transpose.js';

declare module '../expr.js' {
  interface Ops {
    pointwise: { readonly perClip: boolean; readonly groups: number };
    channelInnerProducts: { readonly perClip: boolean; readonly groups: number };
  }
}

/**
 * A 1x1 convolution: weight [O, C], or [B, O, C] with one matrix a clip; bias [O] if any. With groups the weight is [O, C / groups], or
 * already [.., O, C] with zeros outside each group. -> [T, B, O, H, W]
 */
export function pointwise(map: Expr, kernel: Expr, bias?: Expr, groups = 1): Expr {
  const narrow = kernel.shape.length === 2 && kernel.shape[1] !== map.shape[2];
  const weight = narrow ? blockDiagonal(kernel, groups) : kernel;
  const x = asMap(map);
  const { frames, clips, channels, height, width } = mapSize(x.shape, 'pointwise');
  const perClip = weight.shape.length === 3;
  const [out = 0, into = 0] = weight.shape.slice(-2);
  need(into === channels && (!perClip || weight.shape[0] === clips), 'pointwise: weight', weight.shape, x.shape);
  const flipped = transpose(weight, perClip ? [0, 2, 1] : [1, 0]);
  const inputs = bias ? [x, weight, bias] : [x, weight];
  return mapExpr({ kind: 'pointwise', perClip, groups }, inputs, [frames, clips, out, height, width], (dy) => [
    pointwise(dy, flipped, undefined, groups),
    channelInnerProducts(dy, x, perClip, groups),
    sum(channelSum(dy), [0], [out]),
  ]);
}

/**
 * Products of channels summed over frames and positions: y [T,B,O,H,W], x [T,B,C,H,W] -> [O, C], or per clip [B, O, C]. With groups only
 * products within a group are wanted of the result.
 */
export function channelInnerProducts(left: Expr, right: Expr, perClip: boolean, groups = 1): Expr {
  const [y, x] = [asMap(left), asMap(right)];
  const a = mapSize(y.shape, 'channelInnerProducts');
  const b = mapSize(x.shape, 'channelInnerProducts');
  need(
    a.frames === b.frames && a.clips === b.clips && a.height === b.height,
    'channelInnerProducts: maps differ',
    y.shape,
    x.shape,
  );
  const shape = perClip ? [a.clips, a.channels, b.channels] : [a.channels, b.channels];
  return expr({ kind: 'channelInnerProducts', perClip, groups }, [y, x], shape, (dy) => [
    pointwise(x, dy),
    pointwise(y, transpose(dy, perClip ? [0, 2, 1] : [1, 0])),
  ]);
}

/** A block-diagonal matrix [O, I] from grouped weights [O, I / groups]: a grouped 1x1 convolution as a dense one. */
export function blockDiagonal(weight: Expr, groups: number): Expr {
  if (groups === 1) return weight;
  const [out = 0, into = 0] = weight.shape;
  const each = out / groups;
  const mask = Float32Array.from({ length: out * groups }, (_, i) =>
    Math.floor(Math.floor(i / groups) / each) === i % groups ? 1 : 0,
  );
  const wide = mul(reshape(weight, [out, 1, into]), constant(mask, [out, groups, 1])); // [O, groups, I / groups]
  return reshape(wide, [out, groups * into]);
}

export const pointwiseOperator = operator('pointwise', {
  emit: emitPointwise,
  nchwc: { emit: pointwiseNchwc, activation: 'once', addend: 'once' },
  reach: 'position',
  macs: ({ op, inputs: [x], shape }) => (sizeOf(shape) * (x?.shape[2] ?? 0)) / op.groups,
});

function emitPointwise(e: Emitter, { op, inputs, shape }: Node<'pointwise'>, names: readonly string[]): string {
  const [x = '', weight = '', bias] = names;
  const from = inputs[0]?.shape ?? [];
  const { frames, clips, channels, height, width } = mapSize(from, 'pointwise');
  if (inputs[1]?.op.kind === 'constant' && !op.perClip) return emitConstantPointwise(e, names, from, shape);
  const rows = e.reshape(x, [frames, clips, channels, height * width]);
  const y = e.reshape(e.node('MatMul', [weight, rows]), shape);
  return bias ? e.node('Add', [y, e.reshape(bias, [shape[2] ?? 0, 1, 1])]) : y;
}

/** With weights known beforehand ONNX Runtime packs a convolution's once, and merges it with the activation that follows. */
function emitConstantPointwise(e: Emitter, [x = '', weight = '', ...bias]: readonly string[], from: Shape, to: Shape): string {
  const { channels } = mapSize(from, 'pointwise');
  const kernel = e.reshape(weight, [to[2] ?? 0, channels, 1, 1]);
  return e.reshape(e.node('Conv', [images(e, x, from), kernel, ...bias], { kernel_shape: [1, 1] }), to);
}

/** With a matrix a clip it is a 1x1 Conv with one group a clip. */
function pointwiseNchwc(c: NchwcLowering, node: Node<'pointwise'>, epilogue: Epilogue): BlockedMap {
  const { e, layout } = c;
  const [from = node, kernel = node, bias] = node.inputs;
  const [weight, vector] = [c.standard(kernel), bias && c.standard(bias)];
  const x = c.map(from);
  const { frames, clips, height, width } = x.size;
  const { perClip } = node.op;
  const groups = perClip ? clips : 1;
  const out = c.lanesOf(node);
  const fit = (name: string, channels: number) =>
    groups > 1 ? e.reshape(name, [frames, groups * channels, height, width]) : name;
  const [rows, columns] = [layout.width(out), layout.width(x.lanes)];
  const matrix = matrixLanes(layout, weight, out, x.lanes, perClip ? [clips] : []);
  const blocks = layout.matrixKernel(matrix, groups, rows, columns);
  const wide = vector && repeated(e, layout.toLanes(vector, [], out), groups);
  const { addend } = epilogue;
  const options = { ...layout.options(epilogue, wide), ...(addend && { addend: fit(addend.name, rows) }) };
  const y = layout.conv([fit(x.name, columns), blocks], [1, 1], groups, options);
  e.hasShape(y, [(frames * clips) / groups, groups * rows, height, width]);
  const map = { name: y, size: { ...x.size, channels: out.channels }, lanes: out };
  return { ...map, name: e.reshape(y, layout.nominal(map)) };
}

/** A matrix [.., O, C] with both axes laid out in lanes. */
function matrixLanes(layout: BlockedLayout, weight: string, rows: Lanes, columns: Lanes, lead: readonly number[]): string {
  const { e } = layout;
  const swap = lead.length ? [0, 2, 1] : [1, 0];
  const wide = layout.toLanes(weight, [...lead, rows.channels], columns); // [.., O, C lanes]
  if (rows.expand === 1) {
    const zeros = [...lead.map(() => 0), 0, 0];
    return e.pad(wide, zeros, [...lead.map(() => 0), layout.width(rows) - rows.channels, 0]);
  }
  return e.transpose(layout.toLanes(e.transpose(wide, swap), [...lead, layout.width(columns)], rows), swap);
}

const repeated = (e: Emitter, x: string, times: number): string =>
  times === 1 ? x : e.node('Concat', Array<string>(times).fill(x), { axis: 0 });

export const channelInnerProductsOperator = operator('channelInnerProducts', {
  emit: emitChannelInnerProducts,
  reads: { emit: channelInnerProductsNchwc },
  reach: 'sum',
  macs: ({ op, inputs: [y, x] }) => (sizeOf(y?.shape ?? []) * (x?.shape[2] ?? 0)) / op.groups,
});

function emitChannelInnerProducts(
  e: Emitter,
  { op, inputs }: Node<'channelInnerProducts'>,
  [y = '', x = '']: readonly string[],
): string {
  const [a, b] = [
    mapSize(inputs[0]?.shape ?? [], 'channelInnerProducts'),
    mapSize(inputs[1]?.shape ?? [], 'channelInnerProducts'),
  ];
  const left = e.reshape(y, [a.frames, a.clips, a.channels, a.height * a.width]);
  const right = e.transpose(e.reshape(x, [b.frames, b.clips, b.channels, b.height * b.width]), [0, 1, 3, 2]);
  return e.sum(e.node('MatMul', [left, right]), op.perClip ? [0] : [0, 1], false);
}

/** Where attention over positions only weights a sum, the few sums of exponentials are divided, not the whole map. */
function channelInnerProductsNchwc(c: NchwcLowering, { op, inputs: [y, x] }: Node<'channelInnerProducts'>): string {
  const [left, right] = [y as Expr, x as Expr];
  const [scores] = left.inputs;
  if (left.op.kind !== 'spatialSoftmax' || !scores || !op.perClip || c.usersOf(left).length > 1)
    return blockedGram(c.layout, c.map(left), c.map(right), op.perClip);
  const { exps, scale } = exponentials(c.layout, c.mapWith(scores, 1));
  return c.e.node('Mul', [blockedGram(c.layout, exps, c.map(right), true), scale]);
}

function blockedGram(layout: BlockedLayout, y: BlockedMap, x: BlockedMap, perClip: boolean): string {
  const { e } = layout;
  const flip = perClip ? [0, 2, 1] : [1, 0];
  const [outer, inner] = [layout.width(y.lanes), layout.width(x.lanes)];
  if (outer > inner) return e.transpose(blockedGram(layout, x, y, perClip), flip); // the narrow side first is faster
  const lead = perClip ? [x.size.clips] : [];
  const wide = perClip ? productsPerClip(layout, y, x) : products(layout, y, x); // [B?, O lanes, C lanes]
  const columns = layout.fromLanes(wide, [...lead, outer], x.lanes);
  if (y.lanes.expand === 1 && outer === y.size.channels) return columns;
  const turned = layout.fromLanes(e.transpose(columns, flip), [...lead, x.size.channels], y.lanes);
  return e.transpose(turned, flip);
}

function products(layout: BlockedLayout, y: BlockedMap, x: BlockedMap): string {
  const rows = (map: BlockedMap) => layout.e.reshape(layout.lanesLast(map), [-1, layout.width(map.lanes)]);
  return layout.e.node('Gemm', [rows(y), rows(x)], { transA: 1 });
}

/** One product of [O, P] and [P, C] an image: a quarter faster than one that transposes its first operand. */
function productsPerClip(layout: BlockedLayout, y: BlockedMap, x: BlockedMap): string {
  const { frames, clips, height, width } = x.size;
  const positions = height * width;
  const left = layout.e.reshape(layout.lanesFirst(y), [frames, clips, layout.width(y.lanes), positions]);
  const right = layout.e.reshape(layout.lanesLast(x), [frames, clips, positions, layout.width(x.lanes)]);
  const shape = [clips, layout.width(y.lanes), layout.width(x.lanes)];
  return layout.e.reshape(layout.sumOfRows(layout.e.node('MatMul', [left, right]), frames, sizeOf(shape)), shape);
}
