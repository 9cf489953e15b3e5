/** A value inside a JSON file with the way to it, so that every fault names its place. */
import { DatasetError } from '../errors.js';

/** Keys are looked up among own properties only: a film may be called "constructor" or "__proto__". */
export class JsonPlace {
  constructor(
    readonly value: unknown,
    private readonly path: string,
    private readonly at = '',
  ) {}

  /** "film.json:database.v1.annotations.0", for messages. */
  get where(): string {
    return this.at === '' ? this.path : `${this.path}:${this.at}`;
  }

  fail(reason: string): never {
    throw new DatasetError(reason, { path: this.where });
  }

  /** Absent and null. */
  get isMissing(): boolean {
    return this.value === undefined || this.value === null;
  }

  get isObject(): boolean {
    return isRecord(this.value);
  }

  get isArray(): boolean {
    return Array.isArray(this.value);
  }

  /** The value of a key; one without value where there is none. */
  key(name: string): JsonPlace {
    const found = isRecord(this.value) && Object.hasOwn(this.value, name) ? this.value[name] : undefined;
    return this.#child(found, name);
  }

  /** The first key of several spellings that has a value. */
  firstKey(...names: readonly string[]): JsonPlace {
    return this.key(names.find((name) => !this.key(name).isMissing) ?? names[0] ?? '');
  }

  has(name: string): boolean {
    return isRecord(this.value) && Object.hasOwn(this.value, name);
  }

  keys(): string[] {
    return isRecord(this.value) ? Object.keys(this.value) : [];
  }

  entries(): [string, JsonPlace][] {
    if (!isRecord(this.value)) this.fail(`expected an object, got ${shown(this.value)}`);
    return Object.entries(this.value).map(([name, value]) => [name, this.#child(value, name)]);
  }

  items(): JsonPlace[] {
    if (!Array.isArray(this.value)) this.fail(`expected a list, got ${shown(this.value)}`);
    return this.value.map((item, i) => this.#child(item, String(i)));
  }

  /** As `items`; none where nothing is there. */
  someItems(): JsonPlace[] {
    return this.isMissing ? [] : this.items();
  }

  /** A text that is not empty; a number is taken as its digits. */
  text(): string {
    if (typeof this.value === 'number' && Number.isFinite(this.value)) return String(this.value);
    if (typeof this.value === 'string' && this.value.trim() !== '') return this.value;
    return this.fail(`expected a text, got ${shown(this.value)}`);
  }

  /** Any text, also an empty one. */
  string(): string {
    return typeof this.value === 'string' ? this.value : this.text();
  }

  someText(): string | undefined {
    return this.isMissing || this.value === '' ? undefined : this.text();
  }

  /** A finite number, also one in quotes. */
  number(): number {
    const quoted = typeof this.value === 'string' && numeral.test(this.value) ? Number(this.value) : undefined;
    const number = quoted ?? this.value;
    if (typeof number === 'number' && Number.isFinite(number)) return number;
    return this.fail(`expected a number, got ${shown(this.value)}`);
  }

  someNumber(): number | undefined {
    return this.isMissing || this.value === '' ? undefined : this.number();
  }

  /** What else an object says, without the keys that were read: for `Moment.attributes`. */
  attributes(read: readonly string[]): { attributes?: Record<string, string> } {
    const others = this.entries().filter(([name, place]) => !read.includes(name) && !place.isMissing);
    if (others.length === 0) return {};
    const written = ([name, { value }]: [string, JsonPlace]) => [name, typeof value === 'string' ? value : JSON.stringify(value)];
    return { attributes: Object.fromEntries(others.map(written)) };
  }

  /** Another value at this place. */
  replaced(value: unknown): JsonPlace {
    return new JsonPlace(value, this.path, this.at);
  }

  #child(value: unknown, key: string): JsonPlace {
    return new JsonPlace(value, this.path, this.at === '' ? key : `${this.at}.${key}`);
  }
}

const numeral = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A value for a message, cut short. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
