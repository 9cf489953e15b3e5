/** Operators that move elements or add them up: reshape, transpose, slice, concat, broadcast, sum. */

import { type Expr, expr, filled } from './expr.js';
import { need, type Shape, sameShape, showShape, sizeOf } from './shape.js';

/** The same elements in the same order under another shape. */
export function reshape(x: Expr, shape: Shape): Expr {
  need(sizeOf(shape) === sizeOf(x.shape), `reshape: cannot become ${showShape(shape)}`, x.shape);
  if (sameShape(x.shape, shape)) return x;
  return expr({ kind: 'reshape' }, [x], shape, (dy) => [reshape(dy, x.shape)]);
}

/** The same elements along one axis. */
export const flatten = (x: Expr): Expr => reshape(x, [sizeOf(x.shape)]);

/** Axes in a new order: axis i of the result is axis order[i] of x. */
export function transpose(x: Expr, order: readonly number[]): Expr {
  need(
    order.length === x.shape.length && new Set(order).size === order.length,
    `transpose: [${order}] is no order of the axes`,
    x.shape,
  );
  const back = order.map((_, i) => order.indexOf(i));
  const shape = order.map((axis) => x.shape[axis] ?? 0);
  const isMap = x.isMap && order[1] === 1 && order[2] === 2;
  return expr({ kind: 'transpose', order }, [x], shape, (dy) => [transpose(dy, back)], isMap);
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

/** Tensors one after the other along an axis. */
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

/** Sums over the axes; `shape` is that of the result (by default the summed axes stay, with one element). */
export function sum(x: Expr, axes: readonly number[], shape?: Shape): Expr {
  const kept = x.shape.map((size, i) => (axes.includes(i) ? 1 : size));
  const summed = axes.length === 0 ? x : expr({ kind: 'sum', axes }, [x], kept, (dy) => [broadcast(dy, x.shape)]);
  return reshape(summed, shape ?? kept);
}

/** The sum of all elements, []. */
export function sumAll(x: Expr): Expr {
  return sum(
    x,
    x.shape.map((_, i) => i),
    [],
  );
}

/** Repeats axes of one element until the tensor has this shape (of equal rank). */
export function broadcast(x: Expr, shape: Shape): Expr {
  const fits = x.shape.length === shape.length && x.shape.every((size, i) => size === 1 || size === shape[i]);
  need(fits, `broadcast: does not become ${showShape(shape)}`, x.shape);
  if (sameShape(x.shape, shape)) return x;
  const axes = shape.flatMap((size, i) => (size !== x.shape[i] ? [i] : []));
  return expr({ kind: 'broadcast' }, [x], shape, (dy) => [sum(dy, axes)]);
}
