/** The named state of a runtime: vectors that runs replace, and ring buffers that they append to. */
import { VmfError } from '../errors.js';
import { type OutputRole, previousOf, stateRead } from '../graph/graph.js';
import { RingBuffer } from './ringBuffer.js';

export class SessionState {
  private readonly vectors = new Map<string, Float32Array>();
  private readonly rings = new Map<string, RingBuffer>();
  /** The most values that any session reads at once, by name. */
  private readonly longest = new Map<string, number>();

  set(name: string, data: Float32Array): void {
    this.vectors.set(name, data);
  }

  value(name: string): Float32Array {
    const found = this.vectors.get(name);
    if (!found) throw new VmfError(`engine: input "${name}" is neither fed nor part of the state`);
    return found;
  }

  /** The value of an input: a vector, or the last values of a ring buffer. */
  read(name: string, length: number): Float32Array {
    return this.rings.get(name)?.last(length) ?? this.value(name);
  }

  /** Notes that so many values are read at once. */
  reserve(name: string, length: number): void {
    if (length > (this.longest.get(name) ?? 0)) this.longest.set(name, length);
    this.rings.get(name)?.reserve(length);
  }

  /** `next`, just written, becomes the state, the old state that of one run before if there is one; what is left is the spare. */
  replace(name: string, next: Float32Array, spare?: Map<string, Float32Array>): void {
    const old = this.value(name);
    const older = this.vectors.get(previousOf(name));
    if (older) this.vectors.set(previousOf(name), old);
    spare?.set(name, older ?? old);
    this.vectors.set(name, next);
  }

  /** Room for the next values of a ring buffer; `appended` makes them part of it. */
  room(name: string, length: number): Float32Array {
    return this.ring(name).room(length);
  }

  appended(name: string, length: number): void {
    this.ring(name).advance(length);
  }

  append(name: string, values: Float32Array): void {
    this.room(name, values.length).set(values);
    this.appended(name, values.length);
  }

  /** Zeros for what is written, as these inputs will read it. */
  clear(written: readonly OutputRole[], inputs: readonly { readonly name: string; readonly size: number }[]): void {
    const roles = new Map(written.map(({ role, name }) => [name, role]));
    for (const [name, role] of roles) if (role === 'append') this.rings.delete(name);
    for (const { name, size } of inputs) {
      const role = roles.get(stateRead(name));
      if (role === 'append') this.ring(name);
      else if (role === 'update') this.vectors.set(name, new Float32Array(size));
    }
  }

  private ring(name: string): RingBuffer {
    const known = this.rings.get(name);
    if (known) return known;
    const made = new RingBuffer();
    made.reserve(this.longest.get(name) ?? 0);
    this.rings.set(name, made);
    return made;
  }
}
