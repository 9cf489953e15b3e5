import { type Expr, expr } from '../expr.js';
import { mapSize, need } from '../shape.js';
import { operator } from './operator.js';

declare module '../expr.js' {
  interface Ops {
    transpose: { readonly order: readonly number[] };
  }
}

/** Axis i of the result is axis order[i] of x. */
export function transpose(x: Expr, order: readonly number[]): Expr {
  const isOrder = order.length === x.shape.length && new Set(order).size === order.length;
  need(isOrder, `transpose: [${order}] is no order of the axes`, x.shape);
  const back = order.map((_, i) => order.indexOf(i));
  const shape = order.map((axis) => x.shape[axis] ?? 0);
  const isMap = x.isMap && order[1] === 1 && order[2] === 2;
  return expr({ kind: 'transpose', order }, [x], shape, (dy) => [transpose(dy, back)], isMap);
}

export const transposeOperator = operator('transpose', {
  emit: (e, { op }, [x = '']) => e.transpose(x, op.order),
  nchwc: {
    suits: (c, { inputs }) => inputs.every((x) => c.isNchwc(x)),
    emit: (c, node) => {
      const lanes = c.lanesOf(node);
      const [x = node] = node.inputs;
      return c.layout.transposed(c.mapWith(x, lanes.expand), node.op.order, mapSize(node.shape, 'transpose'));
    },
  },
  // Channels last: one reorder does it.
  reads: {
    suits: (c, { op, inputs }) => op.order.join() === '0,1,3,4,2' && inputs.every((x) => c.isNchwc(x)),
    emit: (c, node) => c.e.reshape(c.layout.toChannelsLast(c.mapWith(node.inputs[0] ?? node, 1)), node.shape),
  },
  sharesLanes: true,
});
