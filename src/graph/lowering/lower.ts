/**
 * From expressions to one ONNX model. Each value may exist row-major, blocked, or both; which operators work in blocked layout,
 * and what is fused into one pass, is decided here and only here. With `block` 0 everything is row-major standard ONNX.
 */

import { ShapeError } from '../../errors.js';
import { closure, type Expr, type Op, type OpOf } from '../expr.js';
import { type OnnxModel, writeOnnx } from '../onnx.js';
import type { Sliding } from '../operators/window.js';
import { mapSize, type Shape, sizeOf } from '../shape.js';
import { BlockedEmitter } from './blocked.js';
import { BlockedConvolution } from './blockedConvolution.js';
import { BlockedDepthwise } from './blockedDepthwise.js';
import { hasPhases } from './blockedInputGradient.js';
import type { Activation, BlockedMap, Epilogue } from './blockedLayout.js';
import { Emitter } from './emitter.js';
import { frameByFrame } from './frameByFrame.js';
import { LanePlan } from './lanePlan.js';
import { LaneVectors } from './laneVectors.js';
import { Origins } from './origins.js';
import { emitBiasedProduct, emitPlain } from './plain.js';
import { turnedLate } from './turned.js';

export interface LoweringTarget {
  /** Channels side by side in the machine's blocked kernels (8 or 16), or 0 for standard ONNX only. */
  readonly block: number;
  /** Which part of the network an expression belongs to: put before the names of its nodes, for profiles. */
  readonly partOf?: (node: Expr) => string;
}

/** Writes the model that computes the named outputs from the inputs they need. Inputs keep their names. */
export function lower(outputs: Readonly<Record<string, Expr>>, target: LoweringTarget): Uint8Array<ArrayBuffer> {
  if (target.block === 0) return writeOnnx(new Lowering(outputs, target).model());
  const origins = new Origins();
  const rewritten = turnedLate(frameByFrame(outputs, largeBytes, origins), origins);
  const partOf = (node: Expr) => target.partOf?.(origins.of(node)) ?? '';
  return writeOnnx(new Lowering(rewritten, { ...target, partOf }).model());
}

/** The same as data, in operators of the ONNX standard only. */
export function lowerStandard(outputs: Readonly<Record<string, Expr>>): OnnxModel {
  return { ...new Lowering(outputs, { block: 0 }).model(), opsets: { '': 17 } };
}

/**
 * From this size on maps are computed frame by frame, which makes networks of 2 and 4 G multiply-adds 10 to 15 % faster; for maps of 3 MB the many
 * nodes cost more than the caches give back (measured on an EPYC with 32 MB of last-level cache).
 */
const largeBytes = 6e6;

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
  private readonly blockedConvolution: BlockedConvolution;
  private readonly plain = new Map<Expr, string>();
  private readonly blocked = new Map<Expr, BlockedMap>();
  private readonly order: Expr[];
  private readonly consumers: ReadonlyMap<Expr, readonly Expr[]>;
  private readonly lanes: LanePlan;
  private readonly vectors: LaneVectors;
  private readonly results: ReadonlySet<Expr>;

  constructor(
    private readonly outputs: Readonly<Record<string, Expr>>,
    private readonly target: LoweringTarget,
  ) {
    this.blockedEmitter = new BlockedEmitter(this.e, target.block || 1);
    this.blockedDepthwise = new BlockedDepthwise(this.e, target.block || 1);
    this.blockedConvolution = new BlockedConvolution(this.e, target.block || 1);
    this.order = closure(Object.values(outputs));
    this.consumers = consumersOf(this.order);
    this.lanes = new LanePlan(this.order);
    this.vectors = new LaneVectors(
      this.e,
      this.blockedEmitter,
      (node) => this.plainName(node),
      (node) => this.biasedProduct(node),
    );
    this.results = new Set(Object.values(outputs));
  }

  model(): OnnxModel {
    for (const node of this.order) {
      this.e.part = this.target.partOf?.(node) ?? '';
      if (!this.isBlocked(node)) {
        if (!this.isInsideProduct(node)) this.plainName(node);
      } else if (this.results.has(node) || !this.isAbsorbed(node)) this.map(node);
    }
    const outputs = Object.entries(this.outputs).map(([name, node]) => {
      const kept = this.remembered(name, node);
      this.e.expose(kept?.name ?? this.plainName(node), name);
      return { name, type: 'float32' as const, shape: kept?.shape ?? node.shape };
    });
    const inputs = this.order.flatMap((node) => {
      const { op, shape } = node;
      if (op.kind !== 'input' && op.kind !== 'memory') return [];
      const kept = op.kind === 'memory' && this.isBlocked(node) ? this.blockedEmitter.nominal(this.map(node)) : shape;
      return [{ name: op.name, type: 'float32' as const, shape: kept }];
    });
    const { block } = this.target;
    const domains = { '': 17, 'com.microsoft': 1, ...(block > 0 && { 'com.microsoft.nchwc': 1 }) };
    const metadata = block > 0 ? { metadata: { block: `${block}` } } : {};
    return { opsets: domains, ...metadata, ...this.e.finish(), inputs, outputs };
  }

  /** A map that comes back in a later run (see memory in expr.ts) stays in blocked layout, channels in order. */
  private remembered(name: string, node: Expr): { readonly name: string; readonly shape: readonly number[] } | undefined {
    if (!node.isMap || this.target.block === 0 || !/[.](next|push)$/.test(name)) return undefined;
    const map = this.mapWith(node, 1);
    return { name: map.name, shape: this.blockedEmitter.nominal(map) };
  }

  private usersOf(node: Expr): readonly Expr[] {
    return this.consumers.get(node) ?? [];
  }

  /** Whether the value of this expression comes into being in blocked layout. */
  private isBlocked(node: Expr): boolean {
    if (this.target.block === 0 || !node.isMap) return false;
    switch (node.op.kind) {
      case 'scaleShift':
      case 'pointwise':
      case 'softmaxPositions':
      case 'softmaxTokens':
      case 'depthwise':
      case 'depthwiseTaps':
      case 'memory':
        return true;
      case 'depthwiseInputGradient':
        return this.hasBlockedGradient(node, node.op, node.inputs[1]?.shape.slice(2) ?? []);
      case 'convolutionInputGradient':
        return (
          this.groupsAreBlocks(node.inputs[1]?.shape ?? [], node.op.groups) &&
          this.hasBlockedGradient(node, node.op, node.inputs[1]?.shape.slice(3) ?? [])
        );
      case 'regroup':
        return node.inputs.every((x) => this.isBlocked(x));
      case 'slice':
      case 'concat':
        return node.op.axis === 0 && node.inputs.some((x) => this.isBlocked(x));
      case 'transpose':
        return node.op.order[1] === 1 && node.op.order[2] === 2 && node.inputs.every((x) => this.isBlocked(x));
      case 'convolution':
        return this.groupsAreBlocks(node.inputs[1]?.shape ?? [], node.op.groups);
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

  private groupsAreBlocks([out = 0, into = 0]: Shape, groups: number): boolean {
    return groups === 1 || (into % this.target.block === 0 && (out / groups) % this.target.block === 0);
  }

  private hasBlockedGradient({ inputs: [dy], shape }: Expr, sliding: Sliding, [kh = 1, kw = 1]: Shape): boolean {
    return dy !== undefined && hasPhases([kh, kw], mapSize(dy.shape, 'gradient'), mapSize(shape, 'gradient'), sliding);
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
    const kinds: readonly string[] = ['pointwise', 'convolution', 'depthwise', 'depthwiseTaps'];
    return kinds.includes(node.op.kind);
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
    const rows = this.channelsLast(node);
    if (rows !== undefined) return rows;
    const product = this.biasedProduct(node);
    if (product) return this.emitBiased(product, node);
    return emitPlain(
      this.e,
      node,
      node.inputs.map((operand) => this.plainName(operand)),
    );
  }

  /** A blocked map with its channels turned to the last axis, which one reorder does. */
  private channelsLast({ op, inputs: [x], shape }: Expr): string | undefined {
    if (op.kind !== 'transpose' || !x || !this.isBlocked(x) || op.order.join() !== '0,1,3,4,2') return undefined;
    return this.e.reshape(this.blockedEmitter.toChannelsLast(this.mapWith(x, 1)), shape);
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
    if (x && y && op.kind === 'channelDot') {
      const left = this.map(x);
      return b.channelDot(left, this.mapWith(y, left.lanes.expand));
    }
    if (x && y && op.kind === 'gram') return this.emitGram(x, y, op.perClip);
    if (x && y && op.kind === 'depthwiseWeightGradient') {
      const kernel = [shape[1] ?? 1, shape[2] ?? 1, shape[3] ?? 1] as const;
      return this.blockedDepthwise.depthwiseWeightGradient(this.expanded(x, y), this.mapWith(y, 1), kernel, op);
    }
    throw new ShapeError(`no blocked lowering for ${op.kind}`);
  }

  /**
   * Where attention over positions is only used for a weighted sum, the sum is taken with the exponentials, and its few results
   * are divided instead of the whole map.
   */
  private emitGram(y: Expr, x: Expr, perClip: boolean): string {
    const b = this.blockedEmitter;
    const [scores] = y.inputs;
    if (y.op.kind !== 'softmaxPositions' || !scores || !perClip || this.usersOf(y).length > 1)
      return b.gram(this.map(y), this.map(x), perClip);
    const { exps, scale } = b.exponentials(this.mapWith(scores, 1));
    return this.e.node('Mul', [b.gram(exps, this.map(x), true), scale]);
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
    if (op.kind === 'memory')
      return { name: op.name, size: mapSize(node.shape, op.kind), lanes: { channels: node.shape[2] ?? 0, expand: 1 } };
    if (op.kind === 'slice' || op.kind === 'concat') return this.emitFrames(node);
    if (op.kind === 'regroup' && operand) return { ...this.map(operand), size: mapSize(node.shape, op.kind) };
    return this.emitWith(node, {});
  }

  /** Some of the frames, or frames of several maps: whole images, one after the other in memory. */
  private emitFrames(node: Expr): BlockedMap {
    const { op, inputs, shape } = node;
    const expand = this.lanes.expandOf(node);
    const maps = inputs.map((x) => this.mapWith(x, expand));
    const size = mapSize(shape, op.kind);
    const lanes = { channels: size.channels, expand };
    const [first] = maps;
    if (op.kind === 'slice' && first) {
      const all = inputs.flatMap((x) => this.usersOf(x)).filter((user) => user.op.kind === 'slice');
      if (size.frames === 1 && all.length === first.size.frames) {
        const frames = this.e.split(first.name, 0, Array<number>(all.length).fill(size.clips));
        return { name: frames[op.start] ?? '', size, lanes };
      }
      return { name: this.e.slice(first.name, 0, op.start * size.clips, op.end * size.clips), size, lanes };
    }
    return {
      name: this.e.node(
        'Concat',
        maps.map(({ name }) => name),
        { axis: 0 },
      ),
      size,
      lanes,
    };
  }

  private emitElementwise(node: Expr): BlockedMap {
    const { op } = node;
    const expand = this.lanes.expandOf(node);
    if (op.kind === 'step') return this.blockedEmitter.step(this.mapWith(node.inputs[0] ?? node, expand));
    const operands = node.inputs.map((x) => (x.shape.length === 0 ? { name: this.plainName(x) } : this.mapWith(x, expand)));
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
          weight ? this.vectors.vector(weight, { channels: size.channels, expand }) : '',
          third ? this.vectors.vector(third, { channels: size.channels, expand }) : '',
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
        return this.emitDepthwise(node, op, epilogue.activation);
      case 'depthwiseTaps':
        return this.depthwiseTaps(node, epilogue.activation);
      case 'transpose':
        return b.transposed(this.mapWith(x, expand), op.order, size);
      case 'depthwiseInputGradient':
        return this.blockedDepthwise.depthwiseInputGradient(this.expanded(x, node), this.depthwiseWeight(weight), op, size);
      case 'convolution':
        return this.emitConvolution(node, op, epilogue);
      case 'convolutionInputGradient':
        return this.blockedConvolution.inputGradient(this.mapWith(x, 1), this.denseWeight(weight, op.groups), {
          sliding: op,
          size,
        });
      default:
        throw new ShapeError(`no blocked lowering for ${op.kind}`);
    }
  }

  private emitConvolution(node: Expr, op: OpOf<'convolution'>, epilogue: Epilogue): BlockedMap {
    const [x, weight, bias] = node.inputs;
    if (!x) throw new ShapeError('convolution: no operand');
    const w = this.denseWeight(weight, op.groups);
    const options = { sliding: op, size: mapSize(node.shape, op.kind), bias: bias && this.plainName(bias) };
    if (op.groups > 1 || (x.shape[2] ?? 0) >= this.target.block)
      return this.blockedConvolution.convolution(this.mapWith(x, 1), w, options, epilogue);
    return this.blockedConvolution.ofPlain(this.plainName(x), x.shape, w, options, epilogue);
  }

  private denseWeight(weight: Expr | undefined, groups: number) {
    if (!weight) throw new ShapeError('convolution: no weight');
    return { name: this.plainName(weight), shape: weight.shape, groups };
  }

  private emitDepthwise(node: Expr, op: OpOf<'depthwise'>, activation: Activation | undefined): BlockedMap {
    const [x, weight, bias] = node.inputs;
    if (!x) throw new ShapeError('depthwise: no operand');
    return this.blockedDepthwise.depthwise(this.mapWith(x, 1), this.depthwiseWeight(weight), {
      sliding: op,
      size: mapSize(node.shape, op.kind),
      ...(bias && { bias: this.plainName(bias) }),
      ...(activation && { activation }),
    });
  }

  private depthwiseTaps({ op, inputs, shape }: Expr, activation: Activation | undefined): BlockedMap {
    const [weight, bias] = inputs.filter(({ isMap }) => !isMap);
    const maps = inputs.filter(({ isMap }) => isMap).map((x) => this.mapWith(x, 1));
    if (op.kind !== 'depthwiseTaps') throw new ShapeError(`${op.kind}: no taps`);
    return this.blockedDepthwise.depthwiseTaps(maps, this.depthwiseWeight(weight), {
      sliding: op,
      size: mapSize(shape, op.kind),
      ...(bias && { bias: this.plainName(bias) }),
      ...(activation && { activation }),
    });
  }

  /** Maps are needed blocked, all other operands row-major. */
  private plainNameOf(x: Expr): string {
    return x.isMap ? '' : this.plainName(x);
  }

  private depthwiseWeight(weight: Expr | undefined) {
    if (!weight) throw new ShapeError('depthwise: no weight');
    const [out = 0, kt = 1, kh = 1, kw = 1] = weight.shape;
    return { name: this.plainName(weight), out, kernel: [kt, kh, kw] as const };
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
