import { type Expr, expr } from '../expr.js';
import { need } from '../shape.js';
import { add, div, mul, sub } from './arithmetic.js';
import { operator } from './operator.js';
import { broadcast, sum } from './reduction.js';
import { transpose } from './transpose.js';
import { sqrt } from './unary.js';

declare module '../expr.js' {
  interface Ops {
    layerNorm: { readonly epsilon: number };
  }
}

/** Over the last axis with scale and shift [d]. */
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

/** Over the channels at each position of a map [T, B, C, H, W], with scale and shift [C]. */
export const channelLayerNorm = (x: Expr, scale: Expr, shift: Expr, epsilon = 1e-5): Expr =>
  transpose(layerNorm(transpose(x, [0, 1, 3, 4, 2]), scale, shift, epsilon), [0, 1, 4, 2, 3]);

export const layerNormOperator = operator('layerNorm', {
  emit: (e, { op }, names) => e.node('LayerNormalization', names, { axis: -1, epsilon: { float: op.epsilon } }),
});
