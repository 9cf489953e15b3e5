/** Matrix products, softmax and layer norm: what the tokens are made of. */

import { broadcast, reshape, sum } from './arrange.js';
import { add, div, exp, mul, sqrt, sub } from './elementwise.js';
import { constant, type Expr, expr } from './expr.js';
import { need, sizeOf } from './shape.js';

interface ProductOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly groups?: number;
  /** Weights that are fixed and only average: not counted as multiply-adds. */
  readonly pooling?: boolean;
}

/**
 * Matrix product over the last two axes, each operand transposed on request. Leading axes must be equal, or b has none:
 * [.., n, k] x [.., k, m] or [.., n, k] x [k, m] -> [.., n, m]. With groups all but one in so many of the products is with a zero.
 */
export function matmul(a: Expr, b: Expr, options: ProductOptions = {}): Expr {
  const { transposeA = false, transposeB = false, groups = 1, pooling = false } = options;
  if (b.shape.length === 2 && a.shape.length > 2) return matmulFlat(a, b, { transposeB, groups, pooling });
  const lead = a.shape.slice(0, -2);
  const [n, k] = lastTwo(a, transposeA);
  const [k2, m] = lastTwo(b, transposeB);
  need(k === k2 && lead.join() === b.shape.slice(0, -2).join(), 'matmul: sizes do not fit', a.shape, b.shape);
  return expr({ kind: 'matmul', transposeA, transposeB, groups, pooling }, [a, b], [...lead, n, m], (dy) => [
    transposeA ? matmul(b, dy, { transposeA: transposeB, transposeB: true }) : matmul(dy, b, { transposeB: !transposeB }),
    transposeB ? matmul(dy, a, { transposeA: true, transposeB: transposeA }) : matmul(a, dy, { transposeA: !transposeA }),
  ]);
}

function lastTwo(x: Expr, swap: boolean): [number, number] {
  const [rows = 0, columns = 0] = x.shape.slice(-2);
  return swap ? [columns, rows] : [rows, columns];
}

/** A weight matrix shared by all leading axes: one product with the rows laid end to end. */
function matmulFlat(a: Expr, b: Expr, options: ProductOptions): Expr {
  const columns = a.shape.at(-1) ?? 0;
  const rows = reshape(a, [sizeOf(a.shape) / columns, columns]);
  const y = matmul(rows, b, options);
  return reshape(y, [...a.shape.slice(0, -1), y.shape[1] ?? 0]);
}

/** x W^T + b, x [.., in], weight [out, in], bias [out]; one product with the rows of x laid end to end. */
export function linear(x: Expr, weight: Expr, bias: Expr): Expr {
  const into = x.shape.at(-1) ?? 1;
  const rows = reshape(x, [sizeOf(x.shape) / into, into]);
  const y = add(matmul(rows, weight, { transposeB: true }), bias);
  return reshape(y, [...x.shape.slice(0, -1), ...bias.shape]);
}

/** Fixed combinations of rows: weights [n, m], row by row, of x [m, C] -> [n, C]. A kind of pooling. */
export function mixRows(weights: readonly number[], x: Expr): Expr {
  const [rows = 1] = x.shape;
  return matmul(constant(weights, [weights.length / rows, rows]), x, { pooling: true });
}

/** Softmax over the last axis. */
export function softmax(x: Expr): Expr {
  const last = x.shape.length - 1;
  const y: Expr = expr({ kind: 'softmax' }, [x], x.shape, (dy) => [mul(y, sub(dy, sum(mul(dy, y), [last])))]);
  return y;
}

/** log(softmax(x)) over the last axis. */
export function logSoftmax(x: Expr): Expr {
  const last = x.shape.length - 1;
  const y: Expr = expr({ kind: 'logSoftmax' }, [x], x.shape, (dy) => [sub(dy, mul(exp(y), sum(dy, [last])))]);
  return y;
}

/** Layer norm over the last axis with scale and shift [d]. */
export function layerNorm(x: Expr, scale: Expr, shift: Expr, epsilon = 1e-5): Expr {
  const last = x.shape.length - 1;
  const width = x.shape[last] ?? 1;
  need(scale.shape.join() === `${width}` && shift.shape.join() === `${width}`, 'layerNorm: scale', scale.shape, x.shape);
  const mean = (v: Expr) => mul(sum(v, [last]), 1 / width);
  return expr({ kind: 'layerNorm', epsilon }, [x, scale, shift], x.shape, (dy) => {
    const centred = sub(x, broadcast(mean(x), x.shape));
    const deviation = sqrt(add(mean(mul(centred, centred)), epsilon));
    const unit = div(centred, deviation);
    const flow = mul(dy, scale);
    const dx = div(sub(sub(flow, mean(flow)), mul(unit, mean(mul(flow, unit)))), deviation);
    const rows = x.shape.map((_, i) => i).slice(0, -1);
    return [dx, sum(mul(dy, unit), rows, [width]), sum(dy, rows, [width])];
  });
}
