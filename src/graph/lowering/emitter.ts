/** Collects the nodes and constants of an ONNX graph; equal ones exist once. */

import type { OnnxAttribute, OnnxNode, OnnxTensor } from '../onnx.js';
import { type Shape, sizeOf } from '../shape.js';

type Attributes = Readonly<Record<string, OnnxAttribute>>;

/** Operators of ONNX itself, of ONNX Runtime, and of ONNX Runtime's blocked (NCHWc) layout. */
export type Domain = '' | 'com.microsoft' | 'com.microsoft.nchwc';

/** Limits of the target runtime. */
export interface Dialect {
  /** Inputs and outputs that a node may have: a Split into more becomes Slices. */
  readonly maxOperands?: number;
  /** Whether there is a LogSoftmax. */
  readonly logSoftmax?: boolean;
}

export class Emitter {
  private readonly constants: OnnxTensor[] = [];
  private readonly made: OnnxNode[] = [];
  /** Values made by nodes, not inputs or constants. */
  private readonly results = new Set<string>();
  private readonly exposed = new Map<string, string>();
  private readonly outputs = new Set<string>();
  private readonly shared = new Map<string, string>();
  private readonly sharedSplits = new Map<string, string[]>();
  /** Sources of reshaped values, and the shapes of values where known. */
  private readonly reshaped = new Map<string, string>();
  private readonly shapes = new Map<string, Shape>();
  private count = 0;
  /** Put before the names of the nodes that are made from now on; without it they have none. */
  part = '';

  constructor(readonly dialect: Dialect = {}) {}

  /** A name that nothing else has. */
  name(hint: string): string {
    return `${hint}_${this.count++}`;
  }

  /** Adds a node with one output, unless there is one like it, and returns the output's name. */
  node(type: string, inputs: readonly string[], attributes: Attributes = {}, domain: Domain = ''): string {
    return this.once(`n ${domain} ${type} ${inputs} ${JSON.stringify(attributes)}`, () => {
      const output = this.name(type);
      this.results.add(output);
      this.made.push({ type, domain, inputs, outputs: [output], attributes, ...this.named(output) });
      return output;
    });
  }

  private named(output: string): { readonly name?: string } {
    return this.part === '' ? {} : { name: `${this.part}/${output}` };
  }

  /** Cuts a value into pieces of these sizes along an axis. */
  split(input: string, axis: number, sizes: readonly number[]): string[] {
    if (sizes.length >= (this.dialect.maxOperands ?? Number.POSITIVE_INFINITY)) return this.slices(input, axis, sizes);
    const key = `${input} ${axis} ${sizes}`;
    const known = this.sharedSplits.get(key);
    if (known) return known;
    const outputs = sizes.map(() => this.name('Split'));
    for (const output of outputs) this.results.add(output);
    this.made.push({ type: 'Split', inputs: [input, this.integers(sizes)], outputs, attributes: { axis } });
    this.sharedSplits.set(key, outputs);
    return outputs;
  }

  private slices(input: string, axis: number, sizes: readonly number[]): string[] {
    let start = 0;
    return sizes.map((size) => {
      start += size;
      return this.slice(input, axis, start - size, start);
    });
  }

  /** Records the shape of a value, so that no reshape to it is emitted. */
  hasShape(value: string, shape: Shape): string {
    this.shapes.set(value, shape);
    return value;
  }

  /**
   * Makes a value an output of the graph under this name. The node that makes it is renamed rather than followed by an Identity,
   * whose removal ONNX Runtime 1.30 gets wrong where a value is both an output and read inside.
   */
  expose(value: string, name: string): void {
    this.outputs.add(name);
    if (this.results.has(value) && !this.exposed.has(value)) this.exposed.set(value, name);
    else this.made.push({ type: 'Identity', inputs: [value], outputs: [name] });
  }

  /**
   * The nodes that the exposed values need, in an order in which they can run, and their constants. An unread node would keep
   * ONNX Runtime from working in place on its inputs.
   */
  finish(): { readonly nodes: OnnxNode[]; readonly initializers: OnnxTensor[] } {
    const named = (value: string) => this.exposed.get(value) ?? value;
    const needed = new Set(this.outputs);
    const nodes: OnnxNode[] = [];
    for (const node of this.made.toReversed()) {
      const outputs = node.outputs.map(named);
      if (!outputs.some((value) => needed.has(value))) continue;
      const inputs = node.inputs.map(named);
      for (const value of inputs) needed.add(value);
      nodes.push({ ...node, inputs, outputs });
    }
    return { nodes: nodes.reverse(), initializers: this.constants.filter(({ name }) => needed.has(name)) };
  }

  /** A float constant; constants of one value are shared. */
  floats(data: Float32Array, shape: Shape): string {
    const [first] = data;
    const uniform = first !== undefined && data.length <= 1 << 20 && data.every((value) => Object.is(value, first));
    const make = () => this.initializer('float32', shape, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return uniform ? this.once(`f ${first} ${Object.is(first, -0)} ${shape}`, make) : make();
  }

  /** A float constant with one value everywhere. */
  filled(value: number, shape: Shape): string {
    return this.floats(new Float32Array(sizeOf(shape)).fill(value), shape);
  }

  /** A one-axis int64 constant (shapes, axes, paddings). */
  integers(values: readonly number[]): string {
    const bytes = () => new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.once(`i ${values}`, () => this.initializer('int64', [values.length], bytes()));
  }

  /** The value under another shape; one size may be -1, what is left. */
  reshape(x: string, shape: Shape): string {
    const source = this.reshaped.get(x) ?? x;
    if (this.shapes.get(source)?.join() === shape.join()) return source;
    const y = this.node('Reshape', [source, this.integers(shape)]);
    this.reshaped.set(y, source);
    return y;
  }

  transpose(x: string, order: readonly number[]): string {
    return this.node('Transpose', [x], { perm: order });
  }

  /** Zero padding, or cropping where a number is negative: as many elements before and after each axis. */
  pad(x: string, before: readonly number[], after: readonly number[]): string {
    return [...before, ...after].every((n) => n === 0) ? x : this.node('Pad', [x, this.integers([...before, ...after])]);
  }

  /** Sums over axes, which stay with one element unless `keep` is false. */
  sum(x: string, axes: readonly number[], keep = true): string {
    return this.node('ReduceSum', [x, this.integers(axes)], { keepdims: keep ? 1 : 0 });
  }

  slice(x: string, axis: number, start: number, end: number): string {
    return this.node('Slice', [x, this.integers([start]), this.integers([end]), this.integers([axis])]);
  }

  private once(key: string, make: () => string): string {
    const known = this.shared.get(key) ?? make();
    this.shared.set(key, known);
    return known;
  }

  private initializer(type: 'float32' | 'int64', shape: Shape, bytes: Uint8Array): string {
    const name = this.name('c');
    this.constants.push({ name, type, shape, bytes });
    return name;
  }
}
