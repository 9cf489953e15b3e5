/** Multiply-adds by the usual convention: convolutions, linear layers, attention products, padding included; nothing else. */

import { type Expr, topologicalOrder } from './expr.js';
import { operatorOf } from './operators/registry.js';

/** Of everything that the outputs need. */
export const macsOf = (outputs: readonly Expr[]): number =>
  topologicalOrder(outputs).reduce((sum, node) => sum + macsOfNode(node), 0);

/** The same by part of the network, in the order in which parts first appear. */
export function macsByPart(outputs: readonly Expr[], partOf: (node: Expr) => string): Map<string, number> {
  const parts = new Map<string, number>();
  for (const node of topologicalOrder(outputs)) parts.set(partOf(node), (parts.get(partOf(node)) ?? 0) + macsOfNode(node));
  return parts;
}

const macsOfNode = (node: Expr): number => operatorOf(node).macs?.(node) ?? 0;
