import { asMap, constant, type Expr, mapExpr } from '../expr.js';
import type { BlockedMap } from '../lowering/blockedLayout.js';
import { nchwc } from '../lowering/blockedLayout.js';
import type { Emitter } from '../lowering/emitter.js';
import { mapSize, type Shape, sizeOf } from '../shape.js';
import { add, mul, sub } from './arithmetic.js';
import { slidDepthwise } from './depthwise.js';
import { depthwiseInputGradient } from './depthwiseGradients.js';
import { images, spatialAttributes } from './images.js';
import { type NchwcLowering, type Node, operator } from './operator.js';
import { step } from './unary.js';
import { asTriple, type Padding, type Sliding, slidingOf, slidShape, type Triple } from './window.js';

declare module '../expr.js' {
  interface Ops {
    maxPool: Sliding & { readonly kernel: Triple };
  }
}

export interface PoolOptions {
  /** By default the kernel; a number is the stride in space. */
  readonly stride?: number | Triple;
  readonly padding?: Padding;
}

/** Cells beyond the edges do not count. Where several are largest, the gradient goes to each of them. */
export function maxPool(x: Expr, kernel: Triple, { stride = kernel, padding = 'none' }: PoolOptions = {}): Expr {
  const map = asMap(x);
  const { channels } = mapSize(map.shape, 'maxPool');
  const sliding = slidingOf(map.shape, kernel, asTriple(stride), padding);
  const y: Expr = mapExpr(
    { kind: 'maxPool', kernel, ...sliding },
    [map],
    slidShape(map.shape, channels, kernel, sliding),
    (dy) => [
      places(kernel, channels)
        .map((place) => {
          const below = step(sub(y, slidDepthwise(map, place, sliding))); // 1 where this place is not the largest
          return depthwiseInputGradient(mul(dy, sub(1, below)), place, sliding, map.shape);
        })
        .reduce((a, b) => add(a, b)),
    ],
  );
  return y;
}

/** A kernel for each place of a window that is 1 there and 0 elsewhere, [C, kt, kh, kw]. */
function places(kernel: Triple, channels: number): Expr[] {
  const volume = sizeOf(kernel);
  return Array.from({ length: volume }, (_, place) =>
    constant(
      Float32Array.from({ length: channels * volume }, (__, i) => Number(i % volume === place)),
      [channels, ...kernel],
    ),
  );
}

export const maxPoolOperator = operator('maxPool', {
  emit: (e, { op, inputs: [x], shape }, [name = '']) => {
    const from = x?.shape ?? [];
    const { clips, channels, height, width } = mapSize(shape, op.kind);
    const inSpace = e.node('MaxPool', [images(e, name, from)], spatialAttributes(op.kernel.slice(1), op));
    return e.reshape(overTime(e, inSpace, op, from, clips * channels * height * width), shape);
  },
  nchwc: { emit: maxPoolNchwc },
});

/** Frames as rows of one picture, whatever lies in them. */
function overTime(
  e: Emitter,
  x: string,
  { kernel, stride, pads }: Sliding & { kernel: Triple },
  [frames = 1]: Shape,
  row: number,
): string {
  if (kernel[0] === 1 && stride[0] === 1) return x;
  const attributes = { kernel_shape: [kernel[0], 1], strides: [stride[0], 1], pads: [pads[0], 0, pads[3], 0] };
  return e.node('MaxPool', [e.reshape(x, [1, 1, frames, row])], attributes);
}

function maxPoolNchwc(c: NchwcLowering, { op, inputs: [x], shape }: Node<'maxPool'>): BlockedMap {
  const from = c.mapWith(x as Expr, 1);
  const size = mapSize(shape, op.kind);
  const map = { size, lanes: from.lanes };
  const row = size.clips * c.layout.width(from.lanes) * size.height * size.width;
  const inSpace = c.e.node('MaxPool', [from.name], spatialAttributes(op.kernel.slice(1), op), nchwc);
  const name = overTime(c.e, inSpace, op, (x as Expr).shape, row);
  return { ...map, name: c.e.reshape(name, c.layout.nominal({ ...map, name })) };
}
