/**
 * Offsets of the tensors in a safetensors file, checked in full before any data is read. Needs the length, header and file size
 * only, so it serves memory and disk.
 */
import { WeightsError } from '../errors.js';
import { bytesPerElement, type Dtype, isDtype, quoted } from './namedTensor.js';
import { type HeaderTensor, parseHeaderText } from './safetensorsHeader.js';

/** Bytes before the header: its length as a little-endian unsigned 64-bit integer. */
export const lengthBytes = 8;
/** The reference implementation's own limit. */
export const maxHeaderBytes = 100_000_000;

/** One tensor's place: `begin` and `end` in bytes from the end of the header. */
export interface TensorPlace {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: number[];
  readonly begin: number;
  readonly end: number;
}

export interface Layout {
  readonly metadata: Record<string, string>;
  readonly tensors: readonly TensorPlace[];
}

/** The header's length in bytes, from the first bytes of a file of `fileBytes` bytes. */
export function headerLength(first: Uint8Array, fileBytes: number, where: string): number {
  if (fileBytes < lengthBytes) {
    throw new WeightsError(`${fileBytes} bytes are too few for a safetensors file; expected 8 bytes of header length first`, {
      path: where,
    });
  }
  const length = new DataView(first.buffer, first.byteOffset, first.byteLength).getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes)) {
    const kind = first[0] === 0x50 && first[1] === 0x4b ? 'a zip archive, as PyTorch writes' : 'not a safetensors file';
    throw new WeightsError(`its first 8 bytes announce a header of ${length} bytes, more than ${maxHeaderBytes}: ${kind}`, {
      path: where,
    });
  }
  if (Number(length) > fileBytes - lengthBytes) {
    throw new WeightsError(
      `is cut off inside its header (header of ${length} bytes, ${fileBytes - lengthBytes} in the file); copy it again`,
      { path: where },
    );
  }
  if (length < 2n) throw new WeightsError(`its header of ${length} bytes is too short to be "{}"`, { path: where });
  return Number(length);
}

/** Reads and checks a header against the number of data bytes behind it. */
export function readLayout(header: Uint8Array, dataBytes: number, where: string): Layout {
  if (header[0] !== 0x7b) throw new WeightsError('not a safetensors file: its header does not open with "{"', { path: where });
  const { metadata, tensors } = parseHeaderText(decodeUtf8(header, where), where);
  const places = tensors.map((tensor) => checkedPlace(tensor, where));
  checkCoverage(places, dataBytes, where);
  return { metadata, tensors: places };
}

function decodeUtf8(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new WeightsError('bad safetensors header: it is not valid UTF-8', { path: where });
  }
}

function checkedPlace(tensor: HeaderTensor, where: string): TensorPlace {
  const { name, dtype, shape, begin, end } = tensor;
  if (!isDtype(dtype)) {
    throw new WeightsError(
      `tensor ${quoted(name)} has the element type ${quoted(dtype)}; readable are F64, F32, F16, BF16, I64, I32, I8, U8, BOOL`,
      { path: where },
    );
  }
  if (end < begin) throw new WeightsError(`tensor ${quoted(name)} ends (${end}) before it begins (${begin})`, { path: where });
  const bytes = byteLength(name, dtype, shape, where);
  if (bytes !== end - begin) {
    throw new WeightsError(
      `tensor ${quoted(name)} of type ${dtype} and shape [${shape}] needs ${bytes} bytes; its data_offsets span ${end - begin}`,
      { path: where },
    );
  }
  return { name, dtype, shape, begin, end };
}

function byteLength(name: string, dtype: Dtype, shape: readonly number[], where: string): number {
  let bytes = bytesPerElement(dtype);
  for (const length of shape) {
    bytes *= length;
    if (!Number.isSafeInteger(bytes)) {
      throw new WeightsError(`tensor ${quoted(name)} has the shape [${shape.slice(0, 8)}], too large to be counted`, {
        path: where,
      });
    }
  }
  return bytes;
}

/** Tensors must tile the data exactly: no overlap, no gap (which could hide anything). */
function checkCoverage(places: readonly TensorPlace[], dataBytes: number, where: string): void {
  let covered = 0;
  for (const { name, begin, end } of [...places].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin < covered)
      throw new WeightsError(`tensor ${quoted(name)} overlaps the one before it by ${covered - begin} bytes`, { path: where });
    if (begin > covered)
      throw new WeightsError(`a hole of ${begin - covered} bytes before tensor ${quoted(name)}`, { path: where });
    covered = end;
  }
  if (covered > dataBytes) {
    throw new WeightsError(`is cut off: its header promises ${covered} data bytes, it has ${dataBytes}; copy it again`, {
      path: where,
    });
  }
  if (covered < dataBytes) {
    throw new WeightsError(`${dataBytes - covered} bytes follow the last tensor; expected the file to end there`, {
      path: where,
    });
  }
}
