/**
 * Seeded random numbers: small, fast, the same on every machine. A stream is named by its seed and any number of keys, so that
 * the augmentation of one clip in one epoch can be drawn again without drawing everything before it. Not for secrets.
 */

export type RngKey = string | number;

/** One stream of random numbers (sfc32, Chris Doty-Humphrey's Small Fast Counter, 128 bits of state). */
export class Rng {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  /** The stream that belongs to these keys; equal keys give equal streams. */
  constructor(private readonly keys: readonly RngKey[]) {
    const hash = fnv(keys);
    this.a = hash(1);
    this.b = hash(2);
    this.c = hash(3);
    for (let i = 0; i < 15; i++) this.uint32();
  }

  /** A stream of its own for a part of the work: does not advance this one. */
  fork(...keys: RngKey[]): Rng {
    return new Rng([...this.keys, ...keys]);
  }

  /** An integer in [0, 2^32). */
  uint32(): number {
    const t = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (this.c << 21) | (this.c >>> 11);
    this.c = (this.c + t) | 0;
    return t >>> 0;
  }

  /** A number in [0, 1), or in [low, high). */
  uniform(low = 0, high = 1): number {
    return low + ((high - low) * this.uint32()) / 4294967296;
  }

  /** An integer in [0, count). */
  integer(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  /** A normally distributed number (Box-Muller; two draws each, so that streams stay aligned). */
  normal(mean = 0, deviation = 1): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return mean + deviation * radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** One of the items. The list must not be empty. */
  pick<T>(items: readonly T[]): T {
    const item = items[this.integer(items.length)];
    if (item === undefined) throw new RangeError('Rng.pick: the list is empty');
    return item;
  }

  /** A shuffled copy (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const out = [...items];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [out[i], out[j]] = [out[j] as T, out[i] as T];
    }
    return out;
  }
}

/** FNV-1a over the keys' text, with a lane number so that one list of keys gives several words. */
function fnv(keys: readonly RngKey[]): (lane: number) => number {
  const text = JSON.stringify(keys);
  return (lane) => {
    let hash = 0x811c9dc5 ^ Math.imul(lane, 0x9e3779b9);
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    return (hash ^ (hash >>> 13)) | 0;
  };
}
