import type { FileStore } from '../platform/fileStore.js';
import { type Checkpoint, checkpointFile, parseCheckpoint } from './checkpoint.js';
import { safetensorsChunks } from './safetensors.js';
import { readTensorFile } from './tensorFile.js';

/** WeightsError where the file is missing or no checkpoint; `where` names it there. */
export async function loadCheckpoint(store: FileStore, name: string, where = name): Promise<Checkpoint> {
  return parseCheckpoint(await readTensorFile(await store.open(name), where), where);
}

/** Replaces the file, whole or not at all. */
export const saveCheckpoint = (store: FileStore, name: string, checkpoint: Checkpoint): Promise<void> =>
  store.write(name, safetensorsChunks(checkpointFile(checkpoint)));
