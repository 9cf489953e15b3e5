import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeVideo } from '../../../test/smallVideos.js';
import { tinyConfig } from '../../../test/support/randomWeights.js';
import type { TrainJob, TrainJobEvent } from '../train.js';
import { type FoldEvent, type FoldsOptions, type FoldsOutcome, trainFolds } from './folds.js';

const root = mkdtempSync(join(tmpdir(), 'vmf-folds-'));
const list = join(root, 'list.csv');
const names: string[] = [];
let runs = 0;

/** Two classes in three sets of four videos; folds ignore the split of the list. */
before(() => {
  const rows: string[] = [];
  for (const [set, name] of ['a', 'b', 'c/d'].entries()) {
    for (let i = 0; i < 4; i++) {
      const label = i % 2 === 0 ? 'slow' : 'fast';
      const path = `${label}-${set}-${i}.mp4`;
      makeVideo(join(root, path), { seed: 4 * set + i, frames: 8 + 8 * (i % 2), width: 40, height: 32 });
      names.push(path);
      rows.push([path, label, i === 0 ? 'test' : 'train', name].join());
    }
  }
  writeFileSync(list, `path,label,split,set\n${rows.join('\n')}\n`);
});

after(() => rmSync(root, { recursive: true, force: true }));

function job(more: Partial<TrainJob> = {}): TrainJob {
  const options = { epochs: 2, batch: 2, warmupEpochs: 0, preciseBn: 1 };
  const out = join(root, `run${runs++}`);
  return { data: list, out, model: tinyConfig(), options, threads: 1, workers: 1, cacheFolder: false, ...more };
}

async function finished(outcome: Promise<FoldsOutcome>) {
  const result = await outcome;
  assert.ok(!result.interrupted);
  return result;
}

const lines = (path: string): unknown[] =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

test('each group is left out once; what was answered adds up; given again nothing is trained', async () => {
  const notes: string[] = [];
  const onEvent = (event: TrainJobEvent) => {
    if (event.kind === 'note') notes.push(event.message);
  };
  const chosen = job({ onEvent });
  const summary = await finished(trainFolds(chosen, { by: 'set' }));
  assert.ok(notes.includes('the splits that the data came with are left aside'));
  assert.deepEqual(
    summary.folds.map(({ fold, count }) => [fold, count]),
    [
      ['a', 4],
      ['b', 4],
      ['c/d', 4],
    ],
  );
  assert.deepEqual(summary.results.flatMap(({ answers }) => answers.map(({ name }) => name)).sort(), [...names].sort());
  assert.ok(summary.results.every(({ trainVideos }) => trainVideos === 8));
  const right = summary.results.flatMap(({ answers }) => answers.filter(({ label, predicted }) => label === predicted)).length;
  assert.deepEqual([summary.pooled.correct, summary.pooled.count], [right, 12]);
  assert.ok(Math.abs(summary.mean.mean - summary.folds.reduce((sum, { top1 }) => sum + top1 / 3, 0)) < 1e-12);
  assert.equal(
    summary.confusion.flat().reduce((a, b) => a + b, 0),
    12,
  );
  assert.equal((summary.confusion[0]?.[0] ?? 0) + (summary.confusion[1]?.[1] ?? 0), right);
  for (const folder of ['fold-a', 'fold-b', 'fold-c%2fd'])
    assert.ok(existsSync(join(chosen.out, folder, 'last.safetensors')), folder);
  const { interrupted: _, ...written } = summary;
  assert.deepEqual(JSON.parse(readFileSync(join(chosen.out, 'folds.json'), 'utf8')), written);

  const events: TrainJobEvent[] = [];
  const again = await finished(trainFolds({ ...chosen, onEvent: (event) => events.push(event) }, { by: 'set' }));
  assert.deepEqual(again, summary);
  assert.ok(!events.some(({ kind }) => kind === 'step'));
});

test('stopped in the middle of a fold and given again: the same answers as without a stop', async () => {
  const whole = await finished(trainFolds(job(), { by: 'set' }));
  const stop = new AbortController();
  let steps = 0;
  const onEvent = (event: TrainJobEvent) => {
    if (event.kind === 'step' && ++steps === 11) stop.abort(); // 8 steps a fold
  };
  const cut = job();
  const outcome = await trainFolds({ ...cut, onEvent, signal: stop.signal }, { by: 'set' });
  assert.deepEqual(outcome, { interrupted: true, done: 1, of: 3 });
  assert.equal(lines(join(cut.out, 'folds.jsonl')).length, 2);
  writeFileSync(join(cut.out, 'folds.jsonl'), `${readFileSync(join(cut.out, 'folds.jsonl'), 'utf8')}{"fold":"b","se`);
  const more: TrainJobEvent[] = [];
  const before: boolean[] = [];
  const onFold = (event: FoldEvent) => {
    if (event.kind === 'end') before.push(event.before);
  };
  const rest = await finished(trainFolds({ ...cut, onEvent: (event) => more.push(event) }, { by: 'set', onFold }));
  assert.equal(more.filter(({ kind }) => kind === 'step').length, 24 - 11);
  assert.deepEqual(before, [true, false, false]);
  const answers = (outcome: typeof whole) => outcome.results.map((result) => result.answers);
  assert.deepEqual(answers(rest), answers(whole));
});

test('crops of frames that are seen whole are refused before anything is trained', async () => {
  const chosen = job();
  await assert.rejects(trainFolds(chosen, { by: 2, views: { clips: 1, crops: 3 } }), /3 crops are for frames that are cut/);
  assert.equal(existsSync(chosen.out), false);
});

test('parts by class, several seeds, validation and views', async () => {
  const chosen = job({ preprocess: { resize: 'crop' } });
  const options: FoldsOptions = { by: 2, seeds: [3, 4], valShare: 0.34, views: { clips: 2, crops: 3 } };
  const summary = await finished(trainFolds(chosen, options));
  assert.deepEqual(
    summary.results.map(({ fold, seed, trainVideos, testVideos }) => [fold, seed, trainVideos, testVideos]),
    [
      ['1', 3, 4, 6],
      ['2', 3, 4, 6],
      ['1', 4, 4, 6],
      ['2', 4, 4, 6],
    ],
  );
  assert.deepEqual(
    summary.seeds.map(({ seed, pooled }) => [seed, pooled.count]),
    [
      [3, 12],
      [4, 12],
    ],
  );
  const tested = (seed: number) =>
    summary.results.filter((result) => result.seed === seed).map(({ answers }) => answers.map(({ name }) => name));
  assert.deepEqual(tested(4), tested(3), 'the folds are the same for all seeds');
  assert.ok(existsSync(join(chosen.out, 'seed-4', 'fold-2', 'best.safetensors')));
  assert.equal(summary.overSeeds.count, 2);
});

test('refused: other options in the same folder, a folder with a run, --resume, seeds twice, folds that cannot be', async () => {
  const chosen = job();
  await finished(trainFolds(chosen, { by: 2 }));
  const other = { ...chosen, options: { ...chosen.options, lr: 1e-4 } };
  await assert.rejects(
    trainFolds(other, { by: 2 }),
    /^ConfigError: .*folds\.jsonl: holds folds of other options or other videos; give/,
  );
  await assert.rejects(
    trainFolds(chosen, { by: 'set' }),
    /holds folds of 2 parts by class, asked for are groups of the column "set"/,
  );
  await assert.rejects(trainFolds({ ...chosen, out: join(chosen.out, 'fold-1') }, { by: 2 }), /holds a run already/);
  await assert.rejects(trainFolds({ ...chosen, resume: true }, { by: 2 }), /leave out --resume/);
  await assert.rejects(trainFolds(job(), { by: 2, seeds: [1, 1] }), /seeds: expected different ones, got 1,1/);
  const fresh = job();
  await assert.rejects(
    trainFolds(fresh, { by: 'sets' }),
    /^DatasetError: .*there is no column "sets" to make folds of; there are set;/,
  );
  assert.equal(existsSync(fresh.out), false);
  const failed = job({ options: { batch: 64 } });
  await assert.rejects(trainFolds(failed, { by: 2 }), /do not fill a batch/);
  const mended = { ...failed, options: { batch: 63 } };
  await assert.rejects(trainFolds(mended, { by: 2 }), /do not fill a batch of 63/, 'options that trained nothing bind nobody');
  mkdirSync(join(root, 'foreign'), { recursive: true });
  writeFileSync(join(root, 'foreign', 'folds.jsonl'), 'mine\nmore\n');
  await assert.rejects(trainFolds({ ...job(), out: join(root, 'foreign') }, { by: 2 }), /is not a file that folds wrote/);
});
