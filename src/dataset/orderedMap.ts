/** Asynchronous map with bounded concurrency and ordered results. */
import { setMaxListeners } from 'node:events';

export type Outcome<O> = { readonly value: O } | { readonly error: unknown };

/**
 * At most `ahead` items are started and not yet handed over. An item's failure is its outcome, not the end. Leaving the loop
 * early, or aborting `signal`, aborts the signal that `run` was given; an aborted loop throws the reason.
 */
export async function* orderedMap<I, O>(
  items: Iterable<I> | AsyncIterable<I>,
  ahead: number,
  run: (item: I, signal: AbortSignal) => Promise<O>,
  signal?: AbortSignal,
): AsyncGenerator<readonly [item: I, outcome: Outcome<O>]> {
  const leaving = new AbortController();
  // One listener per pending item: Node would warn of a leak from the eleventh on.
  setMaxListeners(0, leaving.signal);
  const abort = () => leaving.abort(signal?.reason);
  const started: (readonly [I, Promise<Outcome<O>>])[] = [];
  signal?.throwIfAborted();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    for await (const item of items) {
      started.push([item, outcomeOf(run(item, leaving.signal))]);
      if (started.length >= ahead) yield await first(started, signal);
    }
    while (started.length > 0) yield await first(started, signal);
  } finally {
    signal?.removeEventListener('abort', abort);
    leaving.abort();
  }
}

async function first<I, O>(
  started: (readonly [I, Promise<Outcome<O>>])[],
  signal: AbortSignal | undefined,
): Promise<readonly [I, Outcome<O>]> {
  const [item, promise] = started.shift() as readonly [I, Promise<Outcome<O>>];
  const outcome = await promise;
  signal?.throwIfAborted();
  return [item, outcome];
}

function outcomeOf<O>(promise: Promise<O>): Promise<Outcome<O>> {
  return promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
}
