/**
 * For small maps and many frames: [T, B, C, H, W] to [H, B, C, W, T], so that depthwise kernels run along T instead of rows of 3 to
 * 7 positions, mostly edges. Blocked inference only.
 */

import { type Expr, mapExpr, rebuilt, topologicalOrder } from '../expr.js';
import { operatorOf } from '../operators/registry.js';
import { transpose } from '../operators/transpose.js';
import { Provenance } from './provenance.js';

/** [T, B, C, H, W] -> [H, B, C, W, T], and back. */
const turn = (x: Expr): Expr => transpose(x, [3, 1, 2, 4, 0]);
const turnBack = (x: Expr): Expr => transpose(x, [4, 1, 2, 0, 3]);

/**
 * Rewrites the outputs so that maps up to `maxWidth` wide with more frames than that are turned, if all their kernels reach into
 * time.
 */
export function timeInnermost(
  outputs: Readonly<Record<string, Expr>>,
  provenance = new Provenance(),
  maxWidth = 7,
): Record<string, Expr> {
  const order = topologicalOrder(Object.values(outputs));
  const turning = new Turning(maxWidth);
  const late = order.filter((node) => node.op.kind === 'depthwise' && turning.isLate(node));
  const suits = ({ op, inputs }: Expr) =>
    op.kind === 'depthwise' &&
    op.stride[0] === 1 &&
    op.pads.every((pad) => pad === 1) &&
    inputs[1]?.shape.slice(1).every((size) => size === 3);
  if (order.some(isForeign) || !late.every(suits)) return { ...outputs };
  for (const node of order) provenance.note(node, [turning.visit(node)]);
  return Object.fromEntries(Object.entries(outputs).map(([name, node]) => [name, turning.straight(node)]));
}

/** Of training, or of networks whose frames have tokens of their own or come one at a time. */
const isForeign = ({ op }: Expr): boolean => op.kind.endsWith('Gradient') || op.kind === 'regroup' || op.kind === 'state';

class Turning {
  private readonly straights = new Map<Expr, Expr>();
  private readonly turneds = new Map<Expr, Expr>();

  constructor(private readonly maxWidth: number) {}

  isLate({ shape, isMap }: Expr): boolean {
    const [frames = 0, , , height = 0, width = 0] = shape;
    return isMap && width <= this.maxWidth && height <= this.maxWidth && frames > Math.max(width, height);
  }

  visit(node: Expr): Expr {
    if (this.runsTurned(node)) {
      const made = this.turnedNode(node);
      (operatorOf(node).reach === 'sum' ? this.straights : this.turneds).set(node, made);
      return made;
    }
    const same = node.inputs.every((x) => this.straights.get(x) === x);
    const made = same ? node : rebuilt(node, node.inputs.map((x) => this.straight(x))); // biome-ignore format: one line
    this.straights.set(node, made);
    // Transposing is cheapest at the narrow output of a 1x1 convolution.
    if (this.isLate(node) && node.op.kind === 'pointwise' && !node.op.perClip) this.turneds.set(node, turn(made));
    return made;
  }

  straight(node: Expr): Expr {
    const made = this.straights.get(node) ?? turnBack(this.turned(node));
    this.straights.set(node, made);
    return made;
  }

  private turned(node: Expr): Expr {
    const made = this.turneds.get(node) ?? turn(this.straight(node));
    this.turneds.set(node, made);
    return made;
  }

  private runsTurned(node: Expr): boolean {
    const known = operatorOf(node).reach !== undefined || node.op.kind === 'depthwise';
    return known && node.inputs.some((x) => this.turneds.has(x));
  }

  private turnedNode(node: Expr): Expr {
    const inputs = node.inputs.map((x) => (x.isMap ? this.turned(x) : this.straight(x)));
    const [t = 0, b = 0, c = 0, h = 0, w = 0] = node.shape;
    const shape = node.isMap ? [h, b, c, w, t] : node.shape;
    const [x, weight, ...rest] = inputs;
    if (node.op.kind !== 'depthwise' || !x || !weight) return rebuilt(node, inputs, shape);
    const kernel = transpose(weight, [0, 2, 3, 1]); // [C, kh, kw, kt]
    const [, down, across] = node.op.stride;
    return mapExpr({ ...node.op, stride: [down, across, 1] }, [x, kernel, ...rest], shape);
  }
}
