/** Folds constants at graph construction, for the operators that weights meet. The result has no gradients. */

import { ShapeError } from '../errors.js';
import { constant, type Expr, rebuilt, topologicalOrder } from './expr.js';
import { type Shape, sizeOf } from './shape.js';

/**
 * The same values with constant parts computed, by the names given. What has as many rows as a run has clips is left to be computed
 * when the model runs.
 */
export function foldConstants(outputs: Readonly<Record<string, Expr>>, clips: number): Record<string, Expr> {
  const folded = new Map<Expr, Expr>();
  for (const node of topologicalOrder(Object.values(outputs))) folded.set(node, fold(node, folded, clips));
  return Object.fromEntries(Object.entries(outputs).map(([name, node]) => [name, folded.get(node) ?? node]));
}

function fold(node: Expr, folded: ReadonlyMap<Expr, Expr>, clips: number): Expr {
  const inputs = node.inputs.map((operand) => folded.get(operand) ?? operand);
  const values = inputs.flatMap(({ op }) => (op.kind === 'constant' ? [op.data] : []));
  if (inputs.length > 0 && values.length === inputs.length && !ofRun(node, clips)) {
    const data = compute(node, values);
    if (data) return constant(data, node.shape);
  }
  return inputs.some((operand, i) => operand !== node.inputs[i]) ? rebuilt(node, inputs) : node;
}

const ofRun = ({ shape: [rows = 1] }: Expr, clips: number): boolean => rows % clips === 0;

const arithmetic = {
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: (a: number, b: number) => a * b,
  div: (a: number, b: number) => a / b,
} as const;

function compute({ op, inputs, shape }: Expr, [a, b]: readonly Float32Array[]): Float32Array | undefined {
  const [left, right] = inputs;
  if (!a || !left) return undefined;
  switch (op.kind) {
    case 'reshape':
      return a;
    case 'sqrt':
      return a.map(Math.sqrt);
    case 'slice':
      return sliced(a, left.shape, op.axis, op.start, op.end);
    case 'add':
    case 'sub':
    case 'mul':
    case 'div': {
      if (!b || !right) throw new ShapeError(`${op.kind}: an operand is missing`);
      const [from, to] = [places(left.shape, shape), places(right.shape, shape)];
      const combine = arithmetic[op.kind];
      return Float32Array.from(from, (place, i) => combine(a[place] ?? 0, b[to[i] ?? 0] ?? 0));
    }
    default:
      return undefined;
  }
}

function sliced(data: Float32Array, shape: Shape, axis: number, start: number, end: number): Float32Array {
  const size = shape[axis] ?? 1;
  const inner = sizeOf(shape.slice(axis + 1));
  const rows = data.length / (size * inner);
  const out = new Float32Array(rows * (end - start) * inner);
  for (let row = 0; row < rows; row++) {
    const from = row * size * inner;
    out.set(data.subarray(from + start * inner, from + end * inner), row * (end - start) * inner);
  }
  return out;
}

/** Broadcasting: the source element of each element of `to`. */
function places(from: Shape, to: Shape): Int32Array {
  const steps = new Array<number>(to.length).fill(0);
  let step = 1;
  for (let axis = to.length - 1, own = from.length - 1; own >= 0; axis--, own--) {
    const size = from[own] ?? 1;
    if (size > 1) steps[axis] = step;
    step *= size;
  }
  return Int32Array.from({ length: sizeOf(to) }, (_, i) => {
    let [place, rest] = [0, i];
    for (let axis = to.length - 1; axis >= 0; axis--) {
      const size = to[axis] ?? 1;
      place += (rest % size) * (steps[axis] ?? 0);
      rest = Math.floor(rest / size);
    }
    return place;
  });
}
