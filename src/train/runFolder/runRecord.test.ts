import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import type { LabelledVideos, Split } from '../../dataset/labelledVideos.js';
import { networkConfig } from '../../models/registry.js';
import { beginRecord, type ReadVideo, type RunEnd, type RunStart, readRecord } from './runRecord.js';

const root = mkdtempSync(join(tmpdir(), 'vmf-record-'));
after(() => rmSync(root, { recursive: true, force: true }));

const video = (name: string, labelIndex: number, split: Split) => {
  return { path: join(root, name), name, label: 'ab'[labelIndex] ?? '', labelIndex, split, columns: {} };
};
const data: LabelledVideos = {
  ...{ root, source: 'class folders', labels: ['a', 'b'], splitBy: 'as given', notes: ['a note'] },
  videos: [video('a/0', 0, 'train'), video('a/1', 0, 'val'), video('b/0', 1, 'train'), video('b/1', 1, 'train')],
};
const end: RunEnd = { interrupted: false, epochs: [{ epoch: 1 }, { epoch: 2 }], bestEpoch: 1, bestTop1: 0.5, leftOut: [] };

function start(more: Partial<RunStart> = {}): RunStart {
  const folder = mkdtempSync(join(root, 'run-'));
  const config = networkConfig('vmf-0.1g', { classes: 2 });
  const common = { recipe: { epochs: 2, rate: 0.1 }, chosen: { epochs: 2 }, preprocess: { size: 96 }, digest: 'd' };
  return { folder, resume: false, config, data, dataPath: 'videos', dataOptions: { seed: 3 }, ...common, ...more };
}

test('is there as soon as a session begins, with everything that was chosen', async () => {
  const said = ['early'];
  const given = start({ command: ['train', 'x'], threads: 2, said });
  await beginRecord(given);
  const record = readRecord(given.folder);
  assert.deepEqual(record?.recipe, { epochs: 2, rate: 0.1 });
  assert.deepEqual(record?.chosen, { epochs: 2 });
  assert.deepEqual([record?.data.path, record?.data.options], [resolve('videos'), { seed: 3 }]);
  assert.deepEqual(record?.data.counts, [
    { label: 'a', train: 1, val: 1, test: 0 },
    { label: 'b', train: 2, val: 0, test: 0 },
  ]);
  const [session] = record?.sessions ?? [];
  assert.deepEqual([session?.status, session?.command, session?.threads], ['running', ['train', 'x'], 2]);
  assert.deepEqual([session?.said, record?.outcome], [['early'], undefined]);
});

test('is closed when the work ends, with names of what was left out', async () => {
  const said: string[] = [];
  const given = start({ said });
  const recording = await beginRecord(given);
  for (let i = 0; i < 103; i++) said.push(`warning ${i}`);
  const leftOut = [{ path: join(root, 'b', '1'), reason: 'is empty' }];
  assert.equal((await recording.during(async () => ({ ...end, leftOut }))).bestEpoch, 1);
  const record = readRecord(given.folder);
  assert.deepEqual(record?.outcome, { epochs: 2, bestEpoch: 1, bestTop1: 0.5 });
  assert.deepEqual(record?.data.leftOut, [{ name: 'b/1', reason: 'is empty' }]);
  const [session] = record?.sessions ?? [];
  assert.equal(session?.status, 'finished');
  assert.deepEqual(session?.said?.slice(-2), ['warning 99', 'and 3 more']);
  assert.ok((session?.seconds ?? -1) >= 0 && (session?.cpuSeconds ?? -1) >= 0 && (session?.peakMemoryBytes ?? 0) > 1e6);
});

test('a session that fails says why, and the failure goes on', async () => {
  const given = start();
  const recording = await beginRecord(given);
  await assert.rejects(
    recording.during(async () => {
      throw new Error('diverged at step 7');
    }),
    /diverged at step 7/,
  );
  const [session] = readRecord(given.folder)?.sessions ?? [];
  assert.deepEqual([session?.status, session?.reason], ['failed', 'diverged at step 7']);
});

test('a resuming adds a session and keeps what it does not know', async () => {
  const given = start();
  await (await beginRecord(given)).during(async () => ({ ...end, interrupted: true }));
  const path = join(given.folder, 'run.json');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), later: { key: 1 } }));
  const resumed = await beginRecord({ ...given, resume: true, recipe: { epochs: 99 } });
  await resumed.during(async () => ({ ...end, epochs: [] }));
  const record = readRecord(given.folder);
  assert.deepEqual(
    record?.sessions.map(({ status }) => status),
    ['interrupted', 'finished'],
  );
  assert.deepEqual([record?.recipe['epochs'], record?.['later'], record?.outcome?.epochs], [2, { key: 1 }, 2]);
});

test('length and shape that tell the class are noted; shapes that are all alike are not', async () => {
  const given = start();
  const recording = await beginRecord(given);
  const read = Array.from(
    { length: 40 },
    (_, i): ReadVideo => ({ label: i % 2, durationSec: 1 + (i % 2), width: 64, height: 48 }),
  );
  recording.noteClues(read);
  await recording.during(async () => end);
  assert.deepEqual(readRecord(given.folder)?.data.clues, [{ what: 'length', accuracy: 1, chance: 0.5, tells: true }]);
});

test('a broken record is told by name, and none is none', () => {
  const folder = mkdtempSync(join(root, 'broken-'));
  assert.equal(readRecord(folder), undefined);
  writeFileSync(join(folder, 'run.json'), '{');
  assert.throws(() => readRecord(folder), { name: 'ConfigError', message: /run\.json: cannot be read as JSON/ });
  writeFileSync(join(folder, 'run.json'), '{"format":"video-mobile-former run 1","sessions":[]}');
  assert.throws(() => readRecord(folder), { name: 'ConfigError', message: /run\.json: is no record of a run: sessions/ });
});
