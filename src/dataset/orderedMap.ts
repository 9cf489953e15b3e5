/** Asynchronous map with bounded concurrency and ordered results. */

export type Outcome<O> = { readonly value: O } | { readonly error: unknown };

/**
 * At most `ahead` items are started and not yet handed over. An item's failure is its outcome, not the end. Leaving the loop
 * early, or aborting `signal`, aborts the signals that `run` was given, one an item; an aborted loop throws the reason.
 */
export async function* orderedMap<I, O>(
  items: Iterable<I> | AsyncIterable<I>,
  ahead: number,
  run: (item: I, signal: AbortSignal) => Promise<O>,
  signal?: AbortSignal,
): AsyncGenerator<readonly [item: I, outcome: Outcome<O>]> {
  const underWay = new Set<AbortController>();
  const abort = () => abortAll(underWay, signal?.reason);
  const started: (readonly [I, Promise<Outcome<O>>])[] = [];
  signal?.throwIfAborted();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    for await (const item of items) {
      started.push([item, start(underWay, (leaving) => run(item, leaving))]);
      if (started.length >= ahead) yield await first(started, signal);
    }
    while (started.length > 0) yield await first(started, signal);
  } finally {
    signal?.removeEventListener('abort', abort);
    abortAll(underWay);
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

/** Each item has a controller of its own, so that no signal gathers listeners. */
async function start<O>(underWay: Set<AbortController>, run: (signal: AbortSignal) => Promise<O>): Promise<Outcome<O>> {
  const controller = new AbortController();
  underWay.add(controller);
  try {
    return { value: await run(controller.signal) };
  } catch (error) {
    return { error };
  } finally {
    underWay.delete(controller);
  }
}

function abortAll(controllers: ReadonlySet<AbortController>, reason?: unknown): void {
  for (const controller of controllers) controller.abort(reason);
}
