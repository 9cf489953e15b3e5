import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  checkSpoilt,
  comparable,
  fault,
  randomAnnotations,
  readAs,
  spansOf,
  textOfFirst,
  written,
} from '../../../test/support/annotationFiles.js';
import type { ReadChoices } from '../format.js';
import { formatOf } from '../formats.js';
import { fileOfText } from '../text.js';
import { via } from './via.js';

const act = {
  aname: 'act',
  anchor_id: 'FILE1_Z2_XY0',
  type: 4,
  desc: '',
  options: { '0': 'run', '1': 'hop' },
  default_option_id: '',
};
const record = (z: number[], av: object, more: object = {}) => ({ vid: '1', flg: 0, z, xy: [], av, ...more });

function project(metadata: object, { attribute = { '1': act }, ...more }: { attribute?: object } & Record<string, unknown> = {}) {
  return {
    project: { pname: 'x', data_format_version: '3.1.1', vid_list: ['1', '2'] },
    config: { file: { loc_prefix: { '1': '', '2': 'https://x.test/', '3': '/films/', '4': '' } } },
    attribute,
    file: {
      '1': { fid: 1, fname: 'a.mp4', type: 4, loc: 3, src: 'day/a.mp4' },
      '2': { fid: '2', fname: 'b.mp4', type: 4, loc: 1, src: '' },
      '3': { fid: 3, fname: 'c.jpg', type: 2, loc: 1, src: '' },
    },
    metadata,
    view: { '1': { fid_list: [1] }, '2': { fid_list: ['2'] }, '3': { fid_list: ['3'] } },
    ...more,
  };
}

const read = (value: unknown, choices: ReadChoices = {}) => readAs(via, value, choices);

test('VIA 3: segments by option id, films by prefix and source or by name alone, file ids as numbers or strings', () => {
  const annotations = read(
    project({ '1_ab': record([2.5, 4.1], { '1': '0' }), '1_cd': record([4.1, 5.00012], { '1': '1' }, { vid: '2' }) }),
  );
  assert.deepEqual(spansOf(annotations), [
    [2.5, 4.1, 'run'],
    [4.1, 5.00012, 'hop'],
  ]);
  assert.deepEqual(
    annotations.films.map(({ film }) => film),
    ['/films/day/a.mp4', 'b.mp4'],
  );
  assert.equal(annotations.films[0]?.moments[0]?.where, 'list.json:metadata.1_ab');
});

test('VIA 3: 3.1.0 has the list of views at the top and one path, older ones no version', () => {
  const old = project(
    { a: record([1, 2], { '1': '0' }) },
    { vid_list: ['2', '1'], project: { pname: 'x' }, config: { file: { path: '/p/' } } },
  );
  assert.deepEqual(
    read(old).films.map(({ film }) => film),
    ['b.mp4', '/p/day/a.mp4'],
  );
});

test('VIA 3: a value that is no option was typed by hand and is the label; a row without name has the name of the attribute', () => {
  const annotations = read(project({ a: record([1, 2], { '1': 'jump high' }), b: record([2, 3], { '1': '_DEFAULT' }) }));
  assert.deepEqual(spansOf(annotations), [
    [1, 2, 'jump high'],
    [2, 3, 'act'],
  ]);
  assert.match(annotations.notes.join(), /1 row without a name/);
});

test('VIA 3: checkboxes hold several ids; text is the label itself, also where it looks like an id', () => {
  const values = { a: record([1, 2], { '1': '0,1' }) };
  assert.deepEqual(spansOf(read(project(values, { attribute: { '1': { ...act, type: 2 } } }))), [[1, 2, 'run+hop']]);
  const text = { ...act, type: 1 };
  assert.deepEqual(spansOf(read(project({ a: record([1, 2], { '1': '0' }) }, { attribute: { '1': text } }))), [[1, 2, '0']]);
});

test('VIA 3: an empty z is the whole file, one z with a box a picture of the film', () => {
  assert.deepEqual(spansOf(read(project({ a: record([], { '1': '0' }) }))), [[undefined, undefined, 'run']]);
  const { films } = read(project({ a: record([1.5], { '1': '0' }, { xy: [2, 10, 10, 5, 5] }) }));
  const { where: _, ...moment } = films[0]?.moments[0] ?? {};
  assert.deepEqual(moment, { startSec: 1.5, endSec: 1.5, labels: ['run'], attributes: { xy: '[2,10,10,5,5]' } });
});

test('VIA 3: several attributes are several sets of labels, chosen by --tier; the others are attributes of the moment', () => {
  const attribute = {
    '1': act,
    '2': { ...act, aname: 'speed', options: { '0': 'low' } },
    '3': { ...act, aname: 'comment', type: 1 },
  };
  const value = project({ a: record([1, 2], { '1': '0', '2': '0', '3': 'sure' }) }, { attribute });
  assert.throws(
    () => read(value),
    fault(/several attributes may hold the labels; choose with --tier: act \(1\), speed \(1\), comment \(1\)/),
  );
  const { where: _, ...moment } = read(value, { tiers: ['act'] }).films[0]?.moments[0] ?? {};
  assert.deepEqual(moment, { startSec: 1, endSec: 2, labels: ['run'], comment: 'sure', attributes: { speed: 'low' } });
  assert.throws(() => read(value, { tiers: ['x'] }), fault(/no attribute called x has values; expected one of: act/));
});

test('VIA 3: pictures and records without a label are counted', () => {
  const values = { a: record([], { '1': '0' }, { vid: '3' }), b: record([1, 2], {}), c: record([1, 2], { '1': '0' }) };
  assert.match(
    read(project(values)).notes.join('; '),
    /1 record of pictures or sound left out; 1 record without a label left out/,
  );
});

test('VIA 2 is refused by name', () => {
  const text = JSON.stringify({ _via_settings: {}, _via_img_metadata: {}, _via_attributes: {} });
  assert.throws(() => formatOf(fileOfText('list.json', text)), fault(/a VIA 2 project.*VIA 3/));
});

for (const [what, metadata, expected] of [
  ['an end before the start', { a: record([4, 2], { '1': '0' }) }, /metadata\.a: ends at 2 s, before it starts at 4 s/],
  ['three times', { a: record([1, 2, 3], { '1': '0' }) }, /metadata\.a: expected two times/],
  ['a view that is not there', { a: record([1, 2], { '1': '0' }, { vid: '9' }) }, /metadata\.a\.vid: there is no view 9/],
] as const) {
  test(`VIA 3: ${what} is refused with its place`, () => {
    assert.throws(() => read(project(metadata)), fault(expected));
  });
}

const cells = (...values: string[]) => values.map((value) => `"${value.replaceAll('"', '""')}"`).join(',');
const comments =
  '# Exported using VGG Image Annotator (http://www.robots.ox.ac.uk/~vgg/software/via)\n# SHAPE_ID = {"POINT":1}\n';
const columns = 'metadata_id,file_list,flags,temporal_coordinates,spatial_coordinates,metadata';
const row = cells('1_ab', '["a.mp4"]', '0', '[2.5,4.1]', '[]', '{"1":"0"}');

for (const [what, text, label] of [
  ['whole attributes', `${comments}# ATTRIBUTE = ${JSON.stringify({ '1': act })}\n# CSV_HEADER = ${columns}\n${row}\n`, 'run'],
  ['names by id', `${comments}# ATTRIBUTES = {"1":"act"}\n# CSV_HEADER = ${columns}\n${row}\n`, '0'],
  [
    'no attributes',
    `${comments}# CSV_HEADER = ${columns}\n${cells('1_ab', '["a.mp4"]', '0', '[2.5,4.1]', '[]', '{"act":"run"}')}\n`,
    'run',
  ],
  [
    'a column for each time',
    `${comments}# CSV_HEADER = metadata_id,file_list,temporal_segment_start,temporal_segment_end,metadata\n${cells('1', '["a.mp4"]', '2.5', '4.1', '{"act":"run"}')}\n`,
    'run',
  ],
] as const) {
  test(`VIA 3 CSV: comments, then JSON in quoted cells, with ${what}`, () => {
    const annotations = read(text);
    assert.deepEqual(spansOf(annotations), [[2.5, 4.1, label]]);
    assert.equal(annotations.films[0]?.film, 'a.mp4');
    assert.equal(formatOf(fileOfText('a.csv', text)), via);
  });
}

test('VIA 3 CSV: a cell that is no JSON is refused with its row', () => {
  const text = `# CSV_HEADER = ${columns}\n${row}\n${cells('1_cd', '["a.mp4"', '0', '[1,2]', '[]', '{}')}\n`;
  assert.throws(() => read(text), fault(/list\.file:3:file_list: not JSON/));
});

test('VIA 3: wrong values at every place are refused with file and place, or read', () => {
  checkSpoilt(via, project({ a: record([1, 2], { '1': '0' }), b: record([1], { '1': '0' }, { xy: [2, 1, 1, 1, 1] }) }), {
    tiers: ['act'],
  });
});

test('VIA 3: moments survive a round trip to the millisecond, with subjects, comments and attributes', () => {
  const random = randomAnnotations({ step: 0.001, labels: true, subject: true, comment: true, attributes: true });
  fc.assert(
    fc.property(random, (annotations) => {
      const output = written(via, annotations);
      assert.deepEqual(output.losses, []);
      assert.equal(formatOf(fileOfText('a.json', textOfFirst(output))), via);
      assert.deepEqual(comparable(read(textOfFirst(output)), 0.001), comparable(annotations, 0.001));
    }),
    { numRuns: 60 },
  );
});

test('VIA 3: what is lost is counted', () => {
  const moment = { startSec: 1, endSec: 2, labels: ['run'], where: '' };
  const moments = [
    { ...moment, score: 0.5 },
    { ...moment, endSec: 1 },
    { ...moment, endSec: 1.0001, attributes: { label: 'x' } },
  ];
  const output = written(via, { films: [{ film: 'a.mp4', moments, where: '' }], notes: [] });
  assert.deepEqual(
    output.losses.map(({ count, what }) => `${count} ${what}`),
    [
      '1 scores',
      '1 points',
      '1 attributes called label, subject or comment',
      '1 moments shorter than a millisecond, now one long',
    ],
  );
});
