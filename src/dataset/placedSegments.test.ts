/** Rows against the facts of a film whose picture begins late and whose sound outlasts it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Film, Films } from './films.js';
import type { FoundVideo } from './labelledVideos.js';
import type { RowTimes } from './rowTimes.js';
import { segmentsOf } from './segments.js';

const film: Film = { startSec: 2.5, endSec: 20, lastSec: 21, frameRate: 25 };
const films: Films = new Map([['a', film]]);

function place(times: RowTimes) {
  const row: FoundVideo = { path: 'a', name: 'a', label: 'run', split: undefined, columns: {}, times, where: 'list:2' };
  const { videos, faults } = segmentsOf([row], films);
  return videos[0]?.segment ?? faults[0]?.reason;
}
const seconds = (start?: number, end?: number) => place({ unit: 'seconds', start, end });

test('frames count from the first picture, wherever it lies', () => {
  assert.deepEqual(place({ unit: 'frames', start: 0, end: 25 }), { startSec: 2.5, endSec: 3.5 });
});

test('open ends are those of the picture; an end in the sound behind it, or a second late, is cut there', () => {
  assert.deepEqual(seconds(undefined, 5), { startSec: 2.5, endSec: 5 });
  assert.deepEqual(seconds(5), { startSec: 5, endSec: 20 });
  assert.deepEqual(seconds(5, 22), { startSec: 5, endSec: 20 });
});

test('what has no picture is a fault', () => {
  assert.equal(seconds(5, 22.1), 'ends at 22.1 s, but the film ends at 21.000 s');
  assert.equal(seconds(20, 20.5), 'starts at 20 s, but the picture of the film ends at 20.000 s');
  assert.equal(seconds(1, 2.5), 'ends at 2.5 s, before the picture begins at 2.500 s');
});
