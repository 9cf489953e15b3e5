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
} from '../../test/support/annotationFiles.js';
import { activityNet } from './activityNet.js';
import { formatOf } from './formats.js';
import { fileOfText } from './text.js';

const run = { segment: [1.5, 4], label: 'Running' };

const official = {
  version: 'VERSION 1.3',
  taxonomy: [
    { nodeId: 0, nodeName: 'Root', parentId: null, parentName: null },
    { nodeId: 1, nodeName: 'Sports', parentId: 0, parentName: 'Root' },
    { nodeId: 2, nodeName: 'Running', parentId: 1, parentName: 'Sports' },
    { nodeId: 3, nodeName: 'Hopping', parentId: 1, parentName: 'Sports' },
  ],
  database: {
    aa: { duration: 60.25, subset: 'training', resolution: '320x240', url: 'https://x.test/aa', annotations: [run] },
    bb: { duration: 10, subset: 'validation', annotations: [{ segment: [9, 10.5], label: 'Hopping' }] },
    cc: { duration: 20, subset: 'testing', annotations: [] },
    dd: { duration: 20, subset: 'testing' },
  },
};

test('ActivityNet: the official truth, whose testing part has no annotations and whose classes are the leaves of the taxonomy', () => {
  const { films, labels } = readAs(activityNet, official);
  assert.deepEqual(labels, ['Running', 'Hopping']);
  assert.deepEqual(
    films.map(({ film, split, durationSec, moments }) => [film, split, durationSec, moments.length]),
    [
      ['aa', 'train', 60.25, 1],
      ['bb', 'val', 10, 1],
      ['cc', 'test', 20, 0],
      ['dd', 'test', 20, 0],
    ],
  );
  assert.equal(films[1]?.moments[0]?.endSec, 10.5, 'an end beyond the stated duration stays');
  assert.equal(films[0]?.moments[0]?.where, 'list.json:database.aa.annotations.0');
});

test('ActivityNet: results with scores', () => {
  const results = {
    aa: [{ label: 'Running', segment: [1, 2], score: 0.25 }],
    bb: [{ label: 'Running', segment: [1, 2], score: 7 }],
  };
  const { films, notes } = readAs(activityNet, { version: 'VERSION 1.3', results, external_data: {} });
  assert.deepEqual(
    films.map(({ moments }) => moments[0]?.score),
    [0.25, undefined],
  );
  assert.match(notes.join(), /1 score not between 0 and 1 left out/);
});

test('ActivityNet: relatives without database, with v_ keys, duration_second, rfps', () => {
  const facts = { duration_second: 12.5, duration_frame: 300, feature_frame: 288, rfps: 24 };
  const { films } = readAs(activityNet, {
    v_aa: { ...facts, annotations: [run] },
    v_bb: { duration_second: 3, annotations: [] },
  });
  assert.deepEqual(
    films.map(({ film, durationSec, fps }) => [film, durationSec, fps]),
    [
      ['v_aa', 12.5, 24],
      ['v_bb', 3, undefined],
    ],
  );
});

test('ActivityNet: THUMOS trains on validation, tests on test, and has two labels on one span', () => {
  const two = [run, { ...run, label: 'Hopping' }];
  const database = {
    video_validation_1: { subset: 'Validation', frames: 100, annotations: two },
    video_test_1: { subset: 'Test', annotations: [run] },
  };
  const { films, notes } = readAs(activityNet, { database });
  assert.deepEqual(
    films.map(({ split }) => split),
    ['train', 'test'],
  );
  assert.deepEqual(spansOf({ films, notes }).slice(0, 2), [
    [1.5, 4, 'Running'],
    [1.5, 4, 'Hopping'],
  ]);
  assert.match(notes.join(), /THUMOS/);
});

test('ActivityNet: unknown subsets are said, zero length stays, other facts are attributes', () => {
  const moment = { segment: [3, 3], label: 'hop', label_id: 7, sure: true };
  const { films, notes } = readAs(activityNet, { database: { aa: { subset: 'holdout', annotations: [moment] } } });
  assert.deepEqual(films[0]?.split, undefined);
  assert.match(notes.join(), /holdout/);
  const { where: _, ...point } = films[0]?.moments[0] ?? {};
  assert.deepEqual(point, { startSec: 3, endSec: 3, labels: ['hop'], attributes: { sure: 'true' } });
});

for (const [what, moment, expected] of [
  [
    'an end before the start',
    { segment: [4, 1.5], label: 'run' },
    /aa\.annotations\.1\.segment: ends at 1\.5 s, before it starts at 4 s/,
  ],
  ['one time', { segment: [4], label: 'run' }, /expected a start and an end/],
  ['a time that is none', { segment: [4, 'soon'], label: 'run' }, /segment\.1: expected a number, got "soon"/],
  ['no label', { segment: [1, 4] }, /annotations\.1\.label: expected a text, got nothing/],
] as const) {
  test(`ActivityNet: ${what} is refused with its place`, () => {
    assert.throws(() => readAs(activityNet, { database: { aa: { annotations: [run, moment] } } }), fault(expected));
  });
}

test('ActivityNet: a time beyond all numbers is refused, films of any name are kept', () => {
  const huge = '{"database":{"aa":{"annotations":[{"segment":[1,1e999],"label":"run"}]}}}';
  assert.throws(() => readAs(activityNet, huge), fault(/expected a number/));
  const names = '{"database":{"__proto__":{"annotations":[]},"constructor":{"annotations":[]}}}';
  assert.deepEqual(
    readAs(activityNet, names).films.map(({ film }) => film),
    ['__proto__', 'constructor'],
  );
});

test('ActivityNet: lists inside each other without end are refused, deep brackets in texts are not', () => {
  const file = (label: string, more: string) =>
    `{"database":{"aa":{"annotations":[{"segment":[1,2],"label":"${label}","more":${more}}]}}}`;
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  const text = fileOfText('list.json', file('run', deep));
  assert.throws(() => activityNet.read?.(text, {}), fault(/more than 100 lists and objects inside each other/));
  const brackets = `a\\"${'['.repeat(200)}`;
  assert.equal(readAs(activityNet, file(brackets, '1')).films[0]?.moments.length, 1);
});

test('ActivityNet: wrong values at every place are refused with file and place, or read', () => {
  checkSpoilt(activityNet, official);
  checkSpoilt(activityNet, { version: '1', results: { aa: [{ ...run, score: 0.5 }] } });
});

test('ActivityNet: truth survives a round trip exactly', () => {
  fc.assert(
    fc.property(randomAnnotations({ step: 0.001, labels: true }), (annotations) => {
      const output = written(activityNet, annotations);
      assert.deepEqual(output.losses, []);
      const file = fileOfText('list.json', textOfFirst(output));
      assert.equal(formatOf(file), activityNet);
      assert.deepEqual(comparable(readAs(activityNet, textOfFirst(output)), 0.001), comparable(annotations, 0.001));
    }),
    { numRuns: 60 },
  );
});

test('ActivityNet: predictions survive a round trip exactly', () => {
  fc.assert(
    fc.property(randomAnnotations({ step: 0.001, labels: true, score: true }), (annotations) => {
      const read = readAs(activityNet, textOfFirst(written(activityNet, annotations)));
      assert.deepEqual(comparable(read, 0.001), comparable(annotations, 0.001));
    }),
    { numRuns: 60 },
  );
});

test('ActivityNet: splits, durations and rates survive; what is lost is counted by kind', () => {
  const moment = { startSec: 1, endSec: 2, labels: ['run'], where: '' };
  const rich = { ...moment, subject: 'ann', comment: 'note', attributes: { speed: 'high' }, score: 0.5 };
  const film = { film: 'aa', durationSec: 3, fps: 25, split: 'val' as const, moments: [rich, moment], where: '' };
  const output = written(activityNet, { films: [film], notes: [] });
  const { where: _, moments: __, ...facts } = readAs(activityNet, textOfFirst(output)).films[0] ?? {};
  assert.deepEqual(facts, { film: 'aa', durationSec: 3, fps: 25, split: 'val' });
  assert.deepEqual(
    output.losses.map(({ count, what }) => `${count} ${what}`),
    ['1 subjects', '1 comments', '1 moments with attributes', '1 scores'],
  );
});
