import { type Expr, expr } from '../expr.js';
import { need, type Shape, sameShape, showShape } from '../shape.js';
import { operator } from './operator.js';
import { reshape } from './reshape.js';

declare module '../expr.js' {
  interface Ops {
    sum: { readonly axes: readonly number[] };
    broadcast: object;
  }
}

/** Sums over the axes; `shape` is that of the result (by default the summed axes stay, with one element). */
export function sum(x: Expr, axes: readonly number[], shape?: Shape): Expr {
  const kept = x.shape.map((size, i) => (axes.includes(i) ? 1 : size));
  const summed = axes.length === 0 ? x : expr({ kind: 'sum', axes }, [x], kept, (dy) => [broadcast(dy, x.shape)]);
  return reshape(summed, shape ?? kept);
}

/** The sum of all elements, []. */
export const sumAll = (x: Expr): Expr => sum(x, [...x.shape.keys()], []);

/** Repeats axes of one element until the tensor has this shape (of equal rank). */
export function broadcast(x: Expr, shape: Shape): Expr {
  const fits = x.shape.length === shape.length && x.shape.every((size, i) => size === 1 || size === shape[i]);
  need(fits, `broadcast: does not become ${showShape(shape)}`, x.shape);
  if (sameShape(x.shape, shape)) return x;
  const axes = shape.flatMap((size, i) => (size !== x.shape[i] ? [i] : []));
  return expr({ kind: 'broadcast' }, [x], shape, (dy) => [sum(dy, axes)]);
}

export const sumOperator = operator('sum', { emit: (e, { op }, [x = '']) => e.sum(x, op.axes) });
export const broadcastOperator = operator('broadcast', {
  emit: (e, { shape }, [x = '']) => e.node('Expand', [x, e.integers(shape)]),
});
