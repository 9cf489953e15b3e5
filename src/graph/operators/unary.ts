import { type Expr, expr } from '../expr.js';
import { mapSize } from '../shape.js';
import { div, mul, sub } from './arithmetic.js';
import { elementwise } from './elementwiseEmission.js';
import { operator } from './operator.js';

declare module '../expr.js' {
  interface Ops {
    relu: object;
    step: object;
    exp: object;
    log: object;
    sqrt: object;
    erf: object;
    sigmoid: object;
    softplus: object;
    clip: { readonly low: number; readonly high: number };
  }
}

type Kind = 'relu' | 'step' | 'exp' | 'log' | 'sqrt' | 'erf' | 'sigmoid' | 'softplus';

function unary(kind: Kind, x: Expr, partial: (dy: Expr, y: Expr) => Expr | undefined): Expr {
  const y: Expr = expr({ kind }, [x], x.shape, (dy) => [partial(dy, y)], x.isMap);
  return y;
}

export const exp = (x: Expr): Expr => unary('exp', x, (dy, y) => mul(dy, y));
export const log = (x: Expr): Expr => unary('log', x, (dy) => div(dy, x));
export const sqrt = (x: Expr): Expr => unary('sqrt', x, (dy, y) => div(dy, mul(y, 2)));
/** max(x, 0); its slope at 0 is 0. */
export const relu = (x: Expr): Expr => unary('relu', x, (dy) => mul(dy, step(x)));
/** 1 where x > 0, else 0. Has no gradient. */
export const step = (x: Expr): Expr => unary('step', x, () => undefined);
/** The error function. */
export const erf = (x: Expr): Expr => unary('erf', x, (dy) => mul(dy, mul(exp(mul(mul(x, x), -1)), 2 / Math.sqrt(Math.PI))));
/** 1 / (1 + exp(-x)) */
export const sigmoid = (x: Expr): Expr => unary('sigmoid', x, (dy, y) => mul(dy, mul(y, sub(1, y))));
/** log(1 + exp(x)), finite for any x. */
export const softplus = (x: Expr): Expr => unary('softplus', x, (dy) => mul(dy, sigmoid(x)));

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

/** So steep that any positive float32 above 1e-30 becomes 1: the step function in one pass. */
const steep = { alpha: { float: 1e30 }, beta: { float: 0 } };

/** These may be infinite or undefined in the unused lanes of a block. */
const withoutLanes = ({ emit }: ReturnType<typeof elementwise>) => ({ emit });

export const reluOperator = operator('relu', { ...elementwise('Relu'), activation: () => 'Relu' });
export const expOperator = operator('exp', elementwise('Exp'));
export const logOperator = operator('log', withoutLanes(elementwise('Log')));
export const sqrtOperator = operator('sqrt', withoutLanes(elementwise('Sqrt')));
export const erfOperator = operator('erf', elementwise('Erf'));
export const sigmoidOperator = operator('sigmoid', elementwise('Sigmoid'));
export const softplusOperator = operator('softplus', elementwise('Softplus'));

export const stepOperator = operator('step', {
  emit: (e, _, [x = '']) => e.node('HardSigmoid', [x], steep),
  nchwc: {
    emit: (c, node) => {
      const lanes = c.lanesOf(node);
      const [x = node] = node.inputs;
      return {
        name: c.e.node('HardSigmoid', [c.mapWith(x, lanes.expand).name], steep),
        size: mapSize(node.shape, 'step'),
        lanes,
      };
    },
  },
  reach: 'position',
  sharesLanes: true,
  activation: () => 'Step',
});

export const clipOperator = operator('clip', {
  ...elementwise<'clip'>('Clip', ({ op }) => [op.low, op.high]),
  activation: ({ op: { low, high } }) => ({ low, high }),
});
