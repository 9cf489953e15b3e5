import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AnnotatedFilm, Annotations } from './annotations.js';
import { annotations, brief, comparable, readAs, roundTrip } from './annotations.test.fixture.js';
import type { ReadChoices } from './format.js';
import { writeAnnotations, writerNamed } from './formats.js';

const conf = { '0': { code: 'run', type: 'State event' }, '1': { code: 'hop', type: 'Point event with coding map' } };

interface Given {
  readonly events: readonly unknown[];
  readonly file?: object;
  readonly info?: object;
  readonly more?: object;
}

const observation = ({ events, file = { '1': ['a.mp4'], '2': [] }, info = {}, more = {} }: Given) => ({
  ...{
    type: 'MEDIA',
    file,
    'time offset': 0,
    media_info: { length: { 'a.mp4': 60, 'b.mp4': 60 }, fps: { 'a.mp4': 25 }, ...info },
  },
  ...more,
  events,
});

const project = (observations: object) =>
  JSON.stringify({ project_format_version: '7.0', time_format: 'hh:mm:ss', behaviors_conf: conf, observations });

const readText = (text: string, choices?: ReadChoices) => readAs('boris', 'p.boris', text, choices);
const read = (given: Given, choices?: ReadChoices) => readText(project({ 'day 1': observation(given) }), choices);

const run = (time: number, subject = '') => [time, subject, 'run', '', '', Math.round(time * 25)];

test('events alternate start and stop by subject, code and modifiers, in order of time; points have no length', () => {
  const events = [
    run(9),
    [4, 'ann', 'run', 'fast', ''],
    run(2.5),
    [1, '', 'hop', 'wet|None', 'note', 'NA'],
    [7, 'ann', 'run', 'fast', ''],
  ];
  const result = read({ events });
  assert.deepEqual(brief(result), ['a.mp4 1-1 hop', 'a.mp4 2.5-9 run', 'a.mp4 4-7 run ann']);
  const [hop, , fast] = result.films[0]?.moments ?? [];
  assert.deepEqual(
    [hop?.attributes, hop?.comment, fast?.attributes],
    [{ 'modifier 1': 'wet' }, 'note', { 'modifier 1': 'fast' }],
  );
  assert.deepEqual([result.films[0]?.durationSec, result.films[0]?.fps, result.labels], [60, 25, ['run', 'hop']]);
});

test('modifiers: sets by |, choices by comma, None for none, outer blanks', () => {
  const { films } = read({ events: [[1, '', 'hop', ' wet ,cold | None| deep', '', 1]] });
  assert.deepEqual(films[0]?.moments[0]?.attributes, { 'modifier 1': 'wet ,cold', 'modifier 3': 'deep' });
});

test('films of a player play one after another: sums of lengths cut to ms, a state across the joint is split', () => {
  const events = [run(2.5), run(4), run(59), run(70), [60.001, '', 'hop', '', '', 'NA']];
  const file = { '1': ['a.mp4', 'b.mp4'] };
  const info = { length: { 'a.mp4': 60.0019, 'b.mp4': 60 } };
  assert.deepEqual(brief(read({ events, file, info })), [
    'a.mp4 2.5-4 run',
    'a.mp4 59-60.001 run',
    'b.mp4 0-9.999 run',
    'b.mp4 0-0 hop',
  ]);
});

test('sums of lengths are cut to ms, not by what binary fractions leave of them', () => {
  const found = read({
    events: [[1.005, '', 'hop', '', '']],
    file: { '1': ['a.mp4', 'b.mp4'] },
    info: { length: { 'a.mp4': 1.005, 'b.mp4': 60 } },
  });
  assert.deepEqual(brief(found), ['b.mp4 0-0 hop']);
});

test('without lengths only one film can be placed', () => {
  const file = { '1': ['x.mp4', 'y.mp4'] };
  assert.throws(() => read({ events: [run(1), run(2)], file }), /observation "day 1": the length of x\.mp4 is not stated/);
  assert.throws(
    () => read({ events: [run(1), run(2)], file, info: { length: { 'x.mp4': 0 } } }),
    /the length of x\.mp4 is not stated/,
  );
  assert.deepEqual(brief(read({ events: [run(1), run(2)], file: { '1': ['x.mp4'] } })), ['x.mp4 1-2 run']);
});

test('further players are further cameras: the time less the offset of the player', () => {
  const given = { events: [run(3), run(8)], file: { '1': ['a.mp4'], '2': ['c.mp4'] }, info: { offset: { '1': 0, '2': 2.5 } } };
  assert.deepEqual(brief(read(given)), ['a.mp4 3-8 run', 'c.mp4 0.5-5.5 run']);
  const early = read({ ...given, events: [run(1), run(2), run(2.1), run(3)] });
  assert.deepEqual(brief(early), ['a.mp4 1-2 run', 'a.mp4 2.1-3 run', 'c.mp4 0-0.5 run']);
  assert.deepEqual(early.notes, ['1 moment before the beginning of c.mp4 left out', '1 moment cut at the beginning of c.mp4']);
});

test('the time offset is in the stored times and comes off, negative or an epoch; and so is when the film was made', () => {
  for (const offset of [-3600, 12.5, 1_600_000_000]) {
    assert.deepEqual(brief(read({ events: [run(offset + 2), run(offset + 4)], more: { 'time offset': offset } })), [
      'a.mp4 2-4 run',
    ]);
  }
  const epoch = 1_600_000_000;
  const more = { media_creation_date_as_offset: true };
  const info = { media_creation_time: { 'a.mp4': epoch } };
  assert.deepEqual(brief(read({ events: [run(epoch + 2), run(epoch + 4)], more, info })), ['a.mp4 2-4 run']);
  assert.throws(() => read({ events: [], more }), /its times count from when a\.mp4 was filmed, which is not stated/);
});

test('unpaired starts are an error by name until --unpaired says end or drop', () => {
  const given = { events: [run(2), run(4), run(50, 'ann')] };
  assert.throws(() => read(given), {
    message:
      'p.boris: observation "day 1": 1 state without start or end: run of ann begun at 50 s; expected --unpaired end (to the end of the film) or drop',
  });
  const ended = read(given, { unpaired: 'end' });
  assert.deepEqual(brief(ended), ['a.mp4 2-4 run', 'a.mp4 50-undefined run ann']);
  assert.match(ended.notes[0] ?? '', /^1 state without start or end taken to last .*: run of ann begun at 50 s$/);
  assert.deepEqual(brief(read(given, { unpaired: 'drop' })), ['a.mp4 2-4 run']);
});

test('a code that is not in the ethogram has no type and is refused by name', () => {
  assert.throws(() => read({ events: [[1, '', 'fly', '', '']] }), /event 1: the behaviour "fly" is not in the ethogram/);
});

test('LIVE observations and those of pictures have no film: left out and said, an error when nothing else is there', () => {
  const live = { ...observation({ events: [] }), type: 'LIVE', file: {} };
  const pictures = { ...observation({ events: [[0, '', 'run', '', '', 1, 'x/1.jpg']] }), type: 'IMAGES' };
  const both = readText(project({ one: live, two: observation({ events: [run(1), run(2)] }), three: pictures }));
  assert.deepEqual(both.notes, [
    'left out: observation "one" is LIVE: it has no film',
    'left out: observation "three" is made of pictures, not of a film',
  ]);
  assert.throws(() => readText(project({ one: live })), /no observation of films: observation "one" is LIVE: it has no film/);
});

test('a bare NaN as time, which strict parsers refuse', () => {
  const pictures = { ...observation({ events: [['@', '', 'run', '', '', 1, 'x/1.jpg']] }), type: 'IMAGES' };
  const text = project({ one: observation({ events: [run(1), run(2)] }), two: pictures }).replace('"@"', 'NaN');
  assert.deepEqual(brief(readText(text)), ['a.mp4 1-2 run']);
  const bad = project({ one: observation({ events: [['@', '', 'run', '', '']] }) }).replace('"@"', 'NaN');
  assert.throws(() => readText(bad), /observation "one", event 1: the time is not a number/);
});

test('before version 7: file is a list, type VIDEO, events of five items, an offset of the second player', () => {
  const more = { type: 'VIDEO', 'time offset second player': 1 };
  const events = [
    [1, '', 'run', '', ''],
    [2, '', 'run', '', ''],
  ];
  assert.deepEqual(brief(read({ events, file: ['a.mp4'], more })), ['a.mp4 1-2 run']);
  assert.deepEqual(brief(read({ events, file: { '1': ['a.mp4'], '2': ['b.mp4'] }, more })), ['a.mp4 1-2 run', 'b.mp4 0-1 run']);
});

test('--subject chooses, and a subject that is not there is named', () => {
  const events = [run(1), run(2), run(3, 'ann'), run(4, 'ann')];
  assert.deepEqual(brief(read({ events }, { subjects: ['ann'] })), ['a.mp4 3-4 run ann']);
  assert.throws(() => read({ events }, { subjects: ['bob'] }), /no moment of the subject bob; there are "" \(none\), ann/);
});

test('the same film in two observations is said', () => {
  const { notes } = readText(project({ one: observation({ events: [run(1), run(2)] }), two: observation({ events: [] }) }));
  assert.deepEqual(notes, ['a.mp4 is coded in 2 observations, all of which count: one, two']);
});

/** What BORIS holds: a row a label, modifiers by number, films with moments. */
function asHeld({ film, moments, ...rest }: AnnotatedFilm): AnnotatedFilm[] {
  const split = moments.flatMap((moment) => moment.labels.map((label) => ({ ...moment, labels: [label] })));
  return split.length === 0 ? [] : [{ film, moments: split, ...rest }];
}

const withModifiers = ({ films, notes }: Annotations): Annotations => {
  const renamed = (attributes: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.values(attributes).map((value, i) => [`modifier ${i + 1}`, value]));
  return {
    notes,
    films: films.map((film) => ({
      ...film,
      moments: film.moments.map((moment) => ({
        ...moment,
        ...(moment.attributes && { attributes: renamed(moment.attributes) }),
      })),
    })),
  };
};

test('round trip: what BORIS holds survives to the millisecond', () => {
  fc.assert(
    fc.property(annotations.map(withModifiers), (given) => {
      fc.pre(given.films.some(({ moments }) => moments.some(({ endSec }) => endSec !== undefined)));
      const { held, back } = roundTrip(writerNamed('boris'), given);
      assert.deepEqual(comparable(back.films), comparable(held.films.flatMap(asHeld)));
    }),
    { numRuns: 200 },
  );
});

test('texts that BORIS and R write for none are counted before they are read as none', () => {
  const moment = { startSec: 1, endSec: 2, labels: ['run'], where: 'x' };
  const moments = [
    { ...moment, subject: 'No focal subject' },
    { ...moment, subject: 'NA', comment: 'NA', attributes: { 'modifier 1': 'None' } },
    { ...moment, subject: 'ann', comment: 'x', attributes: { 'modifier 1': 'wet' } },
  ];
  const { losses } = writeAnnotations(writerNamed('boris'), { films: [{ film: 'a.mp4', moments, where: 'x' }], notes: [] });
  assert.deepEqual(losses, [{ count: 4, what: 'subjects, comments and modifiers whose text means none', moments: false }]);
});

test('what BORIS cannot hold is counted by kind', () => {
  const moments = [
    { startSec: 1, endSec: 2, labels: ['run'], score: 0.5, attributes: { speed: 'high' }, where: 'x' },
    { startSec: 1, labels: ['run'], where: 'x' },
  ];
  const films = [
    { film: 'a.mp4', moments, split: 'train' as const, where: 'x' },
    { film: 'b.mp4', moments: [], complete: [], where: 'x' },
  ];
  assert.deepEqual(
    writeAnnotations(writerNamed('boris'), { films, notes: [] }).losses.map(({ count, what }) => `${count} ${what}`),
    [
      ...['1 scores', '1 moments without end', '1 films with a split', '1 films with complete stretches'],
      ...['1 attributes that are no modifiers', '1 films without moments'],
    ],
  );
});
