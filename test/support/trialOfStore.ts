/** A checkpoint written to a store, written again, read back and removed: what the store held at each step. */
import type * as Library from '../../src/web/index.js';

export interface StoreNumbers {
  readonly names: readonly (readonly string[])[];
  /** Bytes in which the checkpoint that was read differs from the second one written. */
  readonly differing: number;
  readonly note: string | undefined;
  /** Rows of metrics after a run was resumed. */
  readonly rows: readonly object[];
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
  const rows = await trialOfMetrics(new library.MetricsLog(store));
  const differing = expected?.reduce((sum, byte, i) => sum + Number(byte !== got?.[i]), 0) ?? -1;
  return { names, differing, rows, note: read.notes['written'], missing: missing instanceof Error ? missing.message : 'nothing' };
}

async function trialOfMetrics(metrics: Library.MetricsLog): Promise<readonly object[]> {
  for (let epoch = 1; epoch <= 4; epoch++) await metrics.log({ epoch, note: 'größer' });
  await metrics.keepEpochs(2);
  await metrics.log({ epoch: 3 });
  const rows = await metrics.rows();
  await metrics.clear();
  return (await metrics.rows()).length === 0 ? rows : [];
}
