/** A strict reader of safetensors headers: JSON.parse accepts duplicate keys, 1e3 and -0 as counts, and any depth of nesting. */
import { WeightsError } from '../errors.js';
import { quoted } from './namedTensor.js';

/** One tensor as the header names it, not yet checked against the data. Offsets are in bytes from the end of the header. */
export interface HeaderTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: number[];
  readonly begin: number;
  readonly end: number;
}

export interface HeaderText {
  readonly metadata: Record<string, string>;
  readonly tensors: HeaderTensor[];
}

/** Reads the header's text. `where` opens every message. */
export function parseHeaderText(text: string, where: string): HeaderText {
  const cursor = new HeaderCursor(text, where);
  const tensors: HeaderTensor[] = [];
  let metadata: Record<string, string> = {};
  cursor.object('the header', (name) => {
    if (name === '__metadata__') metadata = readMetadata(cursor);
    else tensors.push(readTensor(cursor, name));
  });
  cursor.end();
  return { metadata, tensors };
}

function readMetadata(cursor: HeaderCursor): Record<string, string> {
  const entries: [string, string][] = [];
  cursor.object('__metadata__', (key) => {
    entries.push([key, cursor.string(`the value of ${quoted(key)} in __metadata__`)]);
  });
  return Object.fromEntries(entries);
}

function readTensor(cursor: HeaderCursor, name: string): HeaderTensor {
  let dtype: string | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  const what = `tensor ${quoted(name)}`;
  cursor.object(what, (field) => {
    if (field === 'dtype') dtype = cursor.string(`the dtype of ${what}`);
    else if (field === 'shape') shape = cursor.counts(`the shape of ${what}`);
    else if (field === 'data_offsets') offsets = cursor.counts(`the data_offsets of ${what}`);
    else cursor.fail(`${what} has the unknown field ${quoted(field)}; expected dtype, shape and data_offsets`);
  });
  if (dtype === undefined || shape === undefined || offsets === undefined) {
    return cursor.fail(`${what} lacks ${dtype === undefined ? 'its dtype' : shape === undefined ? 'its shape' : 'data_offsets'}`);
  }
  const [begin, end] = offsets;
  if (begin === undefined || end === undefined || offsets.length !== 2) {
    return cursor.fail(`the data_offsets of ${what} are ${offsets.length} numbers; expected begin and end`);
  }
  return { name, dtype, shape, begin, end };
}

class HeaderCursor {
  private at = 0;

  constructor(
    private readonly text: string,
    private readonly where: string,
  ) {}

  fail(what: string): never {
    throw new WeightsError(`bad safetensors header: ${what}`, { path: this.where });
  }

  /** `{"key": value, ...}` with unique keys; `readValue` reads each value. */
  object(what: string, readValue: (key: string) => void): void {
    this.expect('{', what);
    const seen = new Set<string>();
    if (this.take('}')) return;
    do {
      const key = this.string(`a key of ${what}`);
      if (key === '__proto__') this.fail(`${what} uses the forbidden name "__proto__"`);
      if (seen.has(key)) this.fail(`${what} has the key ${quoted(key)} twice`);
      seen.add(key);
      this.expect(':', what);
      readValue(key);
    } while (this.take(','));
    this.expect('}', what);
  }

  /** `[3, 4]`: integers from 0 to 2^53 - 1 in plain digits. */
  counts(what: string): number[] {
    const out: number[] = [];
    this.expect('[', what);
    if (this.take(']')) return out;
    do out.push(this.count(what));
    while (this.take(','));
    this.expect(']', what);
    return out;
  }

  string(what: string): string {
    this.expect('"', what);
    const start = this.at - 1;
    while (this.at < this.text.length && this.text[this.at] !== '"') this.at += this.text[this.at] === '\\' ? 2 : 1;
    this.at++;
    let value: string;
    try {
      value = JSON.parse(this.text.slice(start, this.at)) as string;
    } catch {
      this.fail(`${what} is not a valid JSON string (at character ${start})`);
    }
    if (/\p{Surrogate}/u.test(value)) this.fail(`${what} is not valid Unicode (at character ${start})`);
    return value;
  }

  end(): void {
    this.skipSpace();
    if (this.at < this.text.length) this.fail(`more text after its closing brace (at character ${this.at})`);
  }

  private count(what: string): number {
    this.skipSpace();
    const number = /[-+.\w]{0,40}/y;
    number.lastIndex = this.at;
    const digits = number.exec(this.text)?.[0] ?? '';
    if (/^-\d+$/.test(digits)) this.fail(`${what} holds the negative number ${digits}`);
    if (!/^(0|[1-9]\d*)$/.test(digits)) this.expected('a whole number', what);
    if (!Number.isSafeInteger(Number(digits))) this.fail(`${what} holds ${digits}, too large to be counted exactly`);
    this.at += digits.length;
    return Number(digits);
  }

  private expect(character: string, what: string): void {
    if (!this.take(character)) this.expected(character, what);
  }

  private expected(wanted: string, what: string): never {
    const rest = this.at < this.text.length ? quoted(this.text.slice(this.at, this.at + 12)) : 'the end of the header';
    return this.fail(`expected ${wanted} in ${what} (at character ${this.at}), got ${rest}`);
  }

  private take(character: string): boolean {
    this.skipSpace();
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private skipSpace(): void {
    while (this.at < this.text.length && ' \t\n\r'.includes(this.text[this.at] ?? '')) this.at++;
  }
}
