/**
 * Expressions to one ONNX model: rewriting passes, then emission in row-major and blocked (NCHWc) layout. `block` 0: standard ONNX.
 */

import { ShapeError } from '../../errors.js';
import { type Expr, type OpOf, topologicalOrder } from '../expr.js';
import { type Graph, inputName, modelOutputs, roleOf } from '../graph.js';
import { type OnnxModel, writeOnnx } from '../onnx.js';
import { emitBiasedProduct } from '../operators/matmul.js';
import type { NchwcLowering } from '../operators/operator.js';
import { operatorOf } from '../operators/registry.js';
import { mapSize } from '../shape.js';
import { BlockedLayout, type BlockedMap, type Epilogue, type Lanes } from './blockedLayout.js';
import { ChannelOrder } from './channelOrder.js';
import { type Dialect, Emitter } from './emitter.js';
import { frameTiling } from './frameTiling.js';
import { Fusion } from './fusion.js';
import { LaneVectors } from './laneVectors.js';
import { Provenance } from './provenance.js';
import { timeInnermost } from './timeInnermost.js';

export interface LoweringTarget extends Dialect {
  /** Channels side by side in the machine's blocked kernels (8 or 16), or 0 for standard ONNX only. */
  readonly block: number;
  /** Which part of the network an expression belongs to: put before the names of its nodes, for profiles. */
  readonly partOf?: (node: Expr) => string;
}

type Outputs = Readonly<Record<string, Expr>>;
type Pass = (outputs: Outputs, provenance: Provenance) => Outputs;

/**
 * Frame tiling makes networks of 2 and 4 GMACs 10 to 15 % faster; at maps of 3 MB node overhead outweighs it (measured, EPYC, 32 MB
 * L3).
 */
const largeBytes = 6e6;

const nchwcPasses: Readonly<Record<string, Pass>> = {
  frameTiling: (outputs, provenance) => frameTiling(outputs, largeBytes, provenance),
  timeInnermost,
};

/**
 * Writes the model that computes a graph from the inputs it needs. Inputs and outputs keep their names; state has those of
 * graph.ts.
 */
export function lower(graph: Graph, target: LoweringTarget): Uint8Array<ArrayBuffer> {
  const outputs = modelOutputs(graph);
  if (target.block === 0) return writeOnnx(new Lowering(outputs, target).model());
  const provenance = new Provenance();
  const rewritten = Object.values(nchwcPasses).reduce((from, pass) => pass(from, provenance), outputs);
  const partOf = (node: Expr) => target.partOf?.(provenance.of(node)) ?? '';
  return writeOnnx(new Lowering(rewritten, { ...target, partOf }).model());
}

/** The same as data, in operators of the ONNX standard only. */
export function lowerStandard(graph: Graph): OnnxModel {
  return { ...new Lowering(modelOutputs(graph), { block: 0 }).model(), opsets: { '': 17 } };
}

class Lowering implements NchwcLowering {
  readonly e: Emitter;
  readonly layout: BlockedLayout;
  private readonly rowMajor = new Map<Expr, string>();
  private readonly blocked = new Map<Expr, BlockedMap>();
  private readonly order: Expr[];
  private readonly fusion: Fusion;
  private readonly channels: ChannelOrder;
  private readonly vectors: LaneVectors;

  constructor(
    private readonly outputs: Outputs,
    private readonly target: LoweringTarget,
  ) {
    this.e = new Emitter(target);
    this.layout = new BlockedLayout(this.e, target.block || 1);
    this.order = topologicalOrder(Object.values(outputs));
    this.fusion = new Fusion(this.order, Object.values(outputs), (x) => this.isNchwc(x));
    this.channels = new ChannelOrder(this.order);
    this.vectors = new LaneVectors(this.e, this.layout, (node) => this.standard(node), this.fusion.biasedProduct);
  }

  model(): OnnxModel {
    for (const node of this.order) this.emit(node);
    const outputs = Object.entries(this.outputs).map(([name, node]) => {
      const kept = this.remembered(name, node);
      this.e.expose(kept?.name ?? this.standard(node), name);
      return { name, type: 'float32' as const, shape: kept?.shape ?? node.shape };
    });
    const inputs = this.order.flatMap((node) => {
      const { op, shape } = node;
      const name = inputName(op);
      if (name === undefined) return [];
      const kept = op.kind === 'state' && this.isNchwc(node) ? this.layout.nominal(this.map(node)) : shape;
      return [{ name, type: 'float32' as const, shape: kept }];
    });
    const { block } = this.target;
    const domains = { '': 17, 'com.microsoft': 1, ...(block > 0 && { 'com.microsoft.nchwc': 1 }) };
    const metadata = block > 0 ? { metadata: { block: `${block}` } } : {};
    return { opsets: domains, ...metadata, ...this.e.finish(), inputs, outputs };
  }

  private emit(node: Expr): void {
    this.e.part = this.target.partOf?.(node) ?? '';
    if (!this.isNchwc(node)) {
      if (!this.fusion.isInsideProduct(node)) this.standard(node);
    } else if (this.fusion.isResult(node) || !this.fusion.isAbsorbed(node)) this.map(node);
  }

  /** State stays in blocked layout, channels in order. */
  private remembered(name: string, node: Expr): { readonly name: string; readonly shape: readonly number[] } | undefined {
    if (!node.isMap || this.target.block === 0 || roleOf(name).role === 'output') return undefined;
    const map = this.mapWith(node, 1);
    return { name: map.name, shape: this.layout.nominal(map) };
  }

  usersOf(x: Expr): readonly Expr[] {
    return this.fusion.usersOf(x);
  }

  lanesOf(x: Expr): Lanes {
    return { channels: x.shape[2] ?? 0, expand: this.channels.expandOf(x) };
  }

  vector(x: Expr, lanes: Lanes): string {
    return this.vectors.vector(x, lanes);
  }

  isNchwc(node: Expr): boolean {
    const { nchwc } = operatorOf(node);
    if (this.target.block === 0 || !node.isMap || !nchwc) return false;
    return nchwc.suits?.(this, node) ?? true;
  }

  standard(node: Expr): string {
    const known = this.rowMajor.get(node);
    if (known !== undefined) return known;
    const name = this.e.hasShape(this.emitStandard(node), node.shape);
    this.rowMajor.set(node, name);
    return name;
  }

  private emitStandard(node: Expr): string {
    if (this.isNchwc(node)) return this.layout.toPlain(this.map(node));
    const { reads, emit } = operatorOf(node);
    if (this.target.block > 0 && reads && (reads.suits?.(this, node) ?? true)) return reads.emit(this, node);
    const [first = node] = node.inputs;
    const pieces = this.fusion.pieces(node);
    if (pieces) return this.e.split(this.standard(first), 0, pieces.sizes)[pieces.start] ?? '';
    const product = this.fusion.biasedProduct(node);
    if (product) return this.emitBiased(product, node);
    return emit(this.e, node, node.inputs.map((operand) => this.standard(operand))); // biome-ignore format: one line
  }

  private emitBiased(product: Expr, sum: Expr): string {
    const [a = '', b = '', bias = ''] = [...product.inputs, ...sum.inputs.slice(1)].map((operand) => this.standard(operand));
    return emitBiasedProduct(this.e, product.op as OpOf<'matmul'>, [a, b, bias]);
  }

  map(node: Expr): BlockedMap {
    const known = this.blocked.get(node);
    if (known) return known;
    const made = this.isNchwc(node)
      ? this.emitMap(node)
      : this.layout.fromPlain(this.standard(node), mapSize(node.shape, 'blocked'), this.channels.expandOf(node));
    this.blocked.set(node, made);
    return made;
  }

  /** Where lanes differ the map goes through row-major. */
  mapWith(node: Expr, expand: number): BlockedMap {
    const map = this.map(node);
    return map.lanes.expand === expand ? map : this.layout.fromPlain(this.standard(node), map.size, expand);
  }

  private emitMap(node: Expr): BlockedMap {
    const [operand] = node.inputs;
    const activation = this.fusion.activationOf(node);
    if (activation && operand && this.fusion.absorbs(node, operand)) return this.emitWith(operand, { activation });
    const fused = node.op.kind === 'add' ? this.fusion.fusedOperand(node) : undefined;
    const other = node.inputs.find((x) => x !== fused);
    if (fused && other) return this.emitWith(fused, { addend: this.mapWith(other, this.channels.expandOf(fused)) });
    return this.emitWith(node, {});
  }

  private emitWith(node: Expr, epilogue: Epilogue): BlockedMap {
    const { nchwc } = operatorOf(node);
    if (!nchwc) throw new ShapeError(`no blocked lowering for ${node.op.kind}`);
    return nchwc.emit(this, node, epilogue);
  }
}
