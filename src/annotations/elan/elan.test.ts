import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  checkRead,
  comparable,
  fault,
  randomAnnotations,
  readAs,
  spansOf,
  textOfFirst,
  written,
} from '../../../test/support/annotationFiles.js';
import type { Annotations } from '../annotations.js';
import type { ReadChoices } from '../format.js';
import { formatOf } from '../formats.js';
import { fileOfText } from '../text.js';
import { parseXml } from '../xml.js';
import { elan } from './elan.js';

const video = '<MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/my%20films/a.mp4" MIME_TYPE="video/mp4"/>';
const types = `<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="t" TIME_ALIGNABLE="true"/>
 <LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="time" CONSTRAINTS="Time_Subdivision" TIME_ALIGNABLE="true"/>
 <LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="sub" CONSTRAINTS="Symbolic_Subdivision" TIME_ALIGNABLE="false"/>
 <LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="assoc" CONSTRAINTS="Symbolic_Association" TIME_ALIGNABLE="false"/>`;

interface Parts {
  readonly units?: string;
  readonly media?: string;
  readonly slots?: readonly (number | undefined)[];
}

/** Slots are ts1, ts2, .. with these milliseconds. */
function eaf(
  tiers: string,
  { units = ' TIME_UNITS="milliseconds"', media = video, slots = [1000, 3000, 5000, 6000] }: Parts = {},
): string {
  const times = slots.map(
    (time, i) => `<TIME_SLOT TIME_SLOT_ID="ts${i + 1}"${time === undefined ? '' : ` TIME_VALUE="${time}"`}/>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2024-01-01T00:00:00+00:00" FORMAT="2.7" VERSION="2.7">
<HEADER MEDIA_FILE=""${units}>${media}</HEADER><TIME_ORDER>${times.join('')}</TIME_ORDER>
${tiers}
${types}</ANNOTATION_DOCUMENT>`;
}

const tier = (id: string, annotations: string, more = 'LINGUISTIC_TYPE_REF="t"') =>
  `<TIER TIER_ID="${id}" ${more}>${annotations}</TIER>`;

const own = (id: string, from: number, to: number, value: string) =>
  `<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="${id}" TIME_SLOT_REF1="ts${from}" TIME_SLOT_REF2="ts${to}"><ANNOTATION_VALUE>${value}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>`;

const ref = (id: string, parent: string, value: string, previous = '') =>
  `<ANNOTATION><REF_ANNOTATION ANNOTATION_ID="${id}" ANNOTATION_REF="${parent}"${previous && ` PREVIOUS_ANNOTATION="${previous}"`}><ANNOTATION_VALUE>${value}</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>`;

const moves = tier('moves', own('a1', 1, 2, 'run') + own('a2', 3, 4, ' hop\n'), 'LINGUISTIC_TYPE_REF="t" PARTICIPANT="ann"');
const read = (text: string, choices: ReadChoices = {}) => readAs(elan, text, choices);

test('ELAN: a tier of one participant, whose film is an encoded address of another machine', () => {
  const annotations = read(eaf(moves));
  assert.deepEqual(spansOf(annotations), [
    [1, 3, 'run'],
    [5, 6, 'hop'],
  ]);
  assert.equal(annotations.films[0]?.film, 'C:/my films/a.mp4');
  assert.equal(annotations.films[0]?.moments[1]?.subject, 'ann');
  assert.match(annotations.films[0]?.moments[0]?.where ?? '', /^list\.file:4$/);
});

test('ELAN: time units may be absent, frames are refused', () => {
  assert.equal(read(eaf(moves, { units: '' })).films[0]?.moments.length, 2);
  assert.throws(() => read(eaf(moves, { units: ' TIME_UNITS="PAL-frames"' })), fault(/list\.file:3.*PAL-frames/));
});

test('ELAN: slots without time lie evenly along the chain between timed ones', () => {
  const slots = [1000, undefined, undefined, 4000, 6000];
  const parent = tier('turn', own('a1', 1, 4, 'x'));
  const child = tier(
    'steps',
    own('b1', 1, 2, 'l') + own('b2', 2, 3, 'r') + own('b3', 3, 4, 'l'),
    'LINGUISTIC_TYPE_REF="time" PARENT_REF="turn"',
  );
  assert.deepEqual(spansOf(read(eaf(child + parent, { slots }), { tiers: ['steps'] })), [
    [1, 2, 'l'],
    [2, 3, 'r'],
    [3, 4, 'l'],
  ]);
});

test('ELAN: a slot without time and without neighbours is refused by name', () => {
  const text = eaf(tier('moves', own('a1', 1, 2, 'run')), { slots: [1000, undefined] });
  assert.throws(() => read(text), fault(/annotation a1 begins or ends at the time slot ts2, which has no time/));
});

test('ELAN: references have their parents time through several levels; a subdivision shares it in the order of PREVIOUS_ANNOTATION', () => {
  const parts = tier(
    'parts',
    ref('b2', 'a1', 'second', 'b1') + ref('b1', 'a1', 'first'),
    'LINGUISTIC_TYPE_REF="sub" PARENT_REF="moves"',
  );
  const kinds = tier('kinds', ref('c1', 'b2', 'deep'), 'LINGUISTIC_TYPE_REF="assoc" PARENT_REF="parts"');
  const text = eaf(moves + parts + kinds);
  assert.deepEqual(spansOf(read(text, { tiers: ['parts'] })), [
    [2, 3, 'second'],
    [1, 2, 'first'],
  ]);
  assert.deepEqual(spansOf(read(text, { tiers: ['kinds'] })), [[2, 3, 'deep']]);
  assert.deepEqual(read(text, { tiers: ['parts'] }).films[0]?.moments[0]?.attributes, { kinds: 'deep' });
  const byDefault = read(text);
  assert.equal(byDefault.films[0]?.moments.length, 2);
  assert.match(byDefault.notes.join(), /tiers left out.*parts \(2\), kinds \(1\)/);
});

test('ELAN: associated tiers are attributes of the labels', () => {
  const speed = tier('speed@ann', ref('b1', 'a2', 'high'), 'LINGUISTIC_TYPE_REF="assoc" PARENT_REF="moves" PARTICIPANT="ann"');
  const { films, notes } = read(eaf(moves + speed));
  assert.deepEqual(
    films[0]?.moments.map(({ attributes }) => attributes),
    [undefined, { speed: 'high' }],
  );
  assert.deepEqual(notes, []);
});

test('ELAN: film time is the time line plus TIME_ORIGIN; several videos are views, a wav is none', () => {
  const media = `<MEDIA_DESCRIPTOR MEDIA_URL="file:///x/a.wav" MIME_TYPE="audio/x-wav" EXTRACTED_FROM="file:///x/a.mp4"/>
   <MEDIA_DESCRIPTOR MEDIA_URL="file:///x/a.mp4" RELATIVE_MEDIA_URL="./a.mp4" MIME_TYPE="video/mp4" TIME_ORIGIN="500"/>
   <MEDIA_DESCRIPTOR MEDIA_URL="file:///x/b.mpg" MIME_TYPE="unknown"/>`;
  const text = eaf(moves, { media });
  const first = read(text);
  assert.equal(first.films[0]?.film, 'a.mp4');
  assert.deepEqual(spansOf(first)[0], [1.5, 3.5, 'run']);
  assert.match(first.notes.join(), /2 videos are views/);
  assert.deepEqual(spansOf(read(text, { film: '/y/b.mpg' }))[0], [1, 3, 'run']);
  assert.throws(() => read(text, { film: 'c.mp4' }), fault(/no video called c\.mp4; expected one of a\.mp4, b\.mpg/));
});

test('ELAN: without any media the film is asked for', () => {
  assert.throws(() => read(eaf(moves, { media: '' })), fault(/--film/));
  assert.equal(read(eaf(moves, { media: '' }), { film: 'a.mp4' }).films[0]?.film, 'a.mp4');
});

test('ELAN: empty values where the name of the tier is the label', () => {
  const text = eaf(tier('run', own('a1', 1, 2, '')) + tier('hop', own('a2', 2, 3, '')));
  const annotations = read(text);
  assert.deepEqual(spansOf(annotations), [
    [1, 3, 'run'],
    [3, 5, 'hop'],
  ]);
  assert.match(annotations.notes.join(), /2 annotations without a value/);
});

test('ELAN: several tiers are listed with their counts and chosen by --tier, --subject or by their one name', () => {
  const text = eaf(moves + tier('speech', own('b1', 1, 4, 'well')));
  assert.throws(() => read(text), fault(/several tiers may hold the labels; choose with --tier: moves \(2\), speech \(1\)/));
  assert.equal(read(text, { tiers: ['moves'] }).films[0]?.moments.length, 2);
  assert.equal(read(text, { subjects: ['ann'] }).films[0]?.moments.length, 2);
  assert.throws(() => read(text, { subjects: ['bob'] }), fault(/no tier is of bob; its participants are ann/));
  assert.throws(
    () => read(text, { tiers: ['x'] }),
    fault(/no tier called x has annotations; expected moves \(2\), speech \(1\)/),
  );
  const two = (name: string, id: string) =>
    tier(`moves@${name}`, own(id, 1, 2, name), `LINGUISTIC_TYPE_REF="t" PARTICIPANT="${name}"`);
  assert.equal(read(eaf(two('ann', 'a1') + two('bob', 'a2'))).films[0]?.moments.length, 2);
});

for (const [what, tiers, expected] of [
  ['a missing slot', tier('m', own('a1', 1, 9, 'x')), /refers to the time slot ts9, which is not there/],
  ['an end before the start', tier('m', own('a1', 2, 1, 'x')), /ends at 1000 ms, before it starts at 3000 ms/],
  ['a missing parent', tier('m', ref('a1', 'zz', 'x')), /refers to zz, which is not there/],
  ['a circle of parents', tier('m', ref('a1', 'a2', 'x') + ref('a2', 'a1', 'x')), /refers to itself, or through too many levels/],
  ['an annotation twice', tier('m', own('a1', 1, 2, 'x') + own('a1', 2, 3, 'x')), /annotation a1 is there twice/],
  ['a subdivision in a circle', moves + tier('m', ref('b1', 'a1', 'x', 'b2') + ref('b2', 'a1', 'x', 'b1')), /in no order/],
  [
    'no slot',
    '<TIER TIER_ID="m" LINGUISTIC_TYPE_REF="t"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a"/></ANNOTATION></TIER>',
    /has no TIME_SLOT_REF1/,
  ],
] as const) {
  test(`ELAN: ${what} is refused with its line`, () => {
    assert.throws(() => read(eaf(tiers), { tiers: ['m'] }), fault(expected));
  });
}

const bomb = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>';
const external = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>';

for (const [what, spoil, expected] of [
  ['entities that expand', (text: string) => text.replace('?>', `?>${bomb}`).replace('run', '&c;'), /has a document type/],
  ['an external entity', (text: string) => text.replace('?>', `?>${external}`).replace('run', '&x;'), /has a document type/],
  ['an unknown entity', (text: string) => text.replace('run', '&nbsp;'), /list\.file:4: not XML/],
  ['an element that does not end', (text: string) => text.replace('</TIER>', ''), /not XML/],
  ['a file cut off', (text: string) => text.slice(0, 400), /not XML/],
  [
    'elements inside each other without end',
    (text: string) => text.replace('run', '<a>'.repeat(5000) + '</a>'.repeat(5000)),
    /more than 64 elements/,
  ],
  ['a time that is none', (text: string) => text.replace('"1000"', '"1e999"'), /TIME_VALUE="1e999", expected milliseconds/],
] as const) {
  test(`ELAN: ${what} is refused with its line`, () => {
    assert.throws(() => read(spoil(eaf(moves))), fault(expected));
  });
}

test('ELAN: a file spoilt anywhere is refused with file and place, or read', () => {
  const text = eaf(moves + tier('parts', ref('b1', 'a1', 'x'), 'LINGUISTIC_TYPE_REF="sub" PARENT_REF="moves"'));
  const choices = { tiers: ['moves', 'parts'] };
  for (let at = 100; at < text.length; at += 3) {
    for (const piece of ['', '"', '<', '-', '__proto__']) {
      checkRead(elan, fileOfText('list.eaf', text.slice(0, at) + piece + text.slice(at + 3)), choices);
    }
  }
});

test('ELAN: moments survive a round trip to the millisecond, with subjects, comments and attributes, and no tier overlaps', () => {
  const random = randomAnnotations({ step: 0.001, films: false, labels: true, subject: true, comment: true, attributes: true });
  fc.assert(
    fc.property(random, (annotations: Annotations) => {
      const output = written(elan, annotations);
      const text = textOfFirst(output);
      assert.equal(formatOf(fileOfText('a.eaf', text)), elan);
      checkTiers(text);
      assert.deepEqual(output.losses, []);
      assert.deepEqual(comparable(read(text), 0.001), comparable(annotations, 0.001));
    }),
    { numRuns: 80 },
  );
});

function checkTiers(text: string): void {
  const root = parseXml(text, 'a.eaf');
  for (const name of ['AUTHOR', 'DATE', 'VERSION']) assert.notEqual(root.attribute(name), undefined, name);
  const slots = root.first('TIME_ORDER')?.all('TIME_SLOT') ?? [];
  const times = new Map(slots.map((slot) => [slot.attribute('TIME_SLOT_ID'), Number(slot.attribute('TIME_VALUE'))]));
  assert.deepEqual(
    [...times.values()],
    [...times.values()].sort((a, b) => a - b),
    'slots in order of time',
  );
  for (const each of root.all('TIER')) {
    const spans = each
      .deep('ALIGNABLE_ANNOTATION')
      .map((one) => ['TIME_SLOT_REF1', 'TIME_SLOT_REF2'].map((name) => times.get(one.attribute(name))));
    spans.slice(1).forEach(([start], i) => {
      assert.ok((start ?? 0) >= (spans[i]?.[1] ?? Infinity), `${each.attribute('TIER_ID')} overlaps`);
    });
  }
  const ids = root.all('TIER').map((each) => each.attribute('TIER_ID'));
  assert.equal(new Set(ids).size, ids.length, 'tiers of different names');
}

test('ELAN: films are files of their own; what is lost is counted', () => {
  const moment = { startSec: 1, endSec: 2, labels: ['run'], score: 0.5, where: '' };
  const moments = [moment, { ...moment, endSec: 1 }, { ...moment, endSec: 1.0001, comment: 'a\u0001b' }];
  const films = ['/x/a.mp4', 'C:\\x\\b.mp4'].map((film) => ({ film, moments, where: '', split: 'val' as const }));
  const output = written(elan, { films, notes: [] });
  assert.deepEqual(
    output.files.map(({ name }) => name),
    ['a.eaf', 'b.eaf'],
  );
  assert.deepEqual(
    output.files.map(({ content }) => read(String(content)).films[0]?.film),
    ['/x/a.mp4', 'C:/x/b.mp4'],
  );
  assert.deepEqual(
    output.losses.map(({ count, what }) => `${count} ${what}`),
    [
      '4 scores',
      '2 points',
      '2 films with a split',
      '2 texts with characters that XML forbids, now \uFFFD',
      '2 moments shorter than a millisecond, now one long',
    ],
  );
});
