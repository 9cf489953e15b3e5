/**
 * Decides, before anything is emitted, how the channels of each feature map lie in blocked layout (see Lanes in blockedLayout.ts): maps
 * that meet in an elementwise operator, a scale or a dot product must agree, and an expanding depthwise convolution wants its
 * result, and the gradient of its result, in strides. Found with a union-find over the expressions.
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
