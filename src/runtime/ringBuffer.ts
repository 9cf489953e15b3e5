/**
 * State that grows at its end: values that runs leave in turn, of which others read the newest as one piece of memory. Only what
 * is still needed is copied, now and then, to the start of the buffer.
 */

/** Capacity as a multiple of what is read at once: a value is copied once in three pushes. */
const slack = 4;

export class RingBuffer {
  private values = new Float32Array(0);
  private end = 0;
  /** The most that was ever read or written at once. */
  private needed = 0;

  /** The last `count` values, zeros before the first one. The next push leaves them as they are. */
  last(count: number): Float32Array {
    this.reserve(count);
    return this.values.subarray(this.end - count, this.end);
  }

  /** Room for the next `count` values; `advance` makes them part of the ring. May move the data: call before `last`. */
  room(count: number): Float32Array {
    this.reserve(count);
    if (this.end + count > this.values.length) {
      this.values.copyWithin(0, this.end - this.needed, this.end);
      this.end = this.needed;
    }
    return this.values.subarray(this.end, this.end + count);
  }

  advance(count: number): void {
    this.end += count;
  }

  /** Ensures that so many values can be read at once. May move the data. */
  reserve(count: number): void {
    if (count <= this.needed) return;
    const grown = new Float32Array(slack * count);
    const kept = this.values.subarray(Math.max(this.end - count, 0), this.end);
    grown.set(kept, count - kept.length);
    [this.values, this.end, this.needed] = [grown, count, count];
  }
}
