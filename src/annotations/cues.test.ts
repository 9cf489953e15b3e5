import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AnnotatedFilm } from './annotations.js';
import { annotations, brief, comparable, readAs, roundTrip } from './annotations.test.fixture.js';
import { writeAnnotations, writerNamed } from './formats.js';
import { describeLosses } from './reduce.js';
import { stemOf } from './text.js';

const vtt = (text: string) => readAs('webvtt', 'day 1.vtt', text);
const srt = (text: string) => readAs('srt', 'day 1.srt', text);

test('WebVTT: header text, ids, settings, hours or none, tags and entities, NOTE, STYLE and REGION skipped; the stem is the film', () => {
  const text = [
    ...[
      '\uFEFFWEBVTT - moves',
      '',
      'NOTE not a cue',
      '00:01.000 --> 00:02.000',
      'nothing',
      '',
      'STYLE',
      '::cue { color: red }',
      '',
    ],
    ...[
      'first',
      '00:01.500 --> 00:00:02.250 align:start',
      '<v Ann><b>run</b> &amp; &lt;hop&gt;',
      '',
      '00:01.000 --> 01:00:04.000',
      'two',
      'lines',
    ],
  ].join('\r\n');
  assert.deepEqual(brief(vtt(text)), ['day 1 1.5-2.25 run & <hop> Ann', 'day 1 1-3604 two lines']);
});

test('WebVTT as VIA writes it: a minute sharp as 60.000, milliseconds with two digits, boxes as NaN', () => {
  const result = vtt(
    'WEBVTT\n\n00:00:60.000 --> 00:01:01.09\nrun\n\n00:00:02.99 --> 00:00:03.100\nhop\n\nNaN:NaN:NaN --> 00:00:01.000\nbox\n',
  );
  assert.deepEqual(brief(result), ['day 1 60-61.009 run', 'day 1 2.099-3.1 hop']);
  assert.deepEqual(result.notes, ['1 cue without a time left out']);
});

test('SRT: numbers, commas, CRLF, a missing empty line; text of a cue without any is counted', () => {
  const result = srt(
    '1\r\n00:00:01,500 --> 00:00:02,000\r\nrun\r\n2\r\n00:00:03,000 --> 00:00:04,250\r\nhop\r\n\r\n3\r\n01:00:00,000 --> 01:00:01,000\r\n\r\n',
  );
  assert.deepEqual(brief(result), ['day 1 1.5-2 run', 'day 1 3-4.25 hop']);
  assert.deepEqual(result.notes, ['1 cue without text left out']);
});

test('blocks whose times have a fault, and text after an empty line, are counted; comments are not', () => {
  const text =
    '00:01.000 -> 00:02.000\nrun\n\n00:03.000 --> 00:04.000\nhop\n\nnot the cue\n\nNOTE this\n\n\n00:05.000 --> 00:06.000\nhop\n';
  const result = vtt(`WEBVTT\nKind: captions\n\n${text}`);
  assert.deepEqual(brief(result), ['day 1 3-4 hop', 'day 1 5-6 hop']);
  assert.deepEqual(result.notes, ['2 blocks without times left out']);
});

test('a hundred thousand cues are read in a moment, with empty lines between them or without', () => {
  for (const gap of ['\n', '']) {
    const cues = Array.from({ length: 100_000 }, (_, i) => `${i + 1}\n00:00:01,000 --> 00:00:02,000\nrun\n${gap}`);
    const before = performance.now();
    assert.equal(srt(cues.join('')).films[0]?.moments.length, 100_000);
    assert.ok(performance.now() - before < 10_000);
  }
});

test('cues that end before they start or have no readable time are errors with their line', () => {
  assert.throws(
    () => vtt('WEBVTT\n\n00:02.000 --> 00:01.000\nrun\n'),
    /day 1\.vtt:3: the end \(1 s\) is before the start \(2 s\)/,
  );
  assert.throws(() => vtt('WEBVTT\n\nsoon --> 00:01.000\nrun\n'), /day 1\.vtt:3: expected times such as .*, got "soon"/);
  assert.throws(
    () => srt('1\n00:00:01,000 --> 00:00:99,000\nrun\n'),
    /day 1\.srt:2: expected times such as .*, got "00:00:99,000"/,
  );
});

test('points need a width: left out and counted, or --around seconds wide', () => {
  const moments = [{ startSec: 5, endSec: 5, labels: ['hop'], subject: 'ann', where: 'x' }];
  const given = { films: [{ film: 'a.mp4', moments, where: 'x' }], notes: [] };
  const bare = writeAnnotations(writerNamed('webvtt'), given);
  assert.equal(describeLosses(bare.losses, 'WebVTT'), '1 point (left out whole) cannot be held by WebVTT');
  const wide = writeAnnotations(writerNamed('webvtt'), given, { aroundSec: 1 });
  assert.deepEqual(wide.files, [{ name: '', content: 'WEBVTT\n\n00:00:04.500 --> 00:00:05.500\nhop\n' }]);
  assert.equal(describeLosses(wide.losses, 'WebVTT'), '1 subject cannot be held by WebVTT');
});

test('an open end is the end of the film, where that is stated and behind the start', () => {
  const moments = [
    { startSec: 50, labels: ['run'], where: 'x' },
    { startSec: 61, labels: ['hop'], where: 'x' },
    { labels: ['fly'], where: 'x' },
  ];
  const given = { films: [{ film: 'a.mp4', durationSec: 60, moments, where: 'x' }], notes: [] };
  const { files, losses } = writeAnnotations(writerNamed('activitynet'), given);
  assert.deepEqual(Object.values(JSON.parse(String(files[0]?.content)).database), [
    {
      duration: 60,
      annotations: [
        { segment: [50, 60], label: 'run' },
        { segment: [0, 60], label: 'fly' },
      ],
    },
  ]);
  assert.deepEqual(losses, [{ count: 1, what: 'moments from beyond the stated end of their film', moments: true }]);
});

test('films of one name are not written over each other', () => {
  const films = ['x/a.mp4', 'y/a.mov'].map((film) => ({ film, moments: [], where: 'x' }));
  assert.throws(
    () => writeAnnotations(writerNamed('srt'), { films, notes: [] }),
    /y\/a\.mov and x\/a\.mp4 would both be written to a\.srt/,
  );
});

/** A cue a label, the stem as name, empty films where the file shows them. */
const asCues = ({ film, moments, where }: AnnotatedFilm): AnnotatedFilm => ({
  film: stemOf(film),
  moments: moments.flatMap((moment) =>
    (moment.startSec as number) < (moment.endSec as number)
      ? moment.labels.map((label) => ({ ...moment, labels: [label.replace(/\s+/g, ' ')] }))
      : [],
  ),
  where,
});

for (const name of ['webvtt', 'srt']) {
  test(`round trip: what ${name} holds survives to the millisecond`, () => {
    fc.assert(
      fc.property(annotations, (given) => {
        const { held, back } = roundTrip(writerNamed(name), given, { aroundSec: 0.5 });
        const stems = back.films.map((film) => ({ ...film, film: stemOf(film.film) }));
        assert.deepEqual(comparable(stems), comparable(held.films.map(asCues)));
      }),
      { numRuns: 150 },
    );
  });
}
