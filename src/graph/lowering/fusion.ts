/** Which values are computed in the pass of another: activations and additions after convolutions, biased products. */

import type { Expr } from '../expr.js';
import { operatorOf } from '../operators/registry.js';
import { sizeOf } from '../shape.js';
import type { Activation } from './blockedLayout.js';

export class Fusion {
  private readonly users: ReadonlyMap<Expr, readonly Expr[]>;
  private readonly results: ReadonlySet<Expr>;

  constructor(
    order: readonly Expr[],
    outputs: readonly Expr[],
    private readonly isNchwc: (x: Expr) => boolean,
  ) {
    this.users = usersOf(order);
    this.results = new Set(outputs);
  }

  /** Readers of an expression, one entry for each read. */
  usersOf = (x: Expr): readonly Expr[] => this.users.get(x) ?? [];

  /** The activation that this expression is, if a convolution's pass can include it. */
  activationOf = (node: Expr): Activation | undefined => operatorOf(node).activation?.(node);

  isResult = (node: Expr): boolean => this.results.has(node);

  /** Whether every reader computes this value in its own pass, so that it need not exist. */
  isAbsorbed(node: Expr): boolean {
    const users = this.usersOf(node);
    return users.length > 0 && users.every((user) => this.absorbs(user, node));
  }

  absorbs(user: Expr, node: Expr): boolean {
    if (!this.isNchwc(user) || !this.isNchwc(node)) return false;
    const takes = operatorOf(node).nchwc?.activation;
    if (this.activationOf(user)) return takes === 'always' || (takes === 'once' && this.usersOf(node).length === 1);
    return user.op.kind === 'add' && this.fusedOperand(user) === node;
  }

  /** The operand of an addition that is computed in the same pass, the other being its addend. */
  fusedOperand(node: Expr): Expr | undefined {
    const [a, b] = node.inputs;
    if (!a || !b || a === b || a.shape.join() !== b.shape.join()) return undefined;
    const takes = (x: Expr) => (this.isNchwc(x) ? operatorOf(x).nchwc?.addend : undefined);
    const single = (x: Expr) => takes(x) === 'once' && this.usersOf(x).length === 1;
    return [a, b].find(single) ?? [b, a].find((x) => takes(x) === 'always');
  }

  /** The matrix product to which this expression adds a row, if nothing else reads it: both are then one pass. */
  biasedProduct = (node: Expr): Expr | undefined => {
    const [product, bias] = node.inputs;
    if (node.op.kind !== 'add' || product?.op.kind !== 'matmul' || product.shape.length !== 2) return undefined;
    const isRow = bias?.shape.at(-1) === product.shape[1] && sizeOf(bias?.shape ?? []) === product.shape[1];
    return isRow && this.usersOf(product).length === 1 && !this.results.has(product) ? product : undefined;
  };

  /** Whether the only reader of this value computes it in its own pass. */
  isInsideProduct(node: Expr): boolean {
    const [user] = this.usersOf(node);
    return user !== undefined && this.biasedProduct(user) === node;
  }

  /** Where slices cut up a whole vector (a flat vector of parameters): their sizes, and which of them this one is. */
  pieces({ inputs: [vector], op }: Expr): { readonly sizes: number[]; readonly start: number } | undefined {
    if (op.kind !== 'slice' || vector?.shape.length !== 1) return undefined;
    const cuts = this.usersOf(vector).flatMap((user) => (user.op.kind === 'slice' ? [user.op] : []));
    cuts.sort((a, b) => a.start - b.start);
    const inARow = cuts.every(({ start }, i) => start === (cuts[i - 1]?.end ?? 0)) && cuts.at(-1)?.end === vector.shape[0];
    return inARow ? { sizes: cuts.map(({ start, end }) => end - start), start: cuts.indexOf(op) } : undefined;
  }
}

function usersOf(order: readonly Expr[]): Map<Expr, Expr[]> {
  const users = new Map<Expr, Expr[]>(order.map((node) => [node, []]));
  for (const node of order) {
    for (const operand of node.inputs) users.get(operand)?.push(node);
  }
  return users;
}
