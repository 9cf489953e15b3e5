import { type Expr, expr, filled } from '../expr.js';
import type { BlockedMap } from '../lowering/blockedLayout.js';
import { mapSize, need } from '../shape.js';
import { type NchwcLowering, type Node, operator } from './operator.js';

declare module '../expr.js' {
  interface Ops {
    slice: { readonly axis: number; readonly start: number; readonly end: number };
    concat: { readonly axis: number };
  }
}

/** Elements start (inclusive) to end (exclusive) of one axis. */
export function slice(x: Expr, axis: number, start: number, end: number): Expr {
  const size = x.shape[axis] ?? 0;
  need(start >= 0 && start < end && end <= size, `slice: ${start}..${end} of axis ${axis}`, x.shape);
  if (start === 0 && end === size) return x;
  const resized = (length: number) => x.shape.map((old, i) => (i === axis ? length : old));
  const gradient = (dy: Expr) => {
    const before = start > 0 ? [filled(0, resized(start))] : [];
    const after = end < size ? [filled(0, resized(size - end))] : [];
    return [concat([...before, dy, ...after], axis)];
  };
  return expr({ kind: 'slice', axis, start, end }, [x], resized(end - start), gradient, x.isMap);
}

export function concat(parts: readonly Expr[], axis: number): Expr {
  const [first] = parts;
  if (!first) throw new RangeError('concat: nothing to join');
  if (parts.length === 1) return first;
  for (const part of parts) {
    const fits = part.shape.length === first.shape.length && part.shape.every((size, i) => i === axis || size === first.shape[i]);
    need(fits, `concat along axis ${axis}: shapes differ`, first.shape, part.shape);
  }
  const total = parts.reduce((length, part) => length + (part.shape[axis] ?? 0), 0);
  const shape = first.shape.map((size, i) => (i === axis ? total : size));
  const gradient = (dy: Expr) => {
    let start = 0;
    return parts.map((part) => {
      const end = start + (part.shape[axis] ?? 0);
      const piece = slice(dy, axis, start, end);
      start = end;
      return piece;
    });
  };
  return expr({ kind: 'concat', axis }, parts, shape, gradient, parts.some(({ isMap }) => isMap)); // biome-ignore format: one line
}

/** Whole frames: images one after the other in memory. */
const ofFrames = (c: NchwcLowering, { op, inputs }: Node<'slice' | 'concat'>): boolean =>
  op.axis === 0 && inputs.some((x) => c.isNchwc(x));

export const sliceOperator = operator<'slice'>('slice', {
  emit: (e, { op }, [x = '']) => e.slice(x, op.axis, op.start, op.end),
  nchwc: { suits: ofFrames, emit: framesOf },
  sharesLanes: true,
});

function framesOf(c: NchwcLowering, node: Node<'slice'>): BlockedMap {
  const { op, inputs, shape } = node;
  const lanes = c.lanesOf(node);
  const [x = node] = inputs;
  const from = c.mapWith(x, lanes.expand);
  const size = mapSize(shape, op.kind);
  const all = c.usersOf(x).filter((user) => user.op.kind === 'slice');
  if (size.frames === 1 && all.length === from.size.frames) {
    const frames = c.e.split(from.name, 0, Array<number>(all.length).fill(size.clips));
    return { name: frames[op.start] ?? '', size, lanes };
  }
  return { name: c.e.slice(from.name, 0, op.start * size.clips, op.end * size.clips), size, lanes };
}

export const concatOperator = operator<'concat'>('concat', {
  emit: (e, { op }, names) => e.node('Concat', names, { axis: op.axis }),
  nchwc: {
    suits: ofFrames,
    emit: (c, node) => {
      const lanes = c.lanesOf(node);
      const maps = node.inputs.map((x) => c.mapWith(x, lanes.expand).name);
      return { name: c.e.node('Concat', maps, { axis: 0 }), size: mapSize(node.shape, 'concat'), lanes };
    },
  },
  sharesLanes: true,
});
