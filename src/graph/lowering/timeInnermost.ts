/**
 * For small maps and many frames: [T, B, C, H, W] to [H, B, C, W, T], so that depthwise kernels run along T instead of rows of 3 to
 * 7 positions, mostly edges. Blocked inference only.
 */

import { type Expr, mapExpr, rebuilt, topologicalOrder } from '../expr.js';
import { operatorOf } from '../operators/registry.js';
import { transpose } from '../operators/transpose.js';
import { Provenance } from './provenance.js';

/** [T, B, C, H, W] -> [H, B, C, W, T], and back. */
const toTimeInnermost = (x: Expr): Expr => transpose(x, [3, 1, 2, 4, 0]);
const toStandard = (x: Expr): Expr => transpose(x, [4, 1, 2, 0, 3]);

/**
 * Rewrites the outputs so that maps up to `maxWidth` wide with more frames than that are transposed, if all their kernels reach into
 * time.
 */
export function timeInnermost(
  outputs: Readonly<Record<string, Expr>>,
  provenance = new Provenance(),
  maxWidth = 7,
): Record<string, Expr> {
  const order = topologicalOrder(Object.values(outputs));
  const rewriting = new TimeInnermost(maxWidth);
  const late = order.filter((node) => node.op.kind === 'depthwise' && rewriting.isLate(node));
  const suits = ({ op, inputs }: Expr) =>
    op.kind === 'depthwise' &&
    op.stride[0] === 1 &&
    op.pads.every((pad) => pad === 1) &&
    inputs[1]?.shape.slice(1).every((size) => size === 3);
  if (order.some(isForeign) || !late.every(suits)) return { ...outputs };
  for (const node of order) provenance.note(node, [rewriting.visit(node)]);
  return Object.fromEntries(Object.entries(outputs).map(([name, node]) => [name, rewriting.standard(node)]));
}

/** Of training, or of networks whose frames have tokens of their own or come one at a time. */
const isForeign = ({ op }: Expr): boolean => op.kind.endsWith('Gradient') || op.kind === 'regroup' || op.kind === 'state';

class TimeInnermost {
  private readonly inStandard = new Map<Expr, Expr>();
  private readonly inTransposed = new Map<Expr, Expr>();

  constructor(private readonly maxWidth: number) {}

  isLate({ shape, isMap }: Expr): boolean {
    const [frames = 0, , , height = 0, width = 0] = shape;
    return isMap && width <= this.maxWidth && height <= this.maxWidth && frames > Math.max(width, height);
  }

  visit(node: Expr): Expr {
    if (this.runsTransposed(node)) {
      const made = this.transposedNode(node);
      (operatorOf(node).reach === 'sum' ? this.inStandard : this.inTransposed).set(node, made);
      return made;
    }
    const same = node.inputs.every((x) => this.inStandard.get(x) === x);
    const made = same ? node : rebuilt(node, node.inputs.map((x) => this.standard(x))); // biome-ignore format: one line
    this.inStandard.set(node, made);
    // Transposing is cheapest at the narrow output of a 1x1 convolution.
    if (this.isLate(node) && node.op.kind === 'pointwise' && !node.op.perClip) this.inTransposed.set(node, toTimeInnermost(made));
    return made;
  }

  standard(node: Expr): Expr {
    const made = this.inStandard.get(node) ?? toStandard(this.transposed(node));
    this.inStandard.set(node, made);
    return made;
  }

  private transposed(node: Expr): Expr {
    const made = this.inTransposed.get(node) ?? toTimeInnermost(this.standard(node));
    this.inTransposed.set(node, made);
    return made;
  }

  private runsTransposed(node: Expr): boolean {
    const known = operatorOf(node).reach !== undefined || node.op.kind === 'depthwise';
    return known && node.inputs.some((x) => this.inTransposed.has(x));
  }

  private transposedNode(node: Expr): Expr {
    const inputs = node.inputs.map((x) => (x.isMap ? this.transposed(x) : this.standard(x)));
    const [t = 0, b = 0, c = 0, h = 0, w = 0] = node.shape;
    const shape = node.isMap ? [h, b, c, w, t] : node.shape;
    const [x, weight, ...rest] = inputs;
    if (node.op.kind !== 'depthwise' || !x || !weight) return rebuilt(node, inputs, shape);
    const kernel = transpose(weight, [0, 2, 3, 1]); // [C, kh, kw, kt]
    const [, down, across] = node.op.stride;
    return mapExpr({ ...node.op, stride: [down, across, 1] }, [x, kernel, ...rest], shape);
  }
}
