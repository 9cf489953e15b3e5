import assert from 'node:assert/strict';
import { test } from 'node:test';
import { footageOf } from './footage.js';

const named = (names: readonly string[], columns: readonly Record<string, string>[] = []) =>
  names.map((name, i) => ({ name, labelIndex: name.startsWith('a/') ? 0 : 1, columns: columns[i] ?? {} }));

test('a column says which recording a video is of', () => {
  const videos = named(
    ['a/1.mp4', 'a/2.mp4', 'b/3.mp4', 'b/4.mp4'],
    [{ subject: 'x' }, { subject: 'y' }, { subject: 'x' }, { subject: 'y' }],
  );
  const found = footageOf(videos);
  assert.deepEqual([...(found?.groups ?? [])], [0, 1, 0, 1]);
  assert.equal(found?.by, 'column subject');
});

test('names that differ in their last number only are of one recording, in whatever class folder', () => {
  const videos = named(['a/match1_001.mp4', 'a/match1_002.mp4', 'a/match2-3.mp4', 'b/match1_003.mp4', 'b/match2-9.mp4']);
  assert.deepEqual([...(footageOf(videos)?.groups ?? [])], [0, 0, 1, 0, 1]);
});

test('nothing is known where names tell nothing, or a class would have one recording only', () => {
  assert.equal(footageOf(named(['a/1.mp4', 'a/2.mp4', 'b/3.mp4', 'b/4.mp4'])), undefined); // one recording for all
  assert.equal(footageOf(named(['a/x.mp4', 'a/y.mp4', 'b/z.mp4', 'b/w.mp4'])), undefined); // each its own
  assert.equal(footageOf(named(['a/m1_1.mp4', 'a/m1_2.mp4', 'b/m1_3.mp4', 'b/m2_4.mp4'])), undefined); // class a in m1 only
});

test('a column that tells nothing gives way to the next one, and to names', () => {
  const names = ['a/1.mp4', 'a/2.mp4', 'b/3.mp4', 'b/4.mp4'];
  const rooms = names.map((_, i) => ({ group: 'all', person: String(i % 2), film: '' }));
  assert.equal(footageOf(named(names, rooms))?.by, 'column person');
  const matches = ['a/m1_1.mp4', 'a/m2_2.mp4', 'b/m1_3.mp4', 'b/m2_4.mp4'];
  const found = footageOf(
    named(
      matches,
      matches.map(() => ({ group: 'all' })),
    ),
  );
  assert.equal(found?.by, 'names without their last number');
});

test('a value of its own for each video tells all apart; videos without one are kept together', () => {
  const matches = ['a/m1_1.mp4', 'a/m2_2.mp4', 'b/m1_3.mp4', 'b/m2_4.mp4'];
  const own = matches.map((group) => ({ group }));
  assert.equal(footageOf(named(matches, own)), undefined);
  const some = [{ film: 'x' }, {}, { film: 'x' }, {}];
  assert.deepEqual([...(footageOf(named(matches, some))?.groups ?? [])], [0, 1, 0, 1]);
});

test('segments of one film are of one recording, whatever a column says of their subjects', () => {
  const segments = ['a', 'b', 'a', 'b'].map((label, i) => ({
    ...{ name: `${label}/${i}`, labelIndex: label === 'a' ? 0 : 1, columns: { subject: `person-${i % 2}` } },
    ...{ path: i < 2 ? 'one.mp4' : 'two.mp4', segment: { startSec: i, endSec: i + 1 } },
  }));
  const found = footageOf(segments);
  assert.deepEqual([...(found?.groups ?? [])], [0, 0, 1, 1]);
  assert.equal(found?.by, 'film');
  const more = [
    ...segments,
    ...segments.map((segment) => ({ ...segment, path: `other-${segment.path}`, columns: { subject: 'c' } })),
  ];
  const joined = footageOf(more);
  assert.deepEqual([...(joined?.groups ?? [])], [0, 0, 0, 0, 1, 1, 1, 1]);
  assert.equal(joined?.by, 'film and column subject');
});
