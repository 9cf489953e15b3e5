/** Reads only the metadata of an ONNX file, before a runtime loads it. */

/** Entries of metadata_props by key; undefined when the bytes are no protobuf message. */
export function readOnnxMetadata(bytes: Uint8Array): Record<string, string> | undefined {
  const found: Record<string, string> = Object.create(null);
  try {
    for (const { field, body } of fieldsOf(bytes)) {
      if (field !== 14 || body === undefined) continue;
      const [key, value] = [1, 2].map((wanted) => textOf(body, wanted));
      if (key !== undefined) found[key] = value ?? '';
    }
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return undefined;
    throw error;
  }
  return found;
}

function textOf(message: Uint8Array, wanted: number): string | undefined {
  for (const { field, body } of fieldsOf(message)) {
    if (field === wanted && body !== undefined) return new TextDecoder('utf-8', { fatal: true }).decode(body);
  }
  return undefined;
}

/** A field of a protobuf message: bytes, or a number; neither for those of fixed size. */
export interface Field {
  readonly field: number;
  readonly body?: Uint8Array;
  readonly value?: number;
}

const fixedSizes: Readonly<Record<number, number>> = { 1: 8, 5: 4 };

/** RangeError for a message that is cut off. */
export function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let group = 0; group < 10; group++) {
      const byte = bytes[at++];
      if (byte === undefined) throw new RangeError('cut off');
      value += (byte & 127) * 2 ** (7 * group);
      if (byte < 128) return value;
    }
    throw new RangeError('a number of more than ten bytes');
  };
  const skip = (count: number): Uint8Array => {
    if (count > bytes.length - at) throw new RangeError('cut off');
    at += count;
    return bytes.subarray(at - count, at);
  };
  while (at < bytes.length) {
    const tag = varint();
    const [field, wire] = [Math.floor(tag / 8), tag % 8];
    if (wire === 2) yield { field, body: skip(varint()) };
    else if (wire === 0) yield { field, value: varint() };
    else skip(fixedSizes[wire] ?? bytes.length + 1);
  }
}
