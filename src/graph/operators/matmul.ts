import { constant, type Expr, expr, type OpOf } from '../expr.js';
import type { Emitter } from '../lowering/emitter.js';
import { need, sizeOf } from '../shape.js';
import { add } from './arithmetic.js';
import { type Node, operator } from './operator.js';
import { reshape } from './reshape.js';

declare module '../expr.js' {
  interface Ops {
    matmul: Required<ProductOptions>;
  }
}

export interface ProductOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** All but one in so many of the products is with a zero. */
  readonly groups?: number;
  /** Weights that are fixed and only average: not counted as multiply-adds. */
  readonly pooling?: boolean;
}

/**
 * Matrix product over the last two axes, each operand transposed on request. Leading axes must be equal, or b has none:
 * [.., n, k] x [.., k, m] or [.., n, k] x [k, m] -> [.., n, m].
 */
export function matmul(a: Expr, b: Expr, options: ProductOptions = {}): Expr {
  const { transposeA = false, transposeB = false, groups = 1, pooling = false } = options;
  if (b.shape.length === 2 && a.shape.length > 2) return matmulFlat(a, b, { transposeB, groups, pooling });
  const lead = a.shape.slice(0, -2);
  const [n, k] = lastTwo(a, transposeA);
  const [k2, m] = lastTwo(b, transposeB);
  need(k === k2 && lead.join() === b.shape.slice(0, -2).join(), 'matmul: sizes do not fit', a.shape, b.shape);
  return expr({ kind: 'matmul', transposeA, transposeB, groups, pooling }, [a, b], [...lead, n, m], (dy) => [
    transposeA ? matmul(b, dy, { transposeA: transposeB, transposeB: true }) : matmul(dy, b, { transposeB: !transposeB }),
    transposeB ? matmul(dy, a, { transposeA: true, transposeB: transposeA }) : matmul(a, dy, { transposeA: !transposeA }),
  ]);
}

function lastTwo(x: Expr, swap: boolean): [number, number] {
  const [rows = 0, columns = 0] = x.shape.slice(-2);
  return swap ? [columns, rows] : [rows, columns];
}

/** A weight matrix shared by all leading axes: one product with the rows laid end to end. */
function matmulFlat(a: Expr, b: Expr, options: ProductOptions): Expr {
  const columns = a.shape.at(-1) ?? 0;
  const rows = reshape(a, [sizeOf(a.shape) / columns, columns]);
  const y = matmul(rows, b, options);
  return reshape(y, [...a.shape.slice(0, -1), y.shape[1] ?? 0]);
}

/** x W^T + b, x [.., in], weight [out, in], bias [out]; one product with the rows of x laid end to end. */
export function linear(x: Expr, weight: Expr, bias: Expr): Expr {
  const into = x.shape.at(-1) ?? 1;
  const rows = reshape(x, [sizeOf(x.shape) / into, into]);
  const y = add(matmul(rows, weight, { transposeB: true }), bias);
  return reshape(y, [...x.shape.slice(0, -1), ...bias.shape]);
}

/** Fixed combinations of rows: weights [n, m], row by row, of x [m, C] -> [n, C]. A kind of pooling. */
export function mixRows(weights: readonly number[], x: Expr): Expr {
  const [rows = 1] = x.shape;
  return matmul(constant(weights, [weights.length / rows, rows]), x, { pooling: true });
}

export const matmulOperator = operator('matmul', {
  emit: emitMatmul,
  macs: ({ op, inputs: [a], shape }) =>
    op.pooling ? 0 : (sizeOf(shape) * (a?.shape.at(op.transposeA ? -2 : -1) ?? 0)) / op.groups,
});

function emitMatmul(e: Emitter, { op, shape }: Node<'matmul'>, [a = '', b = '']: readonly string[]): string {
  const rank = shape.length;
  if (rank === 2) return e.node('Gemm', [a, b], gemmFlags(op));
  const swap = [...Array(rank - 2).keys(), rank - 1, rank - 2];
  const turned = (x: string, transposed: boolean) => (transposed ? e.transpose(x, swap) : x);
  return e.node('MatMul', [turned(a, op.transposeA), turned(b, op.transposeB)]);
}

const gemmFlags = (op: OpOf<'matmul'>) => ({ transA: Number(op.transposeA), transB: Number(op.transposeB) });

/** The product of two matrices plus a row [M] or [1, M], in one pass. */
export const emitBiasedProduct = (e: Emitter, op: OpOf<'matmul'>, names: readonly [a: string, b: string, bias: string]): string =>
  e.node('Gemm', names, gemmFlags(op));
