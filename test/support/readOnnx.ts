/** An independent reader of ONNX files; field numbers from onnx.proto3. */
import assert from 'node:assert/strict';

type Message = ReadonlyMap<number, readonly (bigint | Uint8Array)[]>;

export interface ReadNode {
  readonly type: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export interface ReadTensor {
  readonly name: string;
  /** The number of TensorProto.DataType: 1 float32, 2 uint8, 3 int8, 6 int32, 7 int64, 10 float16. */
  readonly type: number;
  readonly shape: readonly number[];
  readonly bytes: number;
}

export interface ReadModel {
  readonly opsets: Readonly<Record<string, number>>;
  readonly nodes: readonly ReadNode[];
  readonly tensors: readonly ReadTensor[];
  readonly inputs: Readonly<Record<string, readonly (number | string)[]>>;
  readonly outputs: Readonly<Record<string, readonly (number | string)[]>>;
  readonly metadata: Readonly<Record<string, string>>;
}

export function readOnnx(bytes: Uint8Array): ReadModel {
  const model = message(bytes);
  const graph = message(only(model, 7));
  return {
    opsets: Object.fromEntries(all(model, 8).map((each) => [text(each, 1), number(each, 2)])),
    nodes: all(graph, 1).map((node) => ({
      type: text(node, 4),
      domain: text(node, 7),
      inputs: texts(node, 1),
      outputs: texts(node, 2),
    })),
    tensors: all(graph, 5).map((tensor) => ({
      name: text(tensor, 8),
      type: number(tensor, 2),
      shape: (tensor.get(1) ?? []).map(Number),
      bytes: only(tensor, 9).length,
    })),
    inputs: Object.fromEntries(all(graph, 11).map(value)),
    outputs: Object.fromEntries(all(graph, 12).map(value)),
    metadata: Object.fromEntries(all(model, 14).map((each) => [text(each, 1), text(each, 2)])),
  };
}

function value(info: Message): [string, (number | string)[]] {
  const tensor = message(only(message(only(info, 2)), 1));
  const sizes = all(message(only(tensor, 2)), 1);
  return [text(info, 1), sizes.map((size) => (size.has(2) ? text(size, 2) : number(size, 1)))];
}

function message(bytes: Uint8Array): Message {
  const fields = new Map<number, (bigint | Uint8Array)[]>();
  let at = 0;
  const varint = (): bigint => {
    for (let value = 0n, shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      assert.ok(byte !== undefined, 'a varint is cut off');
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const list = fields.get(tag >> 3) ?? [];
    fields.set(tag >> 3, list);
    const length = { 0: 0, 1: 8, 2: -1, 5: 4 }[tag & 7];
    assert.ok(length !== undefined, `wire type ${tag & 7}`);
    if (length === 0) list.push(varint());
    else {
      const size = length < 0 ? Number(varint()) : length;
      assert.ok(at + size <= bytes.length, 'a field is cut off');
      list.push(bytes.subarray(at, at + size));
      at += size;
    }
  }
  return fields;
}

const bytesOf = (from: Message, field: number) => (from.get(field) ?? []).filter((each) => each instanceof Uint8Array);
const all = (from: Message, field: number): Message[] => bytesOf(from, field).map(message);
const texts = (from: Message, field: number): string[] => bytesOf(from, field).map((each) => new TextDecoder().decode(each));
const text = (from: Message, field: number): string => texts(from, field).at(-1) ?? '';
const number = (from: Message, field: number): number => Number((from.get(field) ?? [0n]).at(-1));

function only(from: Message, field: number): Uint8Array {
  const found = bytesOf(from, field);
  assert.equal(found.length, 1, `field ${field} once`);
  return found[0] ?? new Uint8Array();
}
