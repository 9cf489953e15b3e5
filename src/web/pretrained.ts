/** Pretrained weights in a tab: from where the page keeps the package's files. */
import { messageOf, WeightsError } from '../errors.js';
import type { Recogniser } from '../inference/recogniser.js';
import { type PretrainedWeights, pretrainedOf } from '../models/pretrained.js';
import { type Checkpoint, parseCheckpoint } from '../weights/checkpoint.js';
import { checkPretrained, pretrainedFileName } from '../weights/pretrainedFile.js';
import { parseSafetensors } from '../weights/safetensors.js';
import { openRecogniser, type RecogniserOptions } from './recogniser.js';
import type { VideoSource } from './videoSource.js';

/** The address of a file of pretrained weights, of the folder that holds it (then it ends in a slash), or the file's bytes. */
export type PretrainedSource = string | URL | Uint8Array<ArrayBuffer> | ArrayBuffer;

/**
 * Pretrained weights, to recognise or to go on training with. ConfigError for a name that is not in `pretrainedWeights`, WeightsError
 * when the file cannot be fetched or its SHA-256 is another.
 */
export async function readPretrained(name: string, from: PretrainedSource, signal?: AbortSignal): Promise<Checkpoint> {
  const entry = pretrainedOf(name);
  const { bytes, where } = await bytesOf(entry, from, signal);
  await checkPretrained(entry, bytes, where);
  return parseCheckpoint(parseSafetensors(bytes, where), where);
}

/** A recogniser with them. Rejects as `readPretrained` and `openRecogniser`. */
export async function fromPretrained(
  name: string,
  from: PretrainedSource,
  options: RecogniserOptions & { readonly signal?: AbortSignal } = {},
): Promise<Recogniser<VideoSource>> {
  return openRecogniser(await readPretrained(name, from, options.signal), options, name);
}

async function bytesOf(
  entry: PretrainedWeights,
  from: PretrainedSource,
  signal: AbortSignal | undefined,
): Promise<{ readonly bytes: Uint8Array<ArrayBuffer>; readonly where: string }> {
  if (from instanceof ArrayBuffer) return { bytes: new Uint8Array(from), where: entry.name };
  if (from instanceof Uint8Array) return { bytes: from, where: entry.name };
  const where = String(from).endsWith('/') ? `${from}${pretrainedFileName(entry)}` : String(from);
  return { bytes: await fetched(where, signal), where };
}

async function fetched(where: string, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const response = await fetch(where, signal ? { signal } : {});
    if (!response.ok) throw new WeightsError(`cannot be fetched (HTTP ${response.status})`, { path: where });
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    if (error instanceof WeightsError || signal?.aborted) throw error;
    throw new WeightsError(`cannot be fetched (${messageOf(error)})`, { path: where, cause: error });
  }
}
