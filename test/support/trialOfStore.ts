/** A checkpoint written to a store, written again, read back and removed: what the store held at each step. */
import type * as Library from '../../src/web/index.js';

export interface StoreNumbers {
  readonly names: readonly (readonly string[])[];
  /** Bytes in which the checkpoint that was read differs from the second one written. */
  readonly differing: number;
  readonly note: string | undefined;
  /** What opening a file that is not there says. */
  readonly missing: string;
}

export async function trialOfStore(
  library: typeof Library,
  store: Library.FileStore,
  weights: Uint8Array,
): Promise<StoreNumbers> {
  const first = library.parseCheckpoint(library.parseSafetensors(weights), 'weights');
  const second = { ...first, parameters: first.parameters.map((value) => value + 1), notes: { written: 'second' } };
  const names = [await store.list()];
  const missing = await library.loadCheckpoint(store, 'best.safetensors').catch((error: Error) => error);
  for (const checkpoint of [first, second]) await library.saveCheckpoint(store, 'best.safetensors', checkpoint);
  names.push(await store.list());
  const read = await library.loadCheckpoint(store, 'best.safetensors');
  const [got, expected] = [read, second].map((one) => library.serializeSafetensors(library.checkpointFile(one)));
  await store.remove('best.safetensors');
  names.push(await store.list());
  const differing = expected?.reduce((sum, byte, i) => sum + Number(byte !== got?.[i]), 0) ?? -1;
  return { names, differing, note: read.notes['written'], missing: missing instanceof Error ? missing.message : 'nothing' };
}
