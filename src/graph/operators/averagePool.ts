/** A depthwise convolution with constant weights. */

import { constant, type Expr, filled } from '../expr.js';
import { mapSize, type Shape, sizeOf } from '../shape.js';
import { mul } from './arithmetic.js';
import { slidDepthwise } from './depthwise.js';
import type { PoolOptions } from './maxPool.js';
import { asTriple, type Sliding, slidingOf, type Triple } from './window.js';

export interface AveragePoolOptions extends PoolOptions {
  /** Whether cells beyond the edges count as zeros. */
  readonly countPadding?: boolean;
}

export function averagePool(x: Expr, kernel: Triple, options: AveragePoolOptions = {}): Expr {
  const { stride = kernel, padding = 'none', countPadding = true } = options;
  const sliding = slidingOf(x.shape, kernel, asTriple(stride), padding);
  const weight = filled(1 / sizeOf(kernel), [mapSize(x.shape, 'averagePool').channels, ...kernel]);
  const mean = slidDepthwise(x, weight, sliding, undefined, { pooling: true });
  const padded = sliding.pads.some((pad) => pad > 0);
  return countPadding || !padded ? mean : mul(mean, shareInside(x.shape, mean.shape, kernel, sliding));
}

/** Cells of a window over those of them that lie inside the map, [T, 1, 1, H, W]. */
function shareInside(from: Shape, to: Shape, kernel: Triple, { stride, pads }: Sliding): Expr {
  const along = (axis: 0 | 1 | 2, size = 1, count = 1) =>
    Array.from({ length: count }, (_, i) => {
      const first = i * stride[axis] - pads[axis];
      return kernel[axis] / (Math.min(first + kernel[axis], size) - Math.max(first, 0));
    });
  const [frames, rows, columns] = [along(0, from[0], to[0]), along(1, from[3], to[3]), along(2, from[4], to[4])];
  const values = frames.flatMap((f) => rows.flatMap((r) => columns.map((c) => f * r * c)));
  return constant(values, [frames.length, 1, 1, rows.length, columns.length]);
}
