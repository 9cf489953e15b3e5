/** Maps rewritten expressions back to the network's own. */

import type { Expr } from '../expr.js';

export class Provenance {
  private readonly sources = new Map<Expr, Expr>();

  /** Records the source of rewritten expressions and their intermediates. */
  note(source: Expr, made: readonly Expr[]): void {
    const stack = [...made];
    for (let at = stack.pop(); at; at = stack.pop()) {
      if (this.sources.has(at)) continue;
      this.sources.set(at, at === source ? at : this.of(source));
      stack.push(...at.inputs);
    }
  }

  /** The network's own expression behind one that may have been rewritten, even twice. */
  of(node: Expr): Expr {
    return this.sources.get(node) ?? node;
  }
}
