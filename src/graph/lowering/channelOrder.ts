/**
 * Chooses the channel order of each map in blocked layout with a union-find: maps that meet elementwise must agree, and expanding
 * depthwise convolutions want strides.
 */

import type { Expr } from '../expr.js';
import { operatorOf } from '../operators/registry.js';

export class ChannelOrder {
  private readonly parent = new Map<Expr, Expr>();
  private readonly expand = new Map<Expr, number>();

  constructor(order: readonly Expr[]) {
    for (const node of order) this.join(node);
    for (const node of order) this.demand(node);
  }

  /** Expansion for the map's lanes; 1 means channels in order. */
  expandOf(node: Expr): number {
    return this.expand.get(this.root(node)) ?? 1;
  }

  private root(node: Expr): Expr {
    let at = node;
    for (let up = this.parent.get(at); up; up = this.parent.get(at)) at = up;
    if (at !== node) this.parent.set(node, at);
    return at;
  }

  private union(a: Expr, b: Expr): void {
    const [x, y] = [this.root(a), this.root(b)];
    if (x !== y) this.parent.set(x, y);
  }

  private join(node: Expr): void {
    if (!operatorOf(node).sharesLanes) return;
    const [first, ...others] = [...node.inputs, node].filter(({ isMap }) => isMap);
    for (const map of others) if (first) this.union(first, map);
  }

  private demand(node: Expr): void {
    const { map, times } = operatorOf(node).expanded?.(node) ?? { map: node, times: 1 };
    if (times > 1) this.expand.set(this.root(map), times);
  }
}
