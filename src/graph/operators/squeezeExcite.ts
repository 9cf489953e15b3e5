/** Squeeze-and-excitation (Hu et al., CVPR 2018): channels weighed by what the clip shows on average. */

import type { Expr } from '../expr.js';
import { channelAffine, globalAverage } from './channelAffine.js';
import { linear } from './matmul.js';
import { relu, sigmoid } from './unary.js';

/** weight [out, in], bias [out] */
export interface LinearWeights {
  readonly weight: Expr;
  readonly bias: Expr;
}

export interface SqueezeExciteOptions {
  readonly activation?: (x: Expr) => Expr;
  readonly gate?: (x: Expr) => Expr;
}

/** x [T, B, C, H, W], squeezed to the rows of `reduce` and back. With `regroup` around it each frame has gates of its own. */
export function squeezeExcite(x: Expr, reduce: LinearWeights, expand: LinearWeights, options: SqueezeExciteOptions = {}): Expr {
  const { activation = relu, gate = sigmoid } = options;
  const squeezed = activation(linear(globalAverage(x), reduce.weight, reduce.bias)); // [B, r]
  return channelAffine(x, gate(linear(squeezed, expand.weight, expand.bias)));
}
