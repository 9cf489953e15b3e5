/**
 * Writes ONNX models: plain data in, protobuf bytes out. It knows the few messages of onnx.proto3 that a model needs (field
 * numbers from https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3) and nothing of what the operators mean.
 */

export type OnnxType = 'float32' | 'uint8' | 'int32' | 'int64' | 'bool';

const elementType: Record<OnnxType, number> = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9 };

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
  readonly shape: readonly number[];
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
  const graph = message(
    ...model.nodes.map((node) => field(1, nodeProto(node))),
    field(2, text('video-mobile-former')),
    ...model.initializers.map((tensor) => field(5, tensorProto(tensor))),
    ...model.inputs.map((value) => field(11, valueProto(value))),
    ...model.outputs.map((value) => field(12, valueProto(value))),
  );
  return message(
    integer(1, 8),
    field(2, text('video-mobile-former')),
    field(7, graph),
    ...Object.entries(model.opsets).map(([domain, version]) => field(8, message(field(1, text(domain)), integer(2, version)))),
    ...Object.entries(model.metadata ?? {}).map(([key, value]) => field(14, message(field(1, text(key)), field(2, text(value))))),
  ).flat();
}

function nodeProto(node: OnnxNode): Bytes {
  return message(
    ...node.inputs.map((name) => field(1, text(name))),
    ...node.outputs.map((name) => field(2, text(name))),
    field(3, text(node.name ?? '')),
    field(4, text(node.type)),
    ...Object.entries(node.attributes ?? {}).map(([name, value]) => field(5, attributeProto(name, value))),
    field(7, text(node.domain ?? '')),
  );
}

function attributeProto(name: string, value: OnnxAttribute): Bytes {
  const named = (type: number, ...rest: Bytes[]) => message(field(1, text(name)), ...rest, integer(20, type));
  if (typeof value === 'number') return named(2, integer(3, value));
  if (typeof value === 'string') return named(3, field(4, text(value)));
  if ('float' in value) return named(1, float(2, value.float));
  if ('floats' in value) return named(6, ...value.floats.map((item) => float(7, item)));
  return named(7, ...value.map((item) => integer(8, item)));
}

function tensorProto(tensor: OnnxTensor): Bytes {
  return message(
    ...tensor.shape.map((size) => integer(1, size)),
    integer(2, elementType[tensor.type]),
    field(8, text(tensor.name)),
    field(9, new Bytes([tensor.bytes])),
  );
}

function valueProto(value: OnnxValue): Bytes {
  const shape = message(...value.shape.map((size) => field(1, message(integer(1, size)))));
  const type = message(integer(1, elementType[value.type]), field(2, shape));
  return message(field(1, text(value.name)), field(2, message(field(1, type))));
}

/** Pieces of a message, joined only once at the end, so that large constants are copied once. */
class Bytes {
  readonly length: number;
  constructor(readonly pieces: readonly Uint8Array[]) {
    this.length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  }
  flat(): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(this.length);
    let at = 0;
    for (const piece of this.pieces) {
      out.set(piece, at);
      at += piece.length;
    }
    return out;
  }
}

const encoder = new TextEncoder();
const text = (value: string) => new Bytes([encoder.encode(value)]);
const message = (...parts: Bytes[]) => new Bytes(parts.flatMap((part) => part.pieces));
const field = (number: number, body: Bytes) => new Bytes([varint(number * 8 + 2), varint(body.length), ...body.pieces]);
const integer = (number: number, value: number) => new Bytes([varint(number * 8), varint(value)]);

function float(number: number, value: number): Bytes {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return new Bytes([varint(number * 8 + 5), bytes]);
}

/** Base-128 integer; a negative one as its 64-bit two's complement, as protobuf's int64 wants it. */
function varint(value: number): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const out: number[] = [];
  while (rest > 127n) {
    out.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return Uint8Array.from(out);
}
