/**
 * One model for any batch size from two lowered for different ones: shape constants proportional to the batch become -1 or are
 * computed from the input; rows repeated per clip are broadcast. Any other difference is an error.
 */

import { ShapeError } from '../errors.js';
import { integersOf } from './constantNodes.js';
import type { OnnxModel, OnnxNode, OnnxTensor, OnnxValue } from './onnx.js';

/** A model lowered for `clips` clips a run. */
export interface FixedBatch {
  readonly clips: number;
  readonly model: OnnxModel;
}

/** Batches that share no factor with each other or, being primes, with other sizes; a coincidence would be an error below. */
export const twoBatches = [509, 521] as const;

/** The model whose batch is the run's own; its inputs and outputs have the axis `batch` in place of the number. */
export function withDynamicBatch(a: FixedBatch, b: FixedBatch): OnnxModel {
  return new Opening(a, b).model();
}

function fail(what: string): never {
  throw new ShapeError(`the network depends on its batch in a way that cannot be left open: ${what}`);
}

class Opening {
  private readonly tensors = new Map<string, OnnxTensor>();
  private readonly first: OnnxNode[] = [];

  constructor(
    private readonly a: FixedBatch,
    private readonly b: FixedBatch,
  ) {}

  model(): OnnxModel {
    const [a, b] = [this.a.model, this.b.model];
    if (a.nodes.length !== b.nodes.length) fail(`${a.nodes.length} and ${b.nodes.length} nodes`);
    const values = (of: 'inputs' | 'outputs') => a[of].map((value, i) => this.value(value, b[of][i]));
    const inputs = values('inputs');
    const nodes = this.nodes();
    if (this.first.length > 0) this.first.unshift(batchOf(inputs));
    return {
      ...a,
      nodes: [...this.first, ...nodes],
      initializers: [...this.tensors.values()],
      inputs,
      outputs: values('outputs'),
    };
  }

  private nodes(): OnnxNode[] {
    const [constantsA, constantsB] = [this.a, this.b].map(({ model }) => new Map(model.initializers.map((t) => [t.name, t])));
    return this.a.model.nodes.map((node, i) => {
      const twin = this.b.model.nodes[i];
      if (!twin || !sameKind(node, twin)) fail(`node ${i} is ${node.type} and ${twin?.type}`);
      const inputs = node.inputs.map((name, k) => {
        const [x, y] = [constantsA?.get(name), constantsB?.get(twin.inputs[k] ?? '')];
        if (!x && !y) return name;
        return x && y ? this.constant(x, y, node) : fail(`operand ${k} of ${node.type}`);
      });
      return { ...node, inputs };
    });
  }

  private add(tensor: OnnxTensor): string {
    this.tensors.set(tensor.name, tensor);
    return tensor.name;
  }

  private grows(x: number, y: number | undefined): boolean {
    return x > 0 && x !== y && x * this.b.clips === (y ?? 0) * this.a.clips;
  }

  private constant(x: OnnxTensor, y: OnnxTensor, reader: OnnxNode): string {
    if (x.type !== y.type || x.shape.length !== y.shape.length) return fail(`a constant of ${reader.type}`);
    if (x.shape.join() === y.shape.join() && sameBytes(x.bytes, y.bytes)) return this.add(x);
    if (x.type !== 'int64') return this.repeated(x, y, reader);
    return reader.type === 'Reshape' ? this.openShape(x, y) : this.computed(x, y, reader);
  }

  private openShape(x: OnnxTensor, y: OnnxTensor): string {
    const [sizesX, sizesY] = [integersOf(x), integersOf(y)];
    const sizes = sizesX.map((size, i) => (this.grows(size, sizesY[i]) ? -1 : size));
    if (sizes.some((size, i) => size !== -1 && size !== sizesY[i]) || sizes.filter((size) => size === -1).length !== 1)
      return fail(`a reshape to [${sizesX}] and [${sizesY}]`);
    return this.add(integers(`${x.name}_open`, sizes));
  }

  /** Where an operator cuts: k * B, or the same for any batch. */
  private computed(x: OnnxTensor, y: OnnxTensor, reader: OnnxNode): string {
    const [sizesX, sizesY] = [integersOf(x), integersOf(y)];
    const factors = sizesX.map((size, i) => (this.grows(size, sizesY[i]) ? size / this.a.clips : 0));
    const fixed = sizesX.map((size, i) => (factors[i] === 0 ? size : 0));
    if (!factors.every(Number.isInteger) || fixed.some((size, i) => factors[i] === 0 && size !== sizesY[i]))
      return fail(`[${sizesX}] and [${sizesY}] for ${reader.type}`);
    const name = `${x.name}_computed`;
    if (this.tensors.has(`${x.name}_factors`)) return name;
    const [times, plus] = [integers(`${x.name}_factors`, factors), integers(`${x.name}_fixed`, fixed)].map((t) => this.add(t));
    this.first.push(
      { type: 'Mul', inputs: [batchName, times ?? ''], outputs: [`${x.name}_grown`] },
      { type: 'Add', inputs: [`${x.name}_grown`, plus ?? ''], outputs: [name] },
    );
    return name;
  }

  /** Rows [k*B, ..] identical for all clips: kept as [k, 1, ..] and broadcast. */
  private repeated(x: OnnxTensor, y: OnnxTensor, reader: OnnxNode): string {
    const [rowsX = 0, ...rest] = x.shape;
    const [rowsY, ...restY] = y.shape;
    const [onceX, onceY] = [onceAClip(x, this.a.clips), onceAClip(y, this.b.clips)];
    if (!this.grows(rowsX, rowsY) || rest.join() !== restY.join() || !onceX || !onceY || !sameBytes(onceX, onceY))
      return fail(`a constant of shape [${x.shape}] and [${y.shape}] for ${reader.type}`);
    const name = `${x.name}_rows`;
    if (this.tensors.has(x.name)) return name;
    const count = rowsX / this.a.clips;
    const once = this.add({ ...x, shape: [count, 1, ...rest], bytes: onceX });
    const sizes = [
      integers(`${x.name}_count`, [count]),
      integers(`${x.name}_rest`, rest),
      integers(`${x.name}_open`, [-1, ...rest]),
    ];
    const [before = '', after = '', open = ''] = sizes.map((tensor) => this.add(tensor));
    this.first.push(
      { type: 'Concat', inputs: [before, batchName, after], outputs: [`${x.name}_shape`], attributes: { axis: 0 } },
      { type: 'Expand', inputs: [once, `${x.name}_shape`], outputs: [`${x.name}_spread`] },
      { type: 'Reshape', inputs: [`${x.name}_spread`, open], outputs: [name] },
    );
    return name;
  }

  private value(x: OnnxValue, y: OnnxValue | undefined): OnnxValue {
    const shape = (x.shape ?? []).map((size, i) => {
      if (size === y?.shape?.[i]) return size;
      return size === this.a.clips && y?.shape?.[i] === this.b.clips ? 'batch' : fail(`"${x.name}" of shape [${x.shape}]`);
    });
    return { ...x, shape };
  }
}

const batchName = 'batch_size';

function batchOf(inputs: readonly OnnxValue[]): OnnxNode {
  const input = inputs.find(({ shape }) => shape?.[0] === 'batch');
  if (!input) return fail('no input has the batch first');
  return { type: 'Shape', inputs: [input.name], outputs: [batchName], attributes: { start: 0, end: 1 } };
}

const sameKind = (a: OnnxNode, b: OnnxNode): boolean =>
  a.type === b.type &&
  a.domain === b.domain &&
  a.inputs.length === b.inputs.length &&
  JSON.stringify(a.attributes) === JSON.stringify(b.attributes);

/** The rows [k, ..] of a constant [k*B, ..], if all B of each are the same. */
function onceAClip({ shape, bytes }: OnnxTensor, clips: number): Uint8Array | undefined {
  const [rows = 0] = shape;
  if (rows === 0 || rows % clips !== 0) return undefined;
  const length = bytes.length / rows;
  const out = new Uint8Array((rows / clips) * length);
  for (let row = 0; row < rows; row++) {
    const own = bytes.subarray(row * length, (row + 1) * length);
    const to = Math.floor(row / clips) * length;
    if (row % clips === 0) out.set(own, to);
    else if (!sameBytes(own, out.subarray(to, to + length))) return undefined;
  }
  return out;
}

function integers(name: string, values: readonly number[]): OnnxTensor {
  const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return { name, type: 'int64', shape: [values.length], bytes };
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);
