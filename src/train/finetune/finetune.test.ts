import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { littleData } from '../../../test/support/darkAndBright.js';
import { tinyConfig, writeTinyWeights } from '../../../test/support/randomWeights.js';
import { finished, start, vmf } from '../../../test/support/vmf.js';
import { parseCheckpoint } from '../../weights/checkpoint.js';
import { readSafetensors } from '../../weights/files.js';
import { readRecord } from '../runFolder/runRecord.js';
import { type TrainJob, type TrainSummary, train } from '../train.js';

interface Told {
  readonly summary: TrainSummary;
  readonly notes: readonly string[];
}

const machine = { threads: 1, workers: 1, cacheFolder: false as const };
const weightsOf = async (path: string) => parseCheckpoint(await readSafetensors(path), path);

/** Videos, and weights.safetensors to start from. */
async function begin(t: TestContext): Promise<string> {
  const root = littleData(t);
  await writeTinyWeights(join(root, 'weights.safetensors'));
  return root;
}

async function tune(root: string, out: string, more: Partial<TrainJob> = {}, lr = 1e-3): Promise<Told> {
  const notes: string[] = [];
  const summary = await train({
    ...{ data: join(root, 'data'), out: join(root, out), init: join(root, 'weights.safetensors') },
    ...{ options: { epochs: 4, batch: 4, lr }, ...machine },
    onEvent: (event) => event.kind === 'note' && notes.push(event.message),
    ...more,
  });
  return { summary, notes };
}

test('a probe is the first answer, and the end is never below it on validation', async (t) => {
  const root = await begin(t);
  const { summary, notes } = await tune(root, 'run');
  assert.match(notes.join('\n'), /first answer after \d+ s, a linear classifier .*95 % interval.*probe\.safetensors/);
  assert.match(notes.join('\n'), /kept .*val top-1/);
  const [probe, best] = [await weightsOf(join(root, 'run', 'probe.safetensors')), await weightsOf(summary.bestPath)];
  assert.equal(probe.config.readout, 'multilevel');
  assert.deepEqual(best.config, probe.config);
  assert.ok(Number(best.notes['valTop1']) >= Number(probe.notes['valTop1']));
  assert.equal(summary.bestTop1?.toFixed(4), best.notes['valTop1']);
  assert.deepEqual(readRecord(join(root, 'run'))?.outcome?.candidates, JSON.parse(JSON.stringify(summary.candidates)));
  assert.equal(summary.candidates?.[0]?.top1?.toFixed(4), probe.notes['valTop1']);
});

test('an interrupted run goes on to the same weights, probe and averages included', async (t) => {
  const root = await begin(t);
  const whole = await tune(root, 'whole');
  const stop = new AbortController();
  await tune(root, 'cut', { signal: stop.signal, onEvent: (event) => event.kind === 'epoch' && stop.abort() });
  await train({ data: join(root, 'data'), out: join(root, 'cut'), resume: true, ...machine });
  for (const name of ['probe.safetensors', 'best.safetensors']) {
    const [a, b] = [await weightsOf(join(root, 'whole', name)), await weightsOf(join(root, 'cut', name))];
    assert.deepEqual(b.parameters, a.parameters, name);
    assert.deepEqual(b.notes, a.notes, name);
  }
  assert.equal(whole.summary.interrupted, false);
});

test('from the first answer on a run can be resumed, and `best` never lies in a folder alone', async (t) => {
  const root = await begin(t);
  await tune(root, 'whole');
  const [last, best] = ['last', 'best'].map((name) => join(root, 'cut', `${name}.safetensors`)) as [string, string];
  const stop = new AbortController();
  const onEvent: TrainJob['onEvent'] = (event) => {
    if (event.kind !== 'note' || !event.message.startsWith('first answer')) return;
    assert.ok(!existsSync(best), 'killed now, the folder could neither be resumed nor begun');
    stop.abort();
  };
  const cut = await tune(root, 'cut', { signal: stop.signal, onEvent });
  assert.equal(cut.summary.interrupted, true);
  assert.ok(existsSync(last));
  assert.equal((await weightsOf(best)).notes['probe'], 'linear');
  rmSync(best); // as if killed between the two
  await train({ data: join(root, 'data'), out: join(root, 'cut'), resume: true, ...machine });
  assert.deepEqual((await weightsOf(best)).parameters, (await weightsOf(join(root, 'whole', 'best.safetensors'))).parameters);
});

test('a run that is stopped before its averages are tested goes on with them', async (t) => {
  const root = await begin(t);
  const whole = await tune(root, 'whole');
  const stop = new AbortController();
  const onEvent: TrainJob['onEvent'] = (event) => event.kind === 'epoch' && event.metrics.epoch === 4 && stop.abort();
  const cut = await tune(root, 'cut', { signal: stop.signal, onEvent });
  assert.deepEqual([cut.summary.interrupted, cut.summary.tunedShare], [true, undefined]);
  const rest = await train({ data: join(root, 'data'), out: join(root, 'cut'), resume: true, ...machine });
  assert.deepEqual([rest.interrupted, rest.tunedShare], [false, whole.summary.tunedShare]);
  const [a, b] = [await weightsOf(whole.summary.bestPath), await weightsOf(rest.bestPath)];
  assert.deepEqual([b.parameters, b.notes], [a.parameters, a.notes]);
});

test('a run whose probe was lost is resumed with a warning, and keeps its best epoch', async (t) => {
  const root = await begin(t);
  const stop = new AbortController();
  await tune(root, 'run', { signal: stop.signal, onEvent: (event) => event.kind === 'epoch' && stop.abort() });
  writeFileSync(join(root, 'run', 'probe.safetensors'), 'damaged');
  const warnings: string[] = [];
  const onEvent: TrainJob['onEvent'] = (event) => event.kind === 'warning' && warnings.push(event.message);
  const summary = await train({ data: join(root, 'data'), out: join(root, 'run'), resume: true, ...machine, onEvent });
  assert.match(warnings.join('\n'), /probe\.safetensors.*without averages/);
  assert.equal(summary.interrupted, false);
  assert.ok(existsSync(summary.bestPath));
});

test('the estimate counts the videos that could be read', async (t) => {
  const root = await begin(t);
  writeFileSync(join(root, 'data', 'train', 'dark', 'broken.mp4'), 'no video');
  const { notes } = await tune(root, 'run', { options: { epochs: 1, batch: 4, maxBadShare: 0.2 } });
  assert.match(notes.join('\n'), /first answer .* of 12 training videos/);
});

test('--no-probe starts with the own head; a probe without weights to start from is refused', async (t) => {
  const root = await begin(t);
  const { summary } = await tune(root, 'plain', { options: { epochs: 1, batch: 4, probe: false } });
  assert.equal(summary.config.readout, undefined);
  assert.ok(!existsSync(join(root, 'plain', 'probe.safetensors')));
  const refused = tune(root, 'none', { init: 'none', model: tinyConfig(), options: { probe: true }, recipe: false });
  await assert.rejects(refused, /ConfigError: a start from a linear probe needs trained weights/);
  assert.ok(!existsSync(join(root, 'none')));
});

test('Ctrl-C while the probe is fitted: exit code 130, nothing stored, and the same command works afterwards', async (t) => {
  const root = await begin(t);
  const command = [
    'train',
    'data',
    '--init',
    'weights.safetensors',
    '--out',
    'run',
    '--epochs',
    '1',
    '--batch',
    '4',
    '--no-cache',
  ];
  const child = start(command, root);
  const result = finished(child);
  await new Promise<void>((resolve) => child.stderr?.on('data', (text) => /start from/.test(String(text)) && resolve()));
  child.kill('SIGINT');
  const { code, out, err } = await result;
  assert.equal(code, 130, err);
  assert.match(out, /interrupted/);
  const again = await vmf(root, ...command.map((word) => (word === 'run' && existsSync(join(root, 'run')) ? 'again' : word)));
  assert.equal(again.code, 0, again.err);
  assert.match(again.out, /best: \S+ \((the linear probe|epoch 1|\d+ % last epoch and the rest linear probe), val top-1/);
  assert.match(readFileSync(join(root, existsSync(join(root, 'again')) ? 'again' : 'run', 'run.json'), 'utf8'), /"probe": true/);
});
