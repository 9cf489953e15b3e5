/**
 * Decides, before anything is emitted, how the channels of each feature map lie in blocked layout (see Lanes in blocked.ts): maps
 * that meet in an elementwise operator, a scale or a dot product must agree, and an expanding depthwise convolution wants its
 * result, and the gradient of its result, in strides. Found with a union-find over the expressions.
 */

import type { Expr } from '../expr.js';

export class LanePlan {
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
    const maps = node.inputs.filter(({ isMap }) => isMap);
    switch (node.op.kind) {
      case 'add':
      case 'sub':
      case 'mul':
      case 'div':
      case 'relu':
      case 'step':
      case 'exp':
      case 'clip':
      case 'scaleShift':
      case 'regroup':
      case 'transpose':
      case 'slice':
      case 'concat':
        if (node.isMap) for (const x of maps) this.union(x, node);
        return;
      case 'channelDot':
        if (maps[0] && maps[1]) this.union(maps[0], maps[1]);
        return;
      default:
        return;
    }
  }

  private demand(node: Expr): void {
    const [x, other] = node.inputs;
    if ((node.op.kind === 'depthwise' || node.op.kind === 'depthwiseTaps') && x) this.want(node, node, x);
    if (node.op.kind === 'depthwiseInputGradient' && x) this.want(x, x, node);
    if (node.op.kind === 'depthwiseWeightGradient' && x && other) this.want(x, x, other);
  }

  private want(map: Expr, wide: Expr, narrow: Expr): void {
    const factor = (wide.shape[2] ?? 1) / (narrow.shape[2] ?? 1);
    if (factor > 1) this.expand.set(this.root(map), factor);
  }
}
