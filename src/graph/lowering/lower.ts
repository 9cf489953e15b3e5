/**
 * From expressions to one ONNX model. Each value may exist row-major, blocked, or both; which operators work in blocked layout,
 * and what is fused into one pass, is decided here and only here. With `block` 0 everything is row-major standard ONNX.
 */

import { ShapeError } from '../../errors.js';
import { closure, type Expr, type Op } from '../expr.js';
import { type OnnxModel, writeOnnx } from '../onnx.js';
import { mapSize, sizeOf } from '../shape.js';
import { BlockedEmitter } from './blocked.js';
import { BlockedDepthwise } from './blockedDepthwise.js';
import type { Activation, BlockedMap, Epilogue } from './blockedLayout.js';
import { Emitter } from './emitter.js';
import { LanePlan } from './lanePlan.js';
import { emitBiasedProduct, emitPlain } from './plain.js';

export interface LoweringTarget {
  /** Channels side by side in the machine's blocked kernels (8 or 16), or 0 for standard ONNX only. */
  readonly block: number;
}

/** Writes the model that computes the named outputs from the inputs they need. Inputs keep their names. */
export function lower(outputs: Readonly<Record<string, Expr>>, target: LoweringTarget): Uint8Array<ArrayBuffer> {
  return writeOnnx(new Lowering(outputs, target).model());
}

const elementwiseNames = {
  add: 'Add',
  sub: 'Sub',
  mul: 'Mul',
  div: 'Div',
  relu: 'Relu',
  exp: 'Exp',
  clip: 'Clip',
  step: '',
} as const;

class Lowering {
  private readonly e = new Emitter();
  private readonly blockedEmitter: BlockedEmitter;
  private readonly blockedDepthwise: BlockedDepthwise;
  private readonly plain = new Map<Expr, string>();
  private readonly blocked = new Map<Expr, BlockedMap>();
  private readonly order: Expr[];
  private readonly consumers: ReadonlyMap<Expr, readonly Expr[]>;
  private readonly lanes: LanePlan;
  private readonly results: ReadonlySet<Expr>;

  constructor(
    private readonly outputs: Readonly<Record<string, Expr>>,
    private readonly target: LoweringTarget,
  ) {
    this.blockedEmitter = new BlockedEmitter(this.e, target.block || 1);
    this.blockedDepthwise = new BlockedDepthwise(this.e, target.block || 1);
    this.order = closure(Object.values(outputs));
    this.consumers = consumersOf(this.order);
    this.lanes = new LanePlan(this.order);
    this.results = new Set(Object.values(outputs));
  }

  model(): OnnxModel {
    for (const node of this.order) {
      if (!this.isBlocked(node)) {
        if (!this.isInsideProduct(node)) this.plainName(node);
      } else if (this.results.has(node) || !this.isAbsorbed(node)) this.map(node);
    }
    const outputs = Object.entries(this.outputs).map(([name, node]) => {
      this.e.expose(this.plainName(node), name);
      return { name, type: 'float32' as const, shape: node.shape };
    });
    const inputs = this.order.flatMap(({ op, shape }) =>
      op.kind === 'input' ? [{ name: op.name, type: 'float32' as const, shape }] : [],
    );
    const domains = { '': 17, 'com.microsoft': 1, ...(this.target.block > 0 && { 'com.microsoft.nchwc': 1 }) };
    return { opsets: domains, ...this.e.finish(), inputs, outputs };
  }

  private usersOf(node: Expr): readonly Expr[] {
    return this.consumers.get(node) ?? [];
  }

  /** Whether the value of this expression comes into being in blocked layout. */
  private isBlocked(node: Expr): boolean {
    if (this.target.block === 0 || node.shape.length !== 5) return false;
    switch (node.op.kind) {
      case 'scaleShift':
      case 'pointwise':
      case 'softmaxPositions':
      case 'softmaxTokens':
      case 'depthwise':
      case 'depthwiseInputGradient':
        return true;
      case 'convolution':
        return (node.inputs[0]?.shape[2] ?? 0) < this.target.block;
      case 'add':
      case 'sub':
      case 'mul':
      case 'div':
        return node.inputs.every((x) => x.shape.length === 0 || x.shape.join() === node.shape.join());
      case 'relu':
      case 'exp':
      case 'clip':
      case 'step':
        return true;
      default:
        return false;
    }
  }

  /** Whether every reader computes this value in its own pass, so that it need not exist. */
  private isAbsorbed(node: Expr): boolean {
    const users = this.usersOf(node);
    return users.length > 0 && users.every((user) => this.absorbs(user, node));
  }

  private absorbs(user: Expr, node: Expr): boolean {
    if (!this.isBlocked(user) || !this.isBlocked(node)) return false;
    const once = this.usersOf(node).length === 1;
    if (activationOf(user)) return node.op.kind === 'scaleShift' || (once && this.takesActivation(node));
    return user.op.kind === 'add' && this.fusedOperand(user) === node;
  }

  private takesActivation(node: Expr): boolean {
    return node.op.kind === 'pointwise' || node.op.kind === 'convolution';
  }

  /** The operand of an addition that is computed in the same pass, the other being its addend. */
  private fusedOperand(node: Expr): Expr | undefined {
    const [a, b] = node.inputs;
    if (!a || !b || a === b || a.shape.join() !== b.shape.join()) return undefined;
    const single = (x: Expr) => x.op.kind === 'pointwise' && this.isBlocked(x) && this.usersOf(x).length === 1;
    const cheap = (x: Expr) => x.op.kind === 'scaleShift' && this.isBlocked(x);
    return [a, b].find(single) ?? [b, a].find(cheap);
  }

  private plainName(node: Expr): string {
    const known = this.plain.get(node);
    if (known !== undefined) return known;
    const name = this.e.hasShape(this.emitPlainName(node), node.shape);
    this.plain.set(node, name);
    return name;
  }

  private emitPlainName(node: Expr): string {
    if (this.isBlocked(node)) return this.blockedEmitter.toPlain(this.map(node));
    if (this.smallResult(node)) return this.emitSmall(node);
    if (node.op.kind === 'slice') {
      const piece = this.pieceOf(node);
      if (piece !== undefined) return piece;
    }
    const product = this.biasedProduct(node);
    if (product) return this.emitBiased(product, node);
    return emitPlain(
      this.e,
      node,
      node.inputs.map((operand) => this.plainName(operand)),
    );
  }

  /** Where slices cut up a whole vector (a flat vector of parameters), one Split makes them all. */
  private pieceOf(node: Expr): string | undefined {
    const [vector] = node.inputs;
    if (vector?.shape.length !== 1) return undefined;
    const cuts = this.usersOf(vector).flatMap((user) => (user.op.kind === 'slice' ? [{ ...user.op, user }] : []));
    cuts.sort((a, b) => a.start - b.start);
    const inARow = cuts.every(({ start }, i) => start === (cuts[i - 1]?.end ?? 0)) && cuts.at(-1)?.end === vector.shape[0];
    if (!inARow) return undefined;
    const sizes = cuts.map(({ start, end }) => end - start);
    return this.e.split(this.plainName(vector), 0, sizes)[cuts.findIndex(({ user }) => user === node)];
  }

  /** The matrix product to which this expression adds a row, if nothing else reads it: both are then one pass. */
  private biasedProduct(node: Expr): Expr | undefined {
    const [product, bias] = node.inputs;
    if (node.op.kind !== 'add' || product?.op.kind !== 'matmul' || product.shape.length !== 2) return undefined;
    const isRow = bias?.shape.at(-1) === product.shape[1] && sizeOf(bias?.shape ?? []) === product.shape[1];
    return isRow && this.usersOf(product).length === 1 && !this.results.has(product) ? product : undefined;
  }

  private emitBiased(product: Expr, sum: Expr): string {
    const [a, b, bias] = [...product.inputs, sum.inputs[1]].map((operand) => (operand ? this.plainName(operand) : ''));
    return emitBiasedProduct(this.e, product.op as Op & { kind: 'matmul' }, a ?? '', b ?? '', bias ?? '');
  }

  /** Whether the only reader of this value computes it in its own pass. */
  private isInsideProduct(node: Expr): boolean {
    const [user] = this.usersOf(node);
    return user !== undefined && this.biasedProduct(user) === node;
  }

  /** Row-major results that are read off blocked maps. */
  private smallResult(node: Expr): boolean {
    const kinds: readonly string[] = ['channelSum', 'channelDot', 'gram', 'depthwiseWeightGradient'];
    return this.target.block > 0 && kinds.includes(node.op.kind);
  }

  private emitSmall(node: Expr): string {
    const { op, inputs, shape } = node;
    const [x, y] = inputs;
    const b = this.blockedEmitter;
    if (x && op.kind === 'channelSum') return b.channelSum(this.map(x));
    if (x && y && op.kind === 'channelDot') return b.channelDot(this.map(x), this.mapWith(y, this.lanes.expandOf(x)));
    if (x && y && op.kind === 'gram') return b.gram(this.map(x), this.map(y), op.perClip);
    if (x && y && op.kind === 'depthwiseWeightGradient') {
      return this.blockedDepthwise.depthwiseWeightGradient(this.expanded(x, y), this.mapWith(y, 1), shape[1] ?? 1, op.stride);
    }
    throw new ShapeError(`no blocked lowering for ${op.kind}`);
  }

  /** The value in blocked layout, made or converted when first asked for. */
  private map(node: Expr): BlockedMap {
    const known = this.blocked.get(node);
    if (known) return known;
    const expand = this.lanes.expandOf(node);
    const made = this.isBlocked(node)
      ? this.emitMap(node)
      : this.blockedEmitter.fromPlain(this.plainName(node), mapSize(node.shape, 'blocked'), expand);
    this.blocked.set(node, made);
    return made;
  }

  /** A map with the lanes that a reader insists on; where they differ it goes through row-major. */
  private mapWith(node: Expr, expand: number): BlockedMap {
    const map = this.map(node);
    return map.lanes.expand === expand ? map : this.blockedEmitter.fromPlain(this.plainName(node), map.size, expand);
  }

  /** The result side of an expanding depthwise convolution whose operand side is `narrow`. */
  private expanded(wide: Expr, narrow: Expr): BlockedMap {
    return this.mapWith(wide, (wide.shape[2] ?? 1) / (narrow.shape[2] ?? 1));
  }

  private emitMap(node: Expr): BlockedMap {
    const { op } = node;
    const operand = node.inputs[0];
    const activation = activationOf(node);
    if (activation && operand && this.absorbs(node, operand)) return this.emitWith(operand, { activation });
    if (op.kind === 'add') {
      const fused = this.fusedOperand(node);
      const other = node.inputs.find((x) => x !== fused);
      if (fused && other) return this.emitWith(fused, { addend: this.mapWith(other, this.lanes.expandOf(fused)) });
    }
    if (op.kind in elementwiseNames) return this.emitElementwise(node);
    return this.emitWith(node, {});
  }

  private emitElementwise(node: Expr): BlockedMap {
    const { op } = node;
    const expand = this.lanes.expandOf(node);
    if (op.kind === 'step') return this.blockedEmitter.step(this.mapWith(node.inputs[0] ?? node, expand));
    const operands = node.inputs.map((x) => (x.shape.length === 5 ? this.mapWith(x, expand) : { name: this.plainName(x) }));
    const extra = op.kind === 'clip' ? [this.e.filled(op.low, []), this.e.filled(op.high, [])] : [];
    const name = this.e.node(elementwiseNames[op.kind as 'add'], [...operands.map((x) => x.name), ...extra]);
    return { name, size: mapSize(node.shape, op.kind), lanes: { channels: node.shape[2] ?? 0, expand } };
  }

  /** An operator that is a convolution in blocked layout, with what else happens in its pass. */
  private emitWith(node: Expr, epilogue: Epilogue): BlockedMap {
    const { op, inputs, shape } = node;
    const [x, weight, third] = inputs;
    if (!x) throw new ShapeError(`${op.kind}: no operand`);
    const size = mapSize(shape, op.kind);
    const b = this.blockedEmitter;
    const expand = this.lanes.expandOf(node);
    const names = { weight: weight ? this.plainNameOf(weight) : '', third: third && this.plainNameOf(third) };
    switch (op.kind) {
      case 'scaleShift':
        return b.scaleShift(
          this.mapWith(x, expand),
          names.weight,
          names.third ?? '',
          [weight?.shape[0] ?? 1, third?.shape[0] ?? 1],
          epilogue,
        );
      case 'pointwise':
        return b.pointwise(this.map(x), names.weight, { channels: size.channels, expand }, op.perClip, names.third, epilogue);
      case 'softmaxPositions':
        return b.softmaxPositions(this.mapWith(x, 1));
      case 'softmaxTokens':
        return b.softmaxTokens(this.mapWith(x, 1), op.heads);
      case 'depthwise':
        return this.blockedDepthwise.depthwise(
          this.mapWith(x, 1),
          this.depthwiseWeight(weight),
          op.stride,
          size.height,
          size.width,
          names.third,
        );
      case 'depthwiseInputGradient':
        return this.blockedDepthwise.depthwiseInputGradient(
          this.expanded(x, node),
          this.depthwiseWeight(weight),
          op.stride,
          size,
        );
      case 'convolution':
        return b.convolution(this.plainName(x), mapSize(x.shape, op.kind), names.weight, size, op.stride, names.third, epilogue);
      default:
        throw new ShapeError(`no blocked lowering for ${op.kind}`);
    }
  }

  /** Operands of rank 5 are maps, all others are needed row-major. */
  private plainNameOf(x: Expr): string {
    return x.shape.length === 5 ? '' : this.plainName(x);
  }

  private depthwiseWeight(weight: Expr | undefined) {
    if (!weight) throw new ShapeError('depthwise: no weight');
    return { name: this.plainName(weight), out: weight.shape[0] ?? 0, kt: weight.shape[1] ?? 0 };
  }
}

/** Who reads each expression; twice where it is read twice. */
function consumersOf(order: readonly Expr[]): Map<Expr, Expr[]> {
  const consumers = new Map<Expr, Expr[]>(order.map((node) => [node, []]));
  for (const node of order) {
    for (const operand of node.inputs) consumers.get(operand)?.push(node);
  }
  return consumers;
}

/** The activation that this expression is, if a convolution's pass can include it. */
function activationOf(node: Expr): Activation | undefined {
  if (node.op.kind === 'relu') return 'Relu';
  if (node.op.kind === 'step') return 'Step';
  if (node.op.kind === 'clip') return { low: node.op.low, high: node.op.high };
  return undefined;
}
