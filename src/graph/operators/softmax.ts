/** Softmax over the last axis, and its logarithm. */

import { type Expr, expr } from '../expr.js';
import { mul, sub } from './arithmetic.js';
import { operator } from './operator.js';
import { sum } from './reduction.js';
import { exp } from './unary.js';

declare module '../expr.js' {
  interface Ops {
    softmax: object;
    logSoftmax: object;
  }
}

export function softmax(x: Expr): Expr {
  const last = x.shape.length - 1;
  const y: Expr = expr({ kind: 'softmax' }, [x], x.shape, (dy) => [mul(y, sub(dy, sum(mul(dy, y), [last])))]);
  return y;
}

/** log(softmax(x)) */
export function logSoftmax(x: Expr): Expr {
  const last = x.shape.length - 1;
  const y: Expr = expr({ kind: 'logSoftmax' }, [x], x.shape, (dy) => [sub(dy, mul(exp(y), sum(dy, [last])))]);
  return y;
}

export const softmaxOperator = operator('softmax', { emit: (e, _, [x = '']) => e.node('Softmax', [x], { axis: -1 }) });

export const logSoftmaxOperator = operator('logSoftmax', {
  emit: (e, { shape }, [x = '']) => {
    if (e.dialect.logSoftmax !== false) return e.node('LogSoftmax', [x], { axis: -1 });
    const lowered = e.node('Sub', [x, e.node('ReduceMax', [x], { axes: [-1], keepdims: 1 })]);
    return e.node('Sub', [lowered, e.node('Log', [e.sum(e.node('Exp', [lowered]), [shape.length - 1])])]);
  },
});
