import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/smallVideos.js';
import { Rng } from '../rng.js';
import { TimelineFile } from './timelineFile.js';

const rng = new Rng(['scores']);
const scores = Array.from({ length: 12 }, () => Array.from({ length: 5 }, () => rng.uniform()));

test('scores of a run that was killed anywhere are known to the next, and only to one of the same kind', (t) => {
  const folder = temporaryFolder(t);
  const film = join(folder, 'film.mp4');
  writeFileSync(film, 'film');
  const path = join(folder, 'new', 'out.partial');
  const windows = { path: film, startSec: 0, durationSec: 13, windowSec: 2, strideSec: 1, count: 12 };
  const resumed: number[] = [];
  const open = (run = 'a') => new TimelineFile({ path, run, onResume: (_, sec) => resumed.push(sec) });
  const first = open();
  assert.deepEqual(first.begin(windows), []);
  first.add(scores.slice(0, 3));
  first.add(scores.slice(3, 6));
  const whole = readFileSync(path);
  for (let cut = 0; cut <= whole.length; cut += 7) {
    writeFileSync(path, whole.subarray(0, cut));
    const again = open();
    const known = again.begin(windows);
    assert.deepEqual(known, scores.slice(0, known.length));
    again.add(scores.slice(known.length));
    assert.deepEqual(open().begin(windows), scores);
  }
  assert.ok(resumed.includes(5) && resumed.at(-1) === 12);
  const doubled = `${whole.toString('latin1')}${whole.toString('latin1').split('\n').slice(4).join('\n')}`;
  writeFileSync(path, doubled, 'latin1');
  assert.deepEqual(open().begin(windows), scores.slice(0, 6), 'two runs at once wrote the same');
  assert.deepEqual(open('b').begin(windows), []);
  writeFileSync(path, whole);
  assert.deepEqual(open().begin({ ...windows, strideSec: 0.5 }), []);
  writeFileSync(path, whole);
  appendFileSync(film, 'changed');
  const last = open();
  assert.deepEqual(last.begin(windows), []);
  last.remove();
  assert.ok(!existsSync(path));
});

test('where nothing can be written a timeline is made all the same', (t) => {
  const folder = temporaryFolder(t);
  const film = join(folder, 'film.mp4');
  writeFileSync(film, 'film');
  const log = new TimelineFile({ path: join(film, 'no', 'folder'), run: 'a' });
  assert.deepEqual(log.begin({ path: film, startSec: 0, durationSec: 3, windowSec: 2, strideSec: 1, count: 2 }), []);
  log.add(scores.slice(0, 2));
  log.remove();
});
