import { open, readFile, stat } from 'node:fs/promises';
import { WeightsError } from '../errors.js';
import { type OnnxWeights, opensAsOnnx, parseOnnxWeights } from './onnxWeights.js';

const maxModelBytes = 2 ** 31 - 1;

/** Whether a file opens as an ONNX model does. */
export async function isOnnxFile(path: string): Promise<boolean> {
  if ((await stat(path).catch(() => undefined))?.isFile() !== true) return false;
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(9), 0, 9, 0);
    return opensAsOnnx(buffer.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

/** Reads a model file. Throws a WeightsError for one that is not this program's, or misses something. */
export async function readOnnxWeights(path: string): Promise<OnnxWeights> {
  return parseOnnxWeights(await readModelBytes(path), path);
}

/** A model file's bytes. WeightsError when there are more than a model may have. */
export async function readModelBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const { size } = await stat(path);
  if (size > maxModelBytes) throw new WeightsError(`${size} bytes; a model has at most ${maxModelBytes}`, { path });
  return new Uint8Array(await readFile(path));
}
