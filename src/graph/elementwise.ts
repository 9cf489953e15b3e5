/** Operators that treat every element alike, with NumPy's broadcasting, and the activations made of them. */

import { sum } from './arrange.js';
import { type Expr, expr, type OpKind, scalar } from './expr.js';
import { broadcastShape, type Shape, sameShape } from './shape.js';

type Operand = Expr | number;
type BinaryKind = Extract<OpKind, 'add' | 'sub' | 'mul' | 'div'>;
type UnaryKind = Extract<OpKind, 'relu' | 'step' | 'exp' | 'log' | 'sqrt' | 'erf'>;

const asExpr = (x: Operand): Expr => (typeof x === 'number' ? scalar(x) : x);

function binary(kind: BinaryKind, x: Operand, y: Operand, partial: (dy: Expr, a: Expr, b: Expr) => [Expr, Expr]): Expr {
  const a = asExpr(x);
  const b = asExpr(y);
  const gradient = (dy: Expr) => {
    const [da, db] = partial(dy, a, b);
    return [sumTo(da, a.shape), sumTo(db, b.shape)];
  };
  const shape = broadcastShape(a.shape, b.shape, kind);
  return expr({ kind }, [a, b], shape, gradient, shape.length === 5 && (a.isMap || b.isMap));
}

function unary(kind: UnaryKind, x: Expr, partial: (dy: Expr, y: Expr) => Expr | undefined): Expr {
  const y: Expr = expr({ kind }, [x], x.shape, (dy) => [partial(dy, y)], x.isMap);
  return y;
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

export const exp = (x: Expr): Expr => unary('exp', x, (dy, y) => mul(dy, y));
export const log = (x: Expr): Expr => unary('log', x, (dy) => div(dy, x));
export const sqrt = (x: Expr): Expr => unary('sqrt', x, (dy, y) => div(dy, mul(y, 2)));
/** max(x, 0); its slope at 0 is 0. */
export const relu = (x: Expr): Expr => unary('relu', x, (dy) => mul(dy, step(x)));
/** 1 where x > 0, else 0. Has no gradient. */
export const step = (x: Expr): Expr => unary('step', x, () => undefined);
/** The error function. */
export const erf = (x: Expr): Expr => unary('erf', x, (dy) => mul(dy, mul(exp(mul(mul(x, x), -1)), 2 / Math.sqrt(Math.PI))));

/** x held between two bounds; its slope is 0 at and beyond them. */
export function clip(x: Expr, low: number, high: number): Expr {
  const gradient = (dy: Expr) => [mul(mul(dy, step(sub(x, low))), step(sub(high, x)))];
  return expr({ kind: 'clip', low, high }, [x], x.shape, gradient, x.isMap);
}

/** min(max(x, 0), 6). Its gradient is read off its own output, which lies between the bounds exactly where x does. */
export function relu6(x: Expr): Expr {
  const gradient = (dy: Expr) => [mul(mul(dy, step(y)), step(sub(6, y)))];
  const y: Expr = expr({ kind: 'clip', low: 0, high: 6 }, [x], x.shape, gradient, x.isMap);
  return y;
}

/** relu6(x + 3) / 6, the piecewise linear sigmoid of MobileNetV3. */
export const hardSigmoid = (x: Expr): Expr => clip(add(mul(x, 1 / 6), 0.5), 0, 1);
export const hardSwish = (x: Expr): Expr => mul(x, hardSigmoid(x));
/** The exact GELU, x * Phi(x). */
export const gelu = (x: Expr): Expr => mul(mul(x, 0.5), add(erf(div(x, Math.SQRT2)), 1));
