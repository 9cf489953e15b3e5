/** Per-channel scale and shift of a map [T, B, C, H, W], and their gradients; closed under differentiation, one pass each. */

import { asMap, type Expr, expr, filled, mapExpr } from '../expr.js';
import type { BlockedMap, Epilogue } from '../lowering/blockedLayout.js';
import type { Emitter } from '../lowering/emitter.js';
import { mapSize, need, type Shape } from '../shape.js';
import { add, mul } from './arithmetic.js';
import { type NchwcLowering, type Node, operator } from './operator.js';
import { sum } from './reduction.js';

declare module '../expr.js' {
  interface Ops {
    channelAffine: object;
    channelSum: object;
    channelDot: object;
  }
}

/** scale * x + shift with scale and shift [1, C] (one for all clips) or [B, C]. Chains of them are merged into one. */
export function channelAffine(map: Expr, scale: Expr, shift: Expr = filled(0, scale.shape)): Expr {
  const x = asMap(map);
  const { clips, channels } = mapSize(x.shape, 'channelAffine');
  const [inner, innerScale, innerShift] = x.inputs;
  if (x.op.kind === 'channelAffine' && inner && innerScale && innerShift) {
    return channelAffine(inner, mul(innerScale, scale), add(mul(innerShift, scale), shift));
  }
  const rows = Math.max(scale.shape[0] ?? 0, shift.shape[0] ?? 0);
  const fits = (v: Expr) => v.shape.length === 2 && v.shape[1] === channels && (v.shape[0] === 1 || v.shape[0] === clips);
  need(
    fits(scale) && fits(shift),
    `channelAffine: ${rows} rows for [B|1, C] = [${clips}, ${channels}]`,
    scale.shape,
    shift.shape,
  );
  return mapExpr({ kind: 'channelAffine' }, [x, scale, shift], x.shape, (dy) => [
    channelAffine(dy, scale),
    overClips(channelDot(dy, x), scale),
    overClips(channelSum(dy), shift),
  ]);
}

/** Sums [B, C] over clips where the operand had one row for all of them. */
const overClips = (perClip: Expr, like: Expr): Expr => (like.shape[0] === 1 ? sum(perClip, [0]) : perClip);

/** Sum over frames and positions, [B, C]. */
export function channelSum(map: Expr): Expr {
  const x = asMap(map);
  const { clips, channels } = mapSize(x.shape, 'channelSum');
  return expr({ kind: 'channelSum' }, [x], [clips, channels], (dy) => [channelAffine(x, filled(0, dy.shape), dy)]);
}

/** Sum over frames and positions of x * y, [B, C]. */
export function channelDot(a: Expr, b: Expr): Expr {
  const [x, y] = [asMap(a), asMap(b)];
  const { clips, channels } = mapSize(x.shape, 'channelDot');
  need(x.shape.join() === y.shape.join(), 'channelDot: maps differ', x.shape, y.shape);
  return expr({ kind: 'channelDot' }, [x, y], [clips, channels], (dy) => [channelAffine(y, dy), channelAffine(x, dy)]);
}

/** Mean over frames and positions, [B, C]. */
export function globalAverage(x: Expr): Expr {
  const { frames, height, width } = mapSize(x.shape, 'globalAverage');
  return mul(channelSum(x), 1 / (frames * height * width));
}

export const channelAffineOperator = operator('channelAffine', {
  emit: emitChannelAffine,
  nchwc: { emit: channelAffineNchwc, activation: 'always', addend: 'always' },
  reach: 'position',
  sharesLanes: true,
});

/** [R, C] -> [R, C, 1, 1], which broadcasts against [T, B, C, H, W]. */
const perChannel = (e: Emitter, x: string, shape: Shape) => e.reshape(x, [...shape, 1, 1]);

function emitChannelAffine(e: Emitter, { inputs }: Node, [x = '', scale = '', shift = '']: readonly string[]): string {
  const [scales = [], shifts = []] = inputs.slice(1).map((operand) => operand.shape);
  const op = inputs[2]?.op;
  const [factor, plus] = [perChannel(e, scale, scales), perChannel(e, shift, shifts)];
  const scaled = e.node('Mul', [x, factor]);
  const nothing = op?.kind === 'constant' && op.data.every((value) => value === 0);
  return nothing ? scaled : e.node('Add', [scaled, plus]);
}

/** A depthwise 1x1 Conv; per-clip scales see clips as channels, [T, B*C, ..], free since T is outermost. */
function channelAffineNchwc(c: NchwcLowering, node: Node<'channelAffine'>, epilogue: Epilogue): BlockedMap {
  const { e, layout } = c;
  const [from = node, scale = node, shift = node] = node.inputs;
  const order = c.lanesOf(node);
  const x = c.mapWith(from, order.expand);
  const { frames, clips, channels, height, width } = x.size;
  const perClip = Math.max(scale.shape[0] ?? 1, shift.shape[0] ?? 1) > 1;
  const lanes = layout.width(x.lanes);
  const [images, all] = perClip ? [frames, clips * lanes] : [frames * clips, lanes];
  const view = [images, all, 1, height * width];
  const vector = (v: string, rows: number, shape: number[]) => {
    const spread = perClip && rows === 1 ? e.node('Expand', [v, e.integers([clips, lanes])]) : v;
    return e.reshape(spread, shape);
  };
  const [factor, plus] = [c.vector(scale, order), c.vector(shift, order)];
  const operands = [e.reshape(x.name, view), vector(factor, scale.shape[0] ?? 1, [all, 1, 1, 1])];
  const options = layout.options(epilogue, vector(plus, shift.shape[0] ?? 1, [all]));
  const addend = epilogue.addend ? { addend: e.reshape(epilogue.addend.name, view) } : {};
  const y = layout.conv(operands, [1, 1], all, { ...options, ...addend });
  return { name: e.reshape(e.hasShape(y, view), layout.nominal(x)), size: { ...x.size, channels }, lanes: x.lanes };
}

export const channelSumOperator = operator('channelSum', {
  emit: (e, { shape }, [x = '']) => e.reshape(e.sum(x, [0, 3, 4]), shape),
  reads: {
    emit: (c, node) => {
      const { e, layout } = c;
      const x = c.map(node.inputs[0] ?? node);
      const { frames, clips, height, width } = x.size;
      const lanes = layout.width(x.lanes);
      const total = layout.sumOfRows(layout.globalPool('GlobalAveragePool', x.name), frames, clips * lanes, height * width);
      return layout.fromLanes(e.reshape(total, [clips, lanes]), [clips], x.lanes);
    },
  },
  reach: 'sum',
});

export const channelDotOperator = operator('channelDot', {
  emit: (e, { shape }, names) => e.reshape(e.sum(e.node('Mul', names), [0, 3, 4]), shape),
  reads: { emit: channelDotNchwc },
  reach: 'sum',
  sharesLanes: true,
});

/** A depthwise Conv whose kernel is the other map. */
function channelDotNchwc(c: NchwcLowering, { inputs: [a, b] }: Node): string {
  const { e, layout } = c;
  const x = c.map(a as Expr);
  const y = c.mapWith(b as Expr, x.lanes.expand);
  const { frames, clips, height, width } = x.size;
  const lanes = layout.width(x.lanes);
  const all = frames * clips * lanes;
  const view = e.reshape(x.name, [1, all, height, width]);
  const kernel = e.reshape(y.name, [all, 1, height, width]);
  const dots = layout.conv([view, kernel], [height, width], all);
  const total = layout.sumOfRows(dots, frames, clips * lanes);
  return layout.fromLanes(e.reshape(total, [clips, lanes]), [clips], x.lanes);
}
