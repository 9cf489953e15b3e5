/**
 * A one-slot buffer between a live source and a slower reader: holds the newest value and counts replaced ones, so the reader is
 * never more than one value behind.
 */

export class LatestValue<T> {
  /** Replaced before they were read. */
  dropped = 0;
  private value: { readonly of: T } | undefined;
  private closed = false;
  private failure: unknown;
  private wake: (() => void) | undefined;

  put(value: T): void {
    if (this.value) this.dropped++;
    this.value = { of: value };
    this.wake?.();
  }

  /** No more values will come; with an error, `take` throws it after the last one. */
  close(error?: unknown): void {
    this.closed = true;
    this.failure = error;
    this.wake?.();
  }

  /** The newest value, as soon as there is one; undefined at the end. */
  async take(): Promise<T | undefined> {
    while (!this.value && !this.closed) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    const taken = this.value;
    this.value = undefined;
    if (!taken && this.failure !== undefined) throw this.failure;
    return taken?.of;
  }
}
