/**
 * Vectors in the lanes of their map. Reordering one takes five nodes; rows of a constant linear layer are reordered at load time
 * instead.
 */

import type { Expr } from '../expr.js';
import { sizeOf } from '../shape.js';
import type { BlockedLayout, Lanes } from './blockedLayout.js';
import type { Emitter } from './emitter.js';

const elementwise = { add: 'Add', sub: 'Sub', mul: 'Mul' } as const;

const isConstant = ({ op, inputs }: Expr): boolean => op.kind === 'constant' || (inputs.length > 0 && inputs.every(isConstant));

export class LaneVectors {
  constructor(
    private readonly e: Emitter,
    private readonly layout: BlockedLayout,
    /** The value of an expression, row-major. */
    private readonly plainName: (node: Expr) => string,
    /** The matrix product [rows, d] x [C, d]^T to which this expression adds a bias [C], if that is what it is. */
    private readonly biasedProduct: (node: Expr) => Expr | undefined,
  ) {}

  /** A vector [C] or [rows, C] -> [lanes] or [rows, lanes]. Unused lanes hold finite numbers. */
  vector(node: Expr, lanes: Lanes): string {
    return this.part(node, 0, lanes);
  }

  /** Elements of the last axis from `start` on, as many as there are channels. */
  private part(node: Expr, start: number, lanes: Lanes): string {
    const { op, inputs, shape } = node;
    const [x] = inputs;
    const last = shape.length - 1;
    if (!x) return this.rearranged(node, start, lanes);
    if (op.kind === 'slice' && op.axis === last) return this.part(x, start + op.start, lanes);
    if (this.isConstantLinear(node)) return this.linear(node, start, lanes);
    if (op.kind === 'clip') {
      const bounds = [op.low, op.high].map((bound) => this.e.filled(bound, []));
      return this.e.node('Clip', [this.part(x, start, lanes), ...bounds]);
    }
    if (op.kind === 'add' || op.kind === 'sub' || op.kind === 'mul') {
      const isScalar = (v: Expr) => v.shape.length === 0;
      if (inputs.every((v) => isScalar(v) || v.shape.at(-1) === shape[last])) {
        const names = inputs.map((v) => (isScalar(v) ? this.plainName(v) : this.part(v, start, lanes)));
        return this.e.node(elementwise[op.kind], names);
      }
    }
    return this.rearranged(node, start, lanes);
  }

  private rearranged(node: Expr, start: number, lanes: Lanes): string {
    const { shape } = node;
    const whole = shape.at(-1) === lanes.channels;
    const name = this.plainName(node);
    const piece = whole ? name : this.e.slice(name, shape.length - 1, start, start + lanes.channels);
    return this.layout.toLanes(piece, shape.slice(0, -1), lanes);
  }

  private isConstantLinear(node: Expr): boolean {
    const weight = this.biasedProduct(node)?.inputs[1];
    const bias = node.inputs[1];
    return weight !== undefined && bias !== undefined && isConstant(weight) && isConstant(bias);
  }

  /** x W^T + b with the rows of W in lanes. */
  private linear(node: Expr, start: number, lanes: Lanes): string {
    const product = this.biasedProduct(node);
    const [x, weight] = product?.inputs ?? [];
    const bias = node.inputs[1];
    if (!x || !weight || !bias || product?.op.kind !== 'matmul') return this.rearranged(node, start, lanes);
    const columns = product.op.transposeB ? this.e.transpose(this.plainName(weight), [1, 0]) : this.plainName(weight); // [d, C]
    const into = sizeOf(weight.shape) / (node.shape.at(-1) ?? 1);
    const row = this.e.reshape(this.plainName(bias), [node.shape.at(-1) ?? 0]);
    const cut = (v: string, axis: number) => this.e.slice(v, axis, start, start + lanes.channels);
    const matrix = this.layout.toLanes(cut(columns, 1), [into], lanes);
    const vector = this.layout.toLanes(cut(row, 0), [], lanes);
    return this.e.node('Gemm', [this.plainName(x), matrix, vector], { transA: Number(product.op.transposeA) });
  }
}
