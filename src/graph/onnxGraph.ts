import { fieldsOf } from './onnxMetadata.js';

export interface OnnxNodeFacts {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export interface OnnxGraphFacts {
  readonly nodes: readonly OnnxNodeFacts[];
  /** Shapes of the initializers. */
  readonly weights: ReadonlyMap<string, readonly number[]>;
  readonly outputs: readonly string[];
}

/** Nodes and weights of an ONNX file, by name. RangeError for what is no protobuf message. */
export function readOnnxGraph(model: Uint8Array): OnnxGraphFacts {
  const graphs = [...fieldsOf(model)].flatMap(({ field, body }) => (field === 7 && body ? [body] : []));
  const fields = graphs.flatMap((graph) => [...fieldsOf(graph)]);
  const bodies = (wanted: number) => fields.flatMap(({ field, body }) => (field === wanted && body ? [body] : []));
  const outputs = bodies(12).flatMap((value) => textsOf(value, 1));
  return { nodes: bodies(1).map(nodeFacts), weights: new Map(bodies(5).map(weightShape)), outputs };
}

const textsOf = (message: Uint8Array, wanted: number): string[] =>
  [...fieldsOf(message)].flatMap(({ field, body }) => (field === wanted && body ? [new TextDecoder().decode(body)] : []));

const nodeFacts = (node: Uint8Array): OnnxNodeFacts => ({
  type: textsOf(node, 4)[0] ?? '',
  inputs: textsOf(node, 1),
  outputs: textsOf(node, 2),
});

/** Dimensions may be packed. */
function weightShape(tensor: Uint8Array): [string, number[]] {
  const dims = [...fieldsOf(tensor)].flatMap(({ field, body, value }) => {
    if (field !== 1) return [];
    return body ? varintsOf(body) : [value ?? 0];
  });
  return [textsOf(tensor, 8)[0] ?? '', dims];
}

function varintsOf(bytes: Uint8Array): number[] {
  const out: number[] = [];
  let [value, factor] = [0, 1];
  for (const byte of bytes) {
    value += (byte & 127) * factor;
    factor *= 128;
    if (byte >= 128) continue;
    out.push(value);
    [value, factor] = [0, 1];
  }
  return out;
}

/**
 * The model with these intermediate values as outputs too. A protobuf message written after another is merged with it: what is
 * added is appended (field numbers: see onnx.ts).
 */
export function withOutputs(model: Uint8Array, names: readonly string[]): Uint8Array<ArrayBuffer> {
  const outputs = names.map((name) => message(12, text(1, name)));
  return joined([model, message(7, joined(outputs))]);
}

/** The model with these entries of metadata, which go before its own. */
export function withMetadata(model: Uint8Array, entries: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
  const pairs = Object.entries(entries).map(([key, value]) => message(14, joined([text(1, key), text(2, value)])));
  return joined([model, ...pairs]);
}

const text = (field: number, value: string) => message(field, new TextEncoder().encode(value));

function message(field: number, body: Uint8Array): Uint8Array {
  return joined([Uint8Array.from([...varint(field * 8 + 2), ...varint(body.length)]), body]);
}

function varint(value: number): number[] {
  const out: number[] = [];
  for (let rest = value; out.length === 0 || rest > 0; rest = Math.floor(rest / 128)) {
    out.push((rest % 128) + (rest >= 128 ? 128 : 0));
  }
  return out;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const ends = parts.map((_, i) => parts.slice(0, i + 1).reduce((sum, { length }) => sum + length, 0));
  const out = new Uint8Array(ends.at(-1) ?? 0);
  for (const [i, part] of parts.entries()) out.set(part, (ends[i] ?? 0) - part.length);
  return out;
}
