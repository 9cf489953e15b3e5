/**
 * Multiply-adds of a graph as this field counts them: convolutions by their groups, linear layers and the products of attention, padding
 * included; not norms, activations, softmax, gates and pooling.
 */

import { closure, type Expr } from './expr.js';
import { sizeOf } from './shape.js';

/** Of everything that the outputs need. */
export const macsOf = (outputs: readonly Expr[]): number => closure(outputs).reduce((sum, node) => sum + macsOfNode(node), 0);

/** The same by part of the network, in the order in which parts first appear. */
export function macsByPart(outputs: readonly Expr[], partOf: (node: Expr) => string): Map<string, number> {
  const parts = new Map<string, number>();
  for (const node of closure(outputs)) parts.set(partOf(node), (parts.get(partOf(node)) ?? 0) + macsOfNode(node));
  return parts;
}

function macsOfNode({ op, inputs, shape }: Expr): number {
  const [a, b] = inputs.map((operand) => operand.shape);
  const weights = inputs.find((operand) => !operand.isMap)?.shape ?? [];
  switch (op.kind) {
    case 'matmul':
      return op.pooling ? 0 : (sizeOf(shape) * (a?.at(op.transposeA ? -2 : -1) ?? 0)) / op.groups;
    case 'pointwise':
      return (sizeOf(shape) * (a?.[2] ?? 0)) / op.groups;
    case 'gram':
      return (sizeOf(a ?? []) * (b?.[2] ?? 0)) / op.groups;
    case 'depthwise':
      return sizeOf(shape) * ((weights[1] ?? 1) + (op.unseenTaps ?? 0)) * sizeOf(weights.slice(2));
    case 'depthwiseTaps':
    case 'convolution':
      return sizeOf(shape) * sizeOf(weights.slice(1));
    default:
      return 0;
  }
}
