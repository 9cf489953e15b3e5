/** Annotation files for tests: made of text or values, spoiled in every way, and random annotations. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AnnotatedFilm, Annotations, Moment } from '../../src/annotations/annotations.js';
import type { AnnotationFile, AnnotationFormat, ReadChoices, WriteChoices, Written } from '../../src/annotations/format.js';
import { type Writer, writeAnnotations } from '../../src/annotations/formats.js';
import { fileOfText } from '../../src/annotations/text.js';
import { DatasetError } from '../../src/errors.js';

export const jsonFile = (value: unknown, path = 'list.json'): AnnotationFile => fileOfText(path, JSON.stringify(value) ?? '');

/** Reads a text or a value after it was recognised as the format. */
export function readAs(format: AnnotationFormat, content: unknown, choices: ReadChoices = {}): Annotations {
  const file = typeof content === 'string' ? fileOfText('list.file', content) : jsonFile(content);
  assert.ok(format.matches(file), `${format.name} does not recognise its file`);
  assert.ok(format.read);
  return format.read(file, choices);
}

type Spoken = [number | undefined, number | undefined, string];

/** [start, end, labels] of every moment, times rounded to microseconds. */
export const spansOf = ({ films }: Annotations): Spoken[] =>
  films.flatMap(({ moments }) =>
    moments.map(({ startSec, endSec, labels }): Spoken => [rounded(startSec), rounded(endSec), labels.join('+')]),
  );

const rounded = (time: number | undefined): number | undefined => (time === undefined ? undefined : Math.round(time * 1e6) / 1e6);

/** A DatasetError whose message names the file and fits. */
export const fault = (expected: RegExp) => (error: unknown) => {
  assert.ok(error instanceof DatasetError, String(error));
  assert.match(error.message, /^(list\.(file|json)|\S+\.\w+)[: ]/);
  assert.match(error.message, expected);
  return true;
};

/** What a file may hold in place of anything. */
const spoilt: readonly unknown[] = [
  ...[null, '', 'x', -1, 1e308, 9e15, true, [], {}, [[]], [null], { a: 1 }, '1e999', '-5', '__proto__', 0.5],
  ...[JSON.parse('{"__proto__":{"labels":1}}'), 'a\u0000b', '\ud800'],
];

/** Every value at every place of a file, once: it is read, or refused with file and place; never another error. */
export function checkSpoilt(format: AnnotationFormat, value: unknown, choices: ReadChoices = {}): void {
  for (const place of placesOf(value)) {
    for (const replacement of [undefined, ...spoilt]) checkRead(format, jsonFile(replaced(value, place, replacement)), choices);
  }
}

/** Whether a file is read into sane moments or refused as it should be. */
export function checkRead(format: AnnotationFormat, file: AnnotationFile, choices: ReadChoices): void {
  try {
    format.matches(file);
    for (const film of format.read?.(file, choices).films ?? []) film.moments.forEach(checkMoment);
  } catch (error) {
    assert.ok(
      error instanceof DatasetError,
      `${error instanceof Error ? error.stack : error}\n${new TextDecoder().decode(file.bytes)}`,
    );
    assert.ok(error.message.includes(file.path), error.message);
  }
}

function checkMoment({ startSec = 0, endSec = Infinity, labels, score = 0 }: Moment): void {
  assert.ok(Number.isFinite(startSec) && endSec >= startSec, `${startSec} to ${endSec}`);
  assert.ok(labels.length > 0 && labels.every((label) => typeof label === 'string' && label !== ''), String(labels));
  assert.ok(score >= 0 && score <= 1);
}

type Place = readonly (string | number)[];

function placesOf(value: unknown, at: Place = []): Place[] {
  const inner = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return [at, ...inner.flatMap(([key, child]) => placesOf(child, [...at, key]))];
}

/** A copy with another value at a place; undefined takes the key away. */
function replaced(value: unknown, [key, ...rest]: Place, replacement: unknown): unknown {
  if (key === undefined) return replacement;
  const children = Object.entries(value as object).map(([name, child]) => {
    return [name, name === key ? replaced(child, rest, replacement) : child] as const;
  });
  const kept = children.filter(([, child]) => child !== undefined);
  return Array.isArray(value) ? kept.map(([, child]) => child) : Object.fromEntries(kept);
}

export interface RandomOptions {
  /** Seconds between the times that the format can hold. */
  readonly step: number;
  readonly films?: boolean;
  readonly labels?: boolean;
  readonly subject?: boolean;
  readonly comment?: boolean;
  readonly attributes?: boolean;
  readonly score?: boolean;
}

const words = fc.oneof(
  fc.constantFrom(
    'run',
    'a,b',
    'say "x"',
    'x & <y>',
    'déjà vu',
    '跑',
    '__proto__',
    'constructor',
    '0',
    'x|y',
    '_DEFAULT_',
    'two\nlines',
  ),
  fc
    .string({ minLength: 1, maxLength: 8, unit: 'grapheme' })
    .filter((text) => text.trim() === text && text !== '' && xmlSafe(text)),
);

/** Control characters and lone surrogates cannot stand in XML 1.0. */
const xmlSafe = (text: string): boolean => !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\ufffe\uffff]/u.test(text);

/** Moments with what the options allow, times on the format's grid and at least two steps long. */
export function randomAnnotations(options: RandomOptions): fc.Arbitrary<Annotations> {
  const film = fc.record({ film: words, moments: fc.array(randomMoment(options), { maxLength: 6 }) });
  const films = fc.uniqueArray(film, { minLength: 1, maxLength: options.films === false ? 1 : 4, selector: (each) => each.film });
  return films.map((made) => ({ films: made.map((each): AnnotatedFilm => ({ ...each, where: 'random' })), notes: [] }));
}

function randomMoment({ step, ...has }: RandomOptions): fc.Arbitrary<Moment> {
  const some = <T>(allowed: boolean | undefined, of: fc.Arbitrary<T>) =>
    allowed ? fc.option(of, { nil: undefined }) : fc.constant(undefined);
  return fc
    .record({
      start: fc.nat(1e6),
      steps: fc.integer({ min: 2, max: 1e5 }),
      labels: fc.uniqueArray(words, { minLength: 1, maxLength: has.labels ? 3 : 1 }),
      subject: some(has.subject, words),
      comment: some(has.comment, words),
      attributes: some(
        has.attributes,
        fc.dictionary(
          words.filter((word) => word !== '__proto__'),
          words,
          { minKeys: 1, maxKeys: 2 },
        ),
      ),
      score: has.score ? fc.integer({ min: 0, max: 1000 }).map((mille) => mille / 1000) : fc.constant(undefined),
    })
    .map(({ start, steps, ...facts }) => {
      const known = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as unknown as Moment;
      return { ...known, startSec: start * step, endSec: (start + steps) * step, where: 'random' };
    });
}

/** What is compared after a round trip: films with their moments in order of time, one label each unless `joint`. */
export function comparable(annotations: Annotations, step: number, joint = false): unknown {
  const films = annotations.films.map(({ film, moments }) => {
    const split = moments.flatMap((moment) =>
      joint ? [moment] : moment.labels.map((label) => ({ ...moment, labels: [label] })),
    );
    const plain = split.map(({ startSec, endSec, where: _, ...facts }) => ({
      from: grid(startSec, step),
      to: grid(endSec, step),
      ...facts,
    }));
    return [film, plain.map((each) => JSON.stringify(sorted(each))).sort()];
  });
  return films.sort();
}

const grid = (time: number | undefined, step: number): number | undefined =>
  time === undefined ? time : Math.round(time / step);

function sorted(value: object): object {
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, child]) => [key, typeof child === 'object' && child !== null && !Array.isArray(child) ? sorted(child) : child]),
  );
}

/** What is written by a format, through the count of what it cannot hold. */
export function written(format: AnnotationFormat, annotations: Annotations, choices: WriteChoices = {}): Written {
  assert.ok(format.write && format.holds);
  return writeAnnotations(format as Writer, annotations, choices);
}

export const textOfFirst = ({ files: [first] }: Written): string =>
  typeof first?.content === 'string' ? first.content : new TextDecoder().decode(first?.content);
