/** Random annotations, and what should be left of them after a round trip. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AnnotatedFilm, Annotations, Moment } from './annotations.js';
import type { ReadChoices, WriteChoices } from './format.js';
import { formatOf, parseAnnotations, type Writer, writeAnnotations } from './formats.js';
import { reduceTo } from './reduce.js';
import { fileOfText } from './text.js';

const letters = [...'abcxyzÄé漢 ,;"|&<>_-.\'\\/'];
/** Text without outer blanks, as labels and names are. */
export const word = fc
  .array(fc.constantFrom(...letters), { minLength: 1, maxLength: 8 })
  .map((all) => all.join('').trim())
  .filter((text) => text !== '' && !/^(?:na|nan|none|null|-|n\/a)$/i.test(text));

/** Whole milliseconds, as most formats keep them. */
const ms = fc.integer({ min: 0, max: 7_200_000 }).map((value) => value / 1000);

const optional = <T extends object>(value: fc.Arbitrary<T>): fc.Arbitrary<Partial<T>> =>
  fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: value });

const times = fc.tuple(ms, ms).map(([a, b]) => ({ startSec: Math.min(a, b), endSec: Math.max(a, b) }));

const moment = fc
  .record({
    times: fc.oneof(
      { weight: 8, arbitrary: times },
      ms.map((at) => ({ startSec: at, endSec: at })),
      fc.constant({}),
      ms.map((startSec) => ({ startSec })),
    ),
    labels: fc.uniqueArray(word, { minLength: 1, maxLength: 3 }),
    subject: optional(word.map((subject) => ({ subject }))),
    comment: optional(word.map((comment) => ({ comment }))),
    attributes: optional(
      fc.dictionary(word, word, { minKeys: 1, maxKeys: 2, noNullPrototype: true }).map((attributes) => ({ attributes })),
    ),
    score: optional(fc.integer({ min: 0, max: 1000 }).map((value) => ({ score: value / 1000 }))),
  })
  .map(
    ({ times, labels, subject, comment, attributes, score }): Moment => ({
      ...times,
      labels,
      ...subject,
      ...comment,
      ...attributes,
      ...score,
      where: 'x',
    }),
  );

const film = fc
  .record({
    moments: fc.array(moment, { maxLength: 6 }),
    durationSec: optional(fc.constant({ durationSec: 7300 })),
    fps: optional(fc.constantFrom(24, 25, 30000 / 1001).map((fps) => ({ fps }))),
    split: optional(fc.constantFrom('train', 'val', 'test').map((split) => ({ split }) as const)),
    complete: optional(fc.array(times, { maxLength: 2 }).map((complete) => ({ complete }))),
  })
  .map(({ moments, ...rest }) => ({ moments, ...rest.durationSec, ...rest.fps, ...rest.split, ...rest.complete, where: 'x' }));

/** Annotations with everything that the model can say. */
export const annotations: fc.Arbitrary<Annotations> = fc
  .uniqueArray(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 4 })
  .chain((ids) => fc.tuple(...ids.map((id) => film.map((each) => ({ film: `films/a b ${id}.mp4`, ...each })))))
  .map((films) => ({ films, notes: [] }));

/** Without what only messages need, moments in a fixed order. */
export function comparable(
  films: readonly AnnotatedFilm[],
  keep: (film: AnnotatedFilm) => object = ({ film }) => ({ film }),
): object[] {
  const text = (value: object) => JSON.stringify(value);
  return films.map((each) => {
    const moments = each.moments.map(({ where: _, ...moment }) => ({ ...moment, labels: [...moment.labels].sort() }));
    return { ...keep(each), moments: moments.map((one) => sorted(one)).sort((a, b) => (text(a) < text(b) ? -1 : 1)) };
  });
}

function sorted(value: object): object {
  const entries = Object.entries(value).map(([key, each]) => [key, key === 'attributes' ? sorted(each) : each] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Writes, reads back what was written, and gives both: what the format promised to hold, and what it held. */
export function roundTrip(
  format: Writer,
  given: Annotations,
  choices: WriteChoices = {},
): { held: Annotations; back: Annotations } {
  const written = writeAnnotations(format, given, choices);
  const held = reduceTo(format.holds, given, choices).annotations;
  const read = written.files.map(({ name, content }) => {
    assert.ok(typeof content === 'string');
    const file = fileOfText(name || `out${format.ending ?? ''}`, content);
    return parseAnnotations(file, { ...choices, ...(name === '' && { film: given.films[0]?.film ?? '' }) }, format.name);
  });
  return { held, back: { films: read.flatMap(({ films }) => films), notes: read.flatMap(({ notes }) => notes) } };
}

/** "a.mp4 1-2 run,hop ann": every moment of every film. */
export const brief = ({ films }: Annotations): string[] =>
  films.flatMap(({ film, moments }) =>
    moments.map(
      ({ startSec, endSec, labels, subject = '' }) => `${film} ${startSec}-${endSec} ${labels}${subject && ` ${subject}`}`,
    ),
  );

/** Reads a file whose format must be found to be `name`. */
export function readAs(name: string, path: string, text: string, choices: ReadChoices = {}): Annotations {
  assert.equal(formatOf(fileOfText(path, text)).name, name);
  return parseAnnotations(fileOfText(path, text), choices);
}
