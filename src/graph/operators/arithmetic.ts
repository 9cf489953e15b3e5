import { type Expr, expr, scalar } from '../expr.js';
import { broadcastShape, type Shape, sameShape } from '../shape.js';
import { elementwise } from './elementwiseEmission.js';
import { operator } from './operator.js';
import { sum } from './reduction.js';

declare module '../expr.js' {
  interface Ops {
    add: object;
    sub: object;
    mul: object;
    div: object;
  }
}

export type Operand = Expr | number;

const asExpr = (x: Operand): Expr => (typeof x === 'number' ? scalar(x) : x);

type Partial = (dy: Expr, a: Expr, b: Expr) => [Expr, Expr];

function binary(kind: 'add' | 'sub' | 'mul' | 'div', x: Operand, y: Operand, partial: Partial): Expr {
  const a = asExpr(x);
  const b = asExpr(y);
  const shape = broadcastShape(a.shape, b.shape, kind);
  const gradient = (dy: Expr) => {
    const [da, db] = partial(dy, a, b);
    return [sumTo(da, a.shape), sumTo(db, b.shape)];
  };
  return expr({ kind }, [a, b], shape, gradient, shape.length === 5 && (a.isMap || b.isMap));
}

/** Sums over the axes along which a tensor of this shape was repeated. */
export function sumTo(x: Expr, shape: Shape): Expr {
  if (sameShape(x.shape, shape)) return x;
  const missing = x.shape.length - shape.length;
  const axes = x.shape.flatMap((size, i) => (i < missing || (shape[i - missing] === 1 && size > 1) ? [i] : []));
  return sum(x, axes, shape);
}

export const add = (a: Operand, b: Operand): Expr => binary('add', a, b, (dy) => [dy, dy]);
export const sub = (a: Operand, b: Operand): Expr => binary('sub', a, b, (dy) => [dy, mul(dy, -1)]);
export const mul = (a: Operand, b: Operand): Expr => binary('mul', a, b, (dy, p, q) => [mul(dy, q), mul(dy, p)]);
export const div = (a: Operand, b: Operand): Expr =>
  binary('div', a, b, (dy, p, q) => [div(dy, q), mul(mul(dy, -1), div(p, mul(q, q)))]);

export const addOperator = operator('add', elementwise('Add'));
export const subOperator = operator('sub', elementwise('Sub'));
export const mulOperator = operator('mul', elementwise('Mul'));
export const divOperator = operator('div', elementwise('Div'));
