import { VmfError } from '../errors.js';

/** Runs `work` with a signal that Ctrl-C aborts; the reason is thrown as any error. */
export async function abortable<T>(verb: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const interrupt = () => stop.abort(new VmfError(`${verb}: interrupted`));
  process.once('SIGINT', interrupt);
  try {
    return await work(stop.signal);
  } finally {
    process.off('SIGINT', interrupt);
  }
}
