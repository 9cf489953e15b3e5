/** Dense and grouped convolutions on maps [T, B, C, H, W]; depthwise and pointwise have faster operators. */

import { asMap, type Expr, mapExpr } from '../expr.js';
import type { BlockedMap, Epilogue } from '../lowering/blockedLayout.js';
import type { Emitter } from '../lowering/emitter.js';
import { mapSize, need, sizeOf } from '../shape.js';
import { channelSum } from './channelAffine.js';
import { convolutionInputGradient, convolutionWeightGradient } from './convolutionGradients.js';
import {
  blockKernels,
  denseWeight,
  type Grouped,
  groupsAreBlocks,
  passes,
  plainKernels,
  sideBySide,
  tapsOf,
} from './convolutionKernels.js';
import { slidDepthwise } from './depthwise.js';
import { imageShape, images, pickFrames, spatialAttributes, sumOf } from './images.js';
import { type NchwcLowering, type Node, operator } from './operator.js';
import { pointwise } from './pointwise.js';
import { sum } from './reduction.js';
import { reshape } from './reshape.js';
import { asTriple, type Padding, slidingOf, slidShape, type Triple, tapPicks } from './window.js';

declare module '../expr.js' {
  interface Ops {
    convolution: Grouped;
  }
}

export interface ConvolutionOptions {
  /** A number is the stride in space. */
  readonly stride?: number | Triple;
  readonly groups?: number;
  /** How many frames the kernel looks back from its middle: (kt - 1) / 2 makes it causal. */
  readonly lag?: number;
  readonly padding?: Padding;
  /** [O] */
  readonly bias?: Expr | undefined;
}

/**
 * Cross-correlation with weight [O, C / groups, kt, kh, kw], zero padding of half the kernel by default.
 * -> [ceil(T / st), B, O, ceil(H / sh), ceil(W / sw)]
 */
export function convolution(x: Expr, weight: Expr, options: ConvolutionOptions = {}): Expr {
  const { groups = 1, lag = 0, padding = 'half', bias } = options;
  const { channels } = mapSize(x.shape, 'convolution');
  const [out = 0, into = 0, kt = 0, kh = 0, kw = 0] = weight.shape;
  const fits = weight.shape.length === 5 && into * groups === channels && out % groups === 0;
  need(fits, `convolution in ${groups} groups: weight`, weight.shape, x.shape);
  const stride = asTriple(options.stride ?? 1);
  const sliding = slidingOf(x.shape, [kt, kh, kw], stride, padding, lag);
  if (groups > 1 && into === 1) return slidDepthwise(x, reshape(weight, [out, kt, kh, kw]), sliding, bias);
  if (groups === 1 && [kt, kh, kw, ...stride].every((n) => n === 1)) return pointwise(x, reshape(weight, [out, into]), bias); // biome-ignore format: one line
  const shape = slidShape(x.shape, out, [kt, kh, kw], sliding);
  const op = { ...sliding, groups };
  const map = asMap(x);
  return mapExpr({ kind: 'convolution', ...op }, bias ? [map, weight, bias] : [map, weight], shape, (dy) => [
    convolutionInputGradient(dy, weight, op, x.shape),
    convolutionWeightGradient(dy, map, op, weight.shape),
    sum(channelSum(dy), [0], [out]),
  ]);
}

export const convolutionOperator = operator('convolution', {
  emit: emitConvolution,
  nchwc: {
    suits: (c, { op, inputs: [, weight] }) => groupsAreBlocks(c, weight?.shape ?? [], op.groups),
    emit: convolutionNchwc,
    activation: 'once',
  },
  macs: ({ inputs: [, weight], shape }) => sizeOf(shape) * sizeOf(weight?.shape.slice(1) ?? []),
});

function emitConvolution(e: Emitter, { op, inputs, shape }: Node<'convolution'>, names: readonly string[]): string {
  const [x = '', weight = '', ...bias] = names;
  const [from = [], [out = 0, into = 0, kt = 1, kh = 1, kw = 1] = []] = inputs.map((operand) => operand.shape);
  const attributes = { ...(op.groups > 1 && { group: op.groups }), ...spatialAttributes([kh, kw], op) };
  const picks = tapPicks(kt, op, shape[0] ?? 0);
  const parts = passes([...picks.keys()], op.groups).map((taps, i) => {
    const kernels = tapsOf(e, weight, kt, taps);
    const kernel = taps.length === 1 ? kernels : e.transpose(kernels, [0, 2, 1, 3, 4]);
    const seen = sideBySide(e, x, from, taps.flatMap((tap) => picks[tap] ?? [])); // biome-ignore format: one line
    return e.node('Conv', [seen, e.reshape(kernel, [out, taps.length * into, kh, kw]), ...(i === 0 ? bias : [])], attributes);
  });
  return e.reshape(sumOf(e, parts), shape);
}

/** One Conv for each tap in time, adding into the same output. */
function convolutionNchwc(c: NchwcLowering, node: Node<'convolution'>, { addend, activation }: Epilogue): BlockedMap {
  const { layout } = c;
  const { op, inputs, shape } = node;
  const [, weight = node, bias] = inputs;
  const size = mapSize(shape, op.kind);
  const lanes = { channels: size.channels, expand: 1 };
  const { maps, kernels } = tapsNchwc(c, node);
  const start = bias ? layout.toLanes(c.standard(bias), [], lanes) : undefined;
  const [, , , kh = 1, kw = 1] = weight.shape;
  const [, top, left, , bottom, right] = op.pads;
  const space = { pads: [top, left, bottom, right], stride: [op.stride[1], op.stride[2]] as const };
  let y = addend?.name;
  maps.forEach((map, i) => {
    const first = i === 0 && start ? { bias: start } : {};
    const last = i === maps.length - 1 && activation ? { activation } : {};
    const so = y === undefined ? {} : { addend: y };
    y = layout.conv([map, kernels[i] ?? ''], [kh, kw], op.groups, { ...space, ...first, ...so, ...last });
  });
  return { name: y ?? '', size, lanes };
}

/** Maps with fewer channels than a block are read row-major. */
function tapsNchwc(c: NchwcLowering, { op, inputs: [x, weight], shape }: Node<'convolution'>) {
  const { e, layout } = c;
  const [from, kernel] = [x as Expr, weight as Expr];
  const w = denseWeight(c, kernel, op.groups);
  const picks = tapPicks(kernel.shape[2] ?? 1, op, shape[0] ?? 0);
  const { clips, channels } = mapSize(from.shape, op.kind);
  if (op.groups === 1 && channels < layout.block) {
    const flat = images(e, c.standard(from), from.shape);
    return {
      maps: picks.map((pick) => pickFrames(e, flat, pick, clips, imageShape(from.shape))),
      kernels: plainKernels(layout, w),
    };
  }
  const map = c.mapWith(from, 1);
  return {
    maps: picks.map((pick) => pickFrames(e, map.name, pick, clips, layout.nominal(map))),
    kernels: blockKernels(layout, w, false),
  };
}
