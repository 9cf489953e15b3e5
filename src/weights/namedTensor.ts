/** A tensor of a weights file: dtype, shape, typed array. No arithmetic; expressions are in graph/. */
import { WeightsError } from '../errors.js';
import { float32FromBfloat16, float32FromFloat16 } from './halfFloat.js';

/** Element types this package reads and writes, with the array that holds each. F16 and BF16 are raw bits: see `toFloat32`. */
export interface DtypeArrays {
  F64: Float64Array;
  I64: BigInt64Array;
  F32: Float32Array;
  I32: Int32Array;
  F16: Uint16Array;
  BF16: Uint16Array;
  I8: Int8Array;
  U8: Uint8Array;
  /** One byte an element, 0 or 1. */
  BOOL: Uint8Array;
}
export type Dtype = keyof DtypeArrays;

/** A tensor with its shape, row-major, last axis fastest. `data.length` is the product of `shape`; [] is one number. */
export type NamedTensor = {
  [D in Dtype]: { readonly dtype: D; readonly shape: readonly number[]; readonly data: DtypeArrays[D] };
}[Dtype];

/** Contents of a weights file. `tensors` is in the order of the file's header. */
export interface TensorFile {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, NamedTensor>;
}

/** The typed array of each element type. */
export const arrayTypes = {
  F64: Float64Array,
  I64: BigInt64Array,
  F32: Float32Array,
  I32: Int32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const;

export function isDtype(text: string): text is Dtype {
  return Object.hasOwn(arrayTypes, text);
}

/** Bytes of one element. */
export function bytesPerElement(dtype: Dtype): number {
  return arrayTypes[dtype].BYTES_PER_ELEMENT;
}

/** The values of a floating-point tensor as float32: F32 is returned as it is, F16 and BF16 are widened exactly, F64 is rounded. */
export function toFloat32(tensor: NamedTensor, name = 'tensor'): Float32Array {
  switch (tensor.dtype) {
    case 'F32':
      return tensor.data;
    case 'F16':
      return float32FromFloat16(tensor.data);
    case 'BF16':
      return float32FromBfloat16(tensor.data);
    case 'F64':
      return Float32Array.from(tensor.data);
    default:
      throw new WeightsError(`${quoted(name)} has elements of type ${tensor.dtype}; expected F32, F16, BF16 or F64`);
  }
}

/** A float32 tensor of this name and, when one is given, of this shape; a `WeightsError` naming `where` when it is not so. */
export function floatTensor(file: TensorFile, name: string, shape?: readonly number[], where = 'weights'): Float32Array {
  const tensor = file.tensors.get(name);
  if (!tensor) throw new WeightsError(`there is no tensor ${quoted(name)} among its ${file.tensors.size}`, { path: where });
  if (shape && shape.join() !== tensor.shape.join()) {
    throw new WeightsError(`${quoted(name)} has the shape [${tensor.shape}]; expected [${shape}]`, { path: where });
  }
  return toFloat32(tensor, `${where}: ${name}`);
}

/** A name for a one-line message: quoted, without line breaks, cut when very long. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 117)}...` : name);
}
