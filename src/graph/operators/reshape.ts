import { type Expr, expr } from '../expr.js';
import { need, type Shape, sameShape, showShape, sizeOf } from '../shape.js';
import { operator } from './operator.js';

declare module '../expr.js' {
  interface Ops {
    reshape: object;
  }
}

export function reshape(x: Expr, shape: Shape): Expr {
  need(sizeOf(shape) === sizeOf(x.shape), `reshape: cannot become ${showShape(shape)}`, x.shape);
  if (sameShape(x.shape, shape)) return x;
  return expr({ kind: 'reshape' }, [x], shape, (dy) => [reshape(dy, x.shape)]);
}

/** The same elements along one axis. */
export const flatten = (x: Expr): Expr => reshape(x, [sizeOf(x.shape)]);

export const reshapeOperator = operator('reshape', { emit: (e, { shape }, [x = '']) => e.reshape(x, shape) });
