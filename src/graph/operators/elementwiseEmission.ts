/** Operators that ONNX computes element by element: the same node works in either layout. */

import type { Expr, OpKind } from '../expr.js';
import { mapSize } from '../shape.js';
import type { NchwcEmission, Node, Operator } from './operator.js';

/** `name`: the ONNX operator of the same meaning; `more`: its other operands. */
export function elementwise<K extends OpKind>(
  name: string,
  more: (node: Node<K>) => readonly number[] = () => [],
): Pick<Operator<K>, 'emit' | 'nchwc' | 'reach' | 'sharesLanes'> {
  return {
    emit: (e, node, names) => e.node(name, [...names, ...more(node).map((value) => e.filled(value, []))]),
    nchwc: elementwiseNchwc(name, more),
    reach: 'position',
    sharesLanes: true,
  };
}

function elementwiseNchwc<K extends OpKind>(name: string, more: (node: Node<K>) => readonly number[]): NchwcEmission<K> {
  const isScalar = (x: Expr) => x.shape.length === 0;
  return {
    suits: (_, { inputs, shape }) => inputs.every((x) => isScalar(x) || x.shape.join() === shape.join()),
    emit: (c, node) => {
      const lanes = c.lanesOf(node);
      const operands = node.inputs.map((x) => (isScalar(x) ? c.standard(x) : c.mapWith(x, lanes.expand).name));
      const extra = more(node).map((value) => c.e.filled(value, []));
      return { name: c.e.node(name, [...operands, ...extra]), size: mapSize(node.shape, name), lanes };
    },
  };
}
