/**
 * Splits the largest maps into frames: a frame fits the caches, and temporal kernels pick neighbours without copies. Each node
 * costs about a microsecond, so smaller maps stay whole. Blocked inference only.
 */

import { asMap, type Expr, expr, rebuilt, topologicalOrder } from '../expr.js';
import { tappedDepthwise } from '../operators/depthwise.js';
import { operatorOf } from '../operators/registry.js';
import { reshape } from '../operators/reshape.js';
import { concat, slice } from '../operators/sliceConcat.js';
import { inSpace, tapPicks } from '../operators/window.js';
import { sizeOf } from '../shape.js';
import { Provenance } from './provenance.js';

/** Of networks whose frames have tokens of their own, or come one at a time. */
const unknown: ReadonlySet<string> = new Set(['regroup', 'state', 'depthwiseTaps']);

/** Rewrites the outputs so that maps of a size (H, W) at which some map has `minBytes` exist frame by frame. */
export function frameTiling(
  outputs: Readonly<Record<string, Expr>>,
  minBytes: number,
  provenance = new Provenance(),
): Record<string, Expr> {
  const order = topologicalOrder(Object.values(outputs));
  if (order.some(({ op }) => op.kind.endsWith('Gradient') || unknown.has(op.kind))) return { ...outputs };
  const large = order.filter(({ shape, isMap }) => isMap && 4 * sizeOf(shape) >= minBytes).map(positionsOf);
  const rewriting = new Rewriting(new Set(large));
  for (const node of order) provenance.note(node, rewriting.visit(node));
  return Object.fromEntries(Object.entries(outputs).map(([name, node]) => [name, rewriting.whole(node)]));
}

const positionsOf = ({ shape }: Expr): string => shape.slice(3).join(' x ');
const times = (map: Expr): number[] => [...Array(map.shape[0] ?? 0).keys()];
const oneFrame = (map: Expr): number[] => [1, ...map.shape.slice(1)];

class Rewriting {
  private readonly wholes = new Map<Expr, Expr>();
  private readonly apart = new Map<Expr, readonly Expr[]>();

  /** `large`: sizes of maps that are taken apart. */
  constructor(private readonly large: ReadonlySet<string>) {}

  visit(node: Expr): readonly Expr[] {
    const made = this.isTakenApart(node) ? this.eachFrame(node) : [this.rebuilt(node)];
    if (this.isTakenApart(node)) this.apart.set(node, made);
    else for (const whole of made) this.wholes.set(node, whole);
    return made;
  }

  whole(node: Expr): Expr {
    const made = this.wholes.get(node) ?? concat(this.frames(node), 0);
    this.wholes.set(node, made);
    return made;
  }

  private frames(map: Expr): readonly Expr[] {
    const made = this.apart.get(map) ?? times(map).map((t) => slice(this.whole(map), 0, t, t + 1));
    this.apart.set(map, made);
    return made;
  }

  private isTakenApart(node: Expr): boolean {
    if (!node.isMap || node.shape[0] === 1 || !this.large.has(positionsOf(node))) return false;
    const { kind } = node.op;
    return (
      operatorOf(node).reach === 'position' || this.isFramewise(node) || kind === 'depthwise' || this.imagesOf(node) !== undefined
    );
  }

  /** Whether each frame depends on the same frame of the operand only. */
  private isFramewise({ op, inputs }: Expr): boolean {
    return op.kind === 'convolution' && inputs[1]?.shape[2] === 1 && op.stride[0] === 1 && op.pads[0] === 0;
  }

  private imagesOf({ op, shape: [frames = 0, clips = 0], inputs: [reshaped] }: Expr): Expr | undefined {
    const [from] = reshaped?.op.kind === 'reshape' ? reshaped.inputs : [];
    return op.kind === 'featureMap' && from?.shape.length === 4 && from.shape[0] === frames * clips ? from : undefined;
  }

  private eachFrame(node: Expr): readonly Expr[] {
    if (node.op.kind === 'depthwise') return this.depthwise(node);
    const images = this.imagesOf(node);
    if (images) {
      const clips = node.shape[1] ?? 0;
      return times(node).map((t) => asMap(reshape(slice(this.whole(images), 0, t * clips, (t + 1) * clips), oneFrame(node))));
    }
    return times(node).map((t) => rebuilt(node, this.operandsAt(node, t), oneFrame(node)));
  }

  /** Frame t of maps, all of anything else. */
  private operandsAt(node: Expr, t: number): Expr[] {
    return node.inputs.map((x) => (x.isMap && this.frames(x)[t]) || this.whole(x));
  }

  /** Taps beyond the ends are zero and left out. */
  private depthwise(node: Expr): readonly Expr[] {
    const [x, weight, ...bias] = node.inputs;
    if (!x || !weight || node.op.kind !== 'depthwise') return [];
    const { kind, ...sliding } = node.op;
    const maps = this.frames(x);
    const kt = weight.shape[1] ?? 1;
    const [kernel = weight, ...rest] = [weight, ...bias].map((operand) => this.whole(operand));
    return times(node).map((t) => {
      const seen = tapPicks(kt, sliding, 1).map(({ first, step }) => maps[t * step + first]);
      const within = seen.flatMap((map) => map ?? []);
      const first = seen.findIndex((map) => map !== undefined);
      const kept = slice(kernel, 1, first, first + within.length);
      return tappedDepthwise(within, kept, inSpace(sliding), rest[0]);
    });
  }

  /** A value that stays whole, over what its operands have become. */
  private rebuilt(node: Expr): Expr {
    if (operatorOf(node).reach === 'sum' && node.inputs.some((x) => this.apart.has(x))) return this.total(node);
    if (node.inputs.every((x) => this.wholes.get(x) === x)) return node;
    return rebuilt(node, node.inputs.map((x) => this.whole(x))); // biome-ignore format: one line
  }

  private total(node: Expr): Expr {
    const [first] = node.inputs;
    const parts = times(first ?? node).map((t) => rebuilt(node, this.operandsAt(node, t)));
    return parts.reduce((sum, part) => expr({ kind: 'add' }, [sum, part], node.shape));
  }
}
