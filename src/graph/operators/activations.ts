import type { Expr } from '../expr.js';
import { add, div, mul } from './arithmetic.js';
import { clip, erf, relu, sigmoid } from './unary.js';

/** relu6(x + 3) / 6, the piecewise linear sigmoid of MobileNetV3. */
export const hardSigmoid = (x: Expr): Expr => clip(add(mul(x, 1 / 6), 0.5), 0, 1);
export const hardSwish = (x: Expr): Expr => mul(x, hardSigmoid(x));
/** The exact GELU, x * Phi(x). */
export const gelu = (x: Expr): Expr => mul(mul(x, 0.5), add(erf(div(x, Math.SQRT2)), 1));
/** x * sigmoid(x), also called swish. */
export const silu = (x: Expr): Expr => mul(x, sigmoid(x));
/** |x| */
export const abs = (x: Expr): Expr => add(relu(x), relu(mul(x, -1)));
