/**
 * The safetensors format in memory: bytes -> named tensors -> bytes. Headers are checked in full before data is copied. Assumes a
 * little-endian machine. https://github.com/huggingface/safetensors#format
 */
import { WeightsError } from '../errors.js';
import { arrayTypes, bytesPerElement, isDtype, type NamedTensor, quoted, type TensorFile } from './namedTensor.js';
import { headerLength, lengthBytes, maxHeaderBytes, readLayout, type TensorPlace } from './safetensorsLayout.js';

export { type Dtype, floatTensor, type NamedTensor, type TensorFile, toFloat32 } from './namedTensor.js';

/**
 * Reads a whole safetensors file. The tensors are copies: `bytes` may be reused. `where` (a path) opens every message.
 * Throws `WeightsError` when the bytes are not exactly one valid file.
 */
export function parseSafetensors(bytes: Uint8Array, where = 'safetensors data'): TensorFile {
  const dataStart = lengthBytes + headerLength(bytes, bytes.byteLength, where);
  const layout = readLayout(bytes.subarray(lengthBytes, dataStart), bytes.byteLength - dataStart, where);
  const tensors = new Map<string, NamedTensor>();
  for (const place of layout.tensors) {
    const copy = new Uint8Array(place.end - place.begin); // not slice(): on a Node Buffer it does not copy
    copy.set(bytes.subarray(dataStart + place.begin, dataStart + place.end));
    tensors.set(place.name, tensorFromBytes(place, copy.buffer));
  }
  return { metadata: layout.metadata, tensors };
}

/** The bytes of a safetensors file with these tensors. The same content in the same order gives the same bytes. */
export function serializeSafetensors(file: TensorFile): Uint8Array {
  const chunks = safetensorsChunks(file);
  const out = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.byteLength;
  }
  return out;
}

/**
 * The same bytes in pieces: length and header, then one view per tensor (no copy). Larger elements come first, otherwise the
 * order is the map's; with a header padded to 8 bytes every tensor is then aligned for readers that map the file.
 */
export function safetensorsChunks(file: TensorFile): Uint8Array[] {
  const tensors = [...file.tensors];
  for (const [name, tensor] of tensors) checkWritable(name, tensor);
  tensors.sort(([, a], [, b]) => bytesPerElement(b.dtype) - bytesPerElement(a.dtype));
  const data = tensors.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return [headerBytes(file.metadata, tensors), ...data];
}

/** A tensor over a buffer of its own that holds exactly its bytes. */
export function tensorFromBytes(place: TensorPlace, buffer: ArrayBuffer): NamedTensor {
  const { dtype, shape } = place;
  return { dtype, shape, data: new arrayTypes[dtype](buffer) } as NamedTensor; // the table pairs each dtype with its array
}

function headerBytes(
  metadata: Readonly<Record<string, string>>,
  tensors: readonly (readonly [string, NamedTensor])[],
): Uint8Array {
  const entries: [string, unknown][] = [];
  const keys = Object.keys(metadata);
  for (const key of keys) {
    checkName(`metadata ${quoted(key)}`, key);
    checkText(`metadata ${quoted(key)}`, metadata[key]);
  }
  if (keys.length > 0) entries.push(['__metadata__', metadata]);
  let at = 0;
  for (const [name, { dtype, shape, data }] of tensors) {
    entries.push([name, { dtype, shape, data_offsets: [at, at + data.byteLength] }]);
    at += data.byteLength;
  }
  const members = entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  const text = new TextEncoder().encode(`{${members.join(',')}}`);
  const padded = Math.ceil(text.length / 8) * 8;
  if (padded > maxHeaderBytes)
    throw new WeightsError(`safetensors header of ${padded} bytes; at most ${maxHeaderBytes} can be read back`);
  const out = new Uint8Array(lengthBytes + padded).fill(0x20);
  new DataView(out.buffer).setBigUint64(0, BigInt(padded), true);
  out.set(text, lengthBytes);
  return out;
}

/** The writer refuses what the reader would. */
function checkWritable(name: string, tensor: NamedTensor): void {
  const what = `tensor ${quoted(name)}`;
  const { dtype, shape, data } = tensor;
  checkName(what, name);
  if (name === '__metadata__') throw new WeightsError(`${what}: that name is reserved for the metadata`);
  if (!isDtype(dtype)) throw new WeightsError(`${what} has the unknown element type ${quoted(String(dtype))}`);
  if (!(data instanceof arrayTypes[dtype])) {
    throw new WeightsError(
      `${what} of type ${dtype} must be a ${arrayTypes[dtype].name}; got ${Object.prototype.toString.call(data)}`,
    );
  }
  if (!shape.every((length) => Number.isSafeInteger(length) && length >= 0)) {
    throw new WeightsError(`${what} has the shape [${shape}]; expected whole numbers from 0`);
  }
  const count = shape.reduce((product, length) => product * length, 1);
  if (count !== data.length) throw new WeightsError(`${what} of shape [${shape}] needs ${count} numbers; got ${data.length}`);
}

function checkName(what: string, name: string): void {
  if (name === '__proto__') throw new WeightsError(`${what}: the name "__proto__" is forbidden`);
  checkText(what, name);
}

function checkText(what: string, text: unknown): void {
  if (typeof text !== 'string') throw new WeightsError(`${what} must be text; got ${typeof text}`);
  if (/\p{Surrogate}/u.test(text)) throw new WeightsError(`${what} is not valid Unicode`);
}
