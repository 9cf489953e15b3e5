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
} from '../../test/support/annotationFiles.js';
import type { Annotations, Moment } from './annotations.js';
import { ava } from './ava.js';
import type { ReadChoices } from './format.js';
import { formatOf } from './formats.js';
import { fileOfText } from './text.js';

const list = `aa,0902,0.077,0.151,0.283,0.811,80,1
aa,0902,0.077,0.151,0.283,0.811,9,1
aa,0902,0.332,0.194,0.481,0.891,9,0
aa,0903,0.077,0.151,0.283,0.811,80,1
`;

const read = (text: string, choices: ReadChoices = {}) => readAs(ava, text, choices);

test('AVA: no header; a key second stands for half a second before and after; actions of one box are true at once', () => {
  const annotations = read(list);
  assert.deepEqual(spansOf(annotations), [
    [901.5, 902.5, '80+9'],
    [901.5, 902.5, '9'],
    [902.5, 903.5, '80'],
  ]);
  assert.equal(annotations.films[0]?.moments[0]?.subject, '1');
  assert.deepEqual(annotations.films[0]?.moments[0]?.attributes, { box: '0.077,0.151,0.283,0.811' });
  assert.match(annotations.notes.join(), /ids of classes/);
  assert.equal(formatOf(fileOfText('a.csv', list)), ava);
});

test('AVA: the first second of a film does not begin before it', () => {
  const { films } = read('a,0902,0.1,0.2,0.3,0.4,3,1\n', { offsetSec: -902 });
  assert.deepEqual([films[0]?.moments[0]?.startSec, films[0]?.moments[0]?.endSec], [0, 0.5]);
});

test('AVA: names of classes, and an offset only where the user gives it', () => {
  const classNames = new Map([
    ['80', 'watch'],
    ['9', 'lie'],
  ]);
  const annotations = read(list, {
    classNames: classNames as unknown as NonNullable<ReadChoices['classNames']>,
    offsetSec: -900,
  });
  assert.deepEqual(spansOf(annotations)[0], [1.5, 2.5, 'watch+lie']);
  assert.deepEqual(annotations.labels, ['watch', 'lie']);
  assert.throws(() => read(list, { offsetSec: -903 }), fault(/list\.file:1: second 902 is before the film with --offset -903/));
});

test('AVA: results have a score in place of the person', () => {
  const annotations = read('aa,0902,0.1,0.2,0.3,0.4,12,0.75\naa,0903,0.1,0.2,0.3,0.4,12,1\n');
  assert.deepEqual(
    annotations.films[0]?.moments.map(({ score, subject }) => [score, subject]),
    [
      [0.75, undefined],
      [1, undefined],
    ],
  );
});

for (const [what, row, expected] of [
  ['a box in pixels', 'aa,0903,10,20,30,40,80,1', /list\.file:5: expected video,second.*shares of the picture, got aa,0903,10/],
  ['no action', 'aa,0903,0.1,0.2,0.3,0.4,,1', /list\.file:5: expected video,second/],
  ['a time that is none', 'aa,soon,0.1,0.2,0.3,0.4,80,1', /list\.file:5: expected video,second/],
] as const) {
  test(`AVA: ${what} is refused with its row`, () => {
    assert.throws(() => read(`${list}${row}\n`), fault(expected));
  });
}

test('AVA: a list spoilt anywhere is refused with file and place, or read', () => {
  for (let at = 0; at < list.length; at += 1) {
    for (const piece of ['', '"', '\n', ',', '1e999', '-']) {
      checkRead(ava, fileOfText('list.csv', list.slice(0, at) + piece + list.slice(at + 2)), {});
    }
  }
});

/** One key second, with a box and a numbered person or none. */
const onGrid = randomAnnotations({ step: 0.5 }).map(({ films, notes }): Annotations => {
  const moments = (of: readonly Moment[]) =>
    of.map((moment, i) => ({ ...keySecond(moment, i), attributes: { box: `0.${i + 1},0.1,0.9,1` } }));
  return {
    films: films
      .map((film) => ({ ...film, moments: moments(film.moments) }))
      .filter(({ film, moments: { length } }) => length > 0 && !film.includes('\n')),
    notes,
  };
});

function keySecond(moment: Moment, i: number): Moment {
  const second = Math.ceil(moment.startSec ?? 0) + 1;
  const labels = moment.labels.map((label) => String(label.length + 1));
  return { ...moment, startSec: second - 0.5, endSec: second + 0.5, labels, ...(i % 2 === 0 && { subject: String(i) }) };
}

test('AVA: key seconds survive a round trip with boxes and persons', () => {
  fc.assert(
    fc.property(onGrid, (annotations) => {
      fc.pre(annotations.films.length > 0);
      const output = written(ava, annotations);
      assert.deepEqual(output.losses, []);
      assert.deepEqual(comparable(read(textOfFirst(output)), 0.5), comparable(annotations, 0.5));
    }),
    { numRuns: 60 },
  );
});

test('AVA: names of classes come in a list of their own; seconds, boxes and persons that are lost are counted', () => {
  const moment = { startSec: 1.2, endSec: 3.7, labels: ['run'], where: '' };
  const moments = [
    moment,
    { ...moment, endSec: 1.4 },
    { ...moment, startSec: 1.5, endSec: 2.5, labels: ['hop'], subject: 'ann', comment: 'x' },
  ];
  const { files, losses } = written(ava, { films: [{ film: 'aa', moments, where: '' }], notes: [] });
  assert.deepEqual(
    files.map(({ name }) => name),
    ['ava.csv', 'classes.csv'],
  );
  assert.deepEqual(files[0]?.content, 'aa,0002,0,0,1,1,1,-1\naa,0003,0,0,1,1,1,-1\naa,0002,0,0,1,1,2,0\n');
  assert.equal(files[1]?.content, '1,run\n2,hop\n');
  assert.deepEqual(
    losses.map(({ count, what }) => `${count} ${what}`),
    [
      '1 comments',
      '1 names of subjects, now numbers',
      '1 moments of several seconds, now one for each',
      '1 times moved to half seconds around key seconds',
      '3 moments without a box, now of the whole picture',
      '1 moments between two key seconds',
    ],
  );
});
