/**
 * Writes ONNX models: plain data in, protobuf bytes out. It knows the few messages of onnx.proto3 that a model needs (field
 * numbers from https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3) and nothing of what the operators mean.
 */

export type OnnxType = 'float32' | 'uint8' | 'int8' | 'int32' | 'int64' | 'bool' | 'float16';

const elementType: Record<OnnxType, number> = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10 };

/** A constant: little-endian raw bytes in row-major order. */
export interface OnnxTensor {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export type OnnxAttribute =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] };

export interface OnnxNode {
  readonly type: string;
  readonly domain?: string;
  readonly name?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** A bare number is an INT, a list of numbers INTS, a string a STRING; floats are marked as such. */
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  /** A name stands for a size that is known when the model runs; without a shape nothing is said of it. */
  readonly shape?: readonly (number | string)[];
}

export interface OnnxModel {
  readonly opsets: Readonly<Record<string, number>>;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The model as the bytes of a ModelProto (IR version 8, at most 2 GiB). */
export function writeOnnx(model: OnnxModel): Uint8Array<ArrayBuffer> {
  const out = new BackwardWriter();
  each(Object.entries(model.metadata ?? {}), ([key, value]) => pairProto(out, 14, key, () => out.text(2, value)));
  each(Object.entries(model.opsets), ([domain, version]) => pairProto(out, 8, domain, () => out.integer(2, version)));
  out.message(7, () => graphProto(out, model));
  out.text(2, 'video-mobile-former');
  out.integer(1, 8);
  return out.bytes();
}

function each<T>(items: readonly T[], write: (item: T) => void): void {
  for (let i = items.length - 1; i >= 0; i--) write(items[i] as T);
}

function pairProto(out: BackwardWriter, field: number, name: string, value: () => void): void {
  out.message(field, () => {
    value();
    out.text(1, name);
  });
}

function graphProto(out: BackwardWriter, { nodes, initializers, inputs, outputs }: OnnxModel): void {
  each(outputs, (value) => out.message(12, () => valueProto(out, value)));
  each(inputs, (value) => out.message(11, () => valueProto(out, value)));
  each(initializers, (tensor) => out.message(5, () => tensorProto(out, tensor)));
  out.text(2, 'video-mobile-former');
  each(nodes, (node) => out.message(1, () => nodeProto(out, node)));
}

function nodeProto(out: BackwardWriter, node: OnnxNode): void {
  out.text(7, node.domain ?? '');
  each(Object.entries(node.attributes ?? {}), ([name, value]) => out.message(5, () => attributeProto(out, name, value)));
  out.text(4, node.type);
  out.text(3, node.name ?? '');
  each(node.outputs, (name) => out.text(2, name));
  each(node.inputs, (name) => out.text(1, name));
}

const attributeType = { float: 1, integer: 2, string: 3, floats: 6, integers: 7 } as const;

function attributeProto(out: BackwardWriter, name: string, value: OnnxAttribute): void {
  const type = (kind: keyof typeof attributeType) => out.integer(20, attributeType[kind]);
  if (typeof value === 'number') {
    type('integer');
    out.integer(3, value);
  } else if (typeof value === 'string') {
    type('string');
    out.text(4, value);
  } else if ('float' in value) {
    type('float');
    out.float(2, value.float);
  } else if ('floats' in value) {
    type('floats');
    each(value.floats, (item) => out.float(7, item));
  } else {
    type('integers');
    each(value, (item) => out.integer(8, item));
  }
  out.text(1, name);
}

function tensorProto(out: BackwardWriter, tensor: OnnxTensor): void {
  out.raw(9, tensor.bytes);
  out.text(8, tensor.name);
  out.integer(2, elementType[tensor.type]);
  each(tensor.shape, (size) => out.integer(1, size));
}

function valueProto(out: BackwardWriter, { name, type, shape }: OnnxValue): void {
  out.message(2, () =>
    out.message(1, () => {
      if (shape) out.message(2, () => each(shape, (size) => out.message(1, () => sizeProto(out, size))));
      out.integer(1, elementType[type]);
    }),
  );
  out.text(1, name);
}

function sizeProto(out: BackwardWriter, size: number | string): void {
  if (typeof size === 'number') out.integer(1, size);
  else out.text(2, size);
}

const encoder = new TextEncoder();

function isAscii(value: string): boolean {
  for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) > 127) return false;
  return true;
}

/** Writes protobuf back to front, since lengths precede messages. */
class BackwardWriter {
  private buffer = new Uint8Array(1 << 20);
  private start = this.buffer.length;

  bytes(): Uint8Array<ArrayBuffer> {
    return this.buffer.slice(this.start);
  }

  message(field: number, body: () => void): void {
    const before = this.buffer.length - this.start;
    body();
    this.varint(this.buffer.length - this.start - before);
    this.varint(field * 8 + 2);
  }

  raw(field: number, bytes: Uint8Array): void {
    this.room(bytes.length);
    this.start -= bytes.length;
    this.buffer.set(bytes, this.start);
    this.varint(bytes.length);
    this.varint(field * 8 + 2);
  }

  text(field: number, value: string): void {
    if (isAscii(value)) this.ascii(field, value);
    else this.raw(field, encoder.encode(value));
  }

  /** Faster than TextEncoder for short ASCII names. */
  private ascii(field: number, value: string): void {
    this.room(value.length);
    for (let i = value.length - 1; i >= 0; i--) this.buffer[--this.start] = value.charCodeAt(i);
    this.varint(value.length);
    this.varint(field * 8 + 2);
  }

  integer(field: number, value: number): void {
    this.varint(value);
    this.varint(field * 8);
  }

  float(field: number, value: number): void {
    this.room(4);
    this.start -= 4;
    new DataView(this.buffer.buffer).setFloat32(this.start, value, true);
    this.varint(field * 8 + 5);
  }

  /** Base-128; negative values as 64-bit two's complement (int64). */
  private varint(value: number): void {
    this.room(10);
    if (value >= 0 && value < 128) this.buffer[--this.start] = value;
    else this.longVarint(BigInt.asUintN(64, BigInt(value)));
  }

  private longVarint(value: bigint): void {
    const groups: number[] = [];
    for (let rest = value; groups.length === 0 || rest > 0n; rest >>= 7n) groups.push(Number(rest & 127n));
    groups.forEach((_, i) => {
      const group = groups[groups.length - 1 - i] ?? 0;
      this.buffer[--this.start] = i === 0 ? group : group | 128;
    });
  }

  /** Makes sure that so many bytes fit before what is written. */
  private room(count: number): void {
    if (this.start >= count) return;
    const used = this.buffer.length - this.start;
    const larger = new Uint8Array(Math.max(2 * this.buffer.length, used + count));
    larger.set(this.buffer.subarray(this.start), larger.length - used);
    this.start = larger.length - used;
    this.buffer = larger;
  }
}
