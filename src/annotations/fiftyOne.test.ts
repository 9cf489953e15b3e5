import assert from 'node:assert/strict';
import test from 'node:test';
import { checkSpoilt, fault, readAs, spansOf } from '../../test/support/annotationFiles.js';
import { fiftyOne } from './fiftyOne.js';

const list = {
  classes: ['run', 'hop'],
  labels: {
    aa: [
      { label: 0, support: [3, 8], confidence: 0.5 },
      { label: 'hop', support: [8, 8] },
    ],
    bb: null,
  },
};

test('FiftyOne: supports are frames from 1 with the last one included, labels are indices of the classes', () => {
  const read = readAs(fiftyOne, list, { fps: 10 });
  assert.deepEqual(spansOf(read), [
    [0.2, 0.8, 'run'],
    [0.7, 0.8, 'hop'],
  ]);
  assert.deepEqual(read.labels, ['run', 'hop']);
  assert.equal(read.films[0]?.moments[0]?.score, 0.5);
  assert.deepEqual(
    read.films.map(({ film }) => film),
    ['aa', 'bb'],
  );
});

test('FiftyOne: frames without a rate ask for --fps; timestamps are seconds', () => {
  assert.throws(() => readAs(fiftyOne, list), fault(/--fps/));
  assert.deepEqual(spansOf(readAs(fiftyOne, { labels: { aa: [{ label: 'run', timestamps: [1.5, 2] }] } })), [[1.5, 2, 'run']]);
});

for (const [what, detection, expected] of [
  ['an index without class', { label: 2, support: [1, 2] }, /aa\.0\.label: expected the index of one of 2 classes, got 2/],
  ['frame 0', { label: 0, support: [0, 2] }, /expected whole frames from 1 on, got 0/],
  ['an end before the start', { label: 0, support: [5, 4] }, /ends at frame 4, before it starts at frame 5/],
] as const) {
  test(`FiftyOne: ${what} is refused with its place`, () => {
    assert.throws(() => readAs(fiftyOne, { classes: ['a', 'b'], labels: { aa: [detection] } }, { fps: 10 }), fault(expected));
  });
}

test('FiftyOne: wrong values at every place are refused with file and place, or read', () => {
  checkSpoilt(fiftyOne, list, { fps: 10 });
});
