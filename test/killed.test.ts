/**
 * Crash safety: 200 processes killed, most while saving. After each kill `last` and `best` are whole and of one epoch, and the next
 * process resumes.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Rng } from '../src/rng.js';
import { train } from '../src/train/train.js';
import { type Checkpoint, parseCheckpoint } from '../src/weights/checkpoint.js';
import { readSafetensors } from '../src/weights/files.js';
import { makeVideo, temporaryFolder } from './smallVideos.js';

const savingKills = 188;
const trainingKills = 12;

const child = (name: string, ...args: string[]): ChildProcess => {
  const script = fileURLToPath(new URL(`./support/${name}.js`, import.meta.url));
  return spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
};

/** Kills the process some ms after it printed something, or a time limit. */
async function killAfter(running: ChildProcess, word: string | undefined, ms: number): Promise<void> {
  const ended = once(running, 'close');
  if (word !== undefined && running.stdout) {
    const said = once(running.stdout.setEncoding('utf8'), 'data');
    const first = await Promise.race([said, ended]);
    assert.match(String(first[0]), new RegExp(word), 'the process ended by itself');
  }
  await sleep(ms);
  running.kill('SIGKILL');
  const [code, signal] = await ended;
  assert.ok(signal === 'SIGKILL' || process.platform === 'win32', `ended by itself with ${code}`);
}

async function weightsIn(path: string): Promise<Checkpoint | undefined> {
  return existsSync(path) ? parseCheckpoint(await readSafetensors(path), path) : undefined;
}

function epochsLogged(folder: string): number[] {
  const path = join(folder, 'metrics.jsonl');
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => Number((JSON.parse(line) as { epoch: number }).epoch));
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

test(`${savingKills} processes killed while they save`, async (t) => {
  const root = temporaryFolder(t);
  const lanes = [0, 1].map((lane) => killSaving(join(root, String(lane)), lane));
  const [midWrite = 0, other = 0] = await Promise.all(lanes);
  assert.ok(
    midWrite + other > savingKills / 20,
    `only ${midWrite + other} kills found a file half written: the test does not bite`,
  );
});

async function killSaving(folder: string, lane: number): Promise<number> {
  const rng = new Rng(['kill', lane]);
  let midWrite = 0;
  let lastEpoch = 0;
  for (let kill = 0; kill < savingKills / 2; kill++) {
    await killAfter(child('endlessCheckpointWriter', folder), 'saving', rng.uniform(0, 60));
    if (readdirSync(folder).some((name) => name.endsWith('.tmp'))) midWrite++;
    lastEpoch = await checkSaved(folder, lastEpoch);
  }
  assert.ok(lastEpoch > 1, `only ${lastEpoch} epochs were saved`);
  return midWrite;
}

/** `last` never goes back; `best` is of the same epoch or one ahead. */
async function checkSaved(folder: string, epochBefore: number): Promise<number> {
  const last = await weightsIn(join(folder, 'last.safetensors'));
  const best = await weightsIn(join(folder, 'best.safetensors'));
  const epoch = (last?.training?.progress as { epoch: number } | undefined)?.epoch ?? 0;
  assert.ok(epoch >= epochBefore, `last went back from epoch ${epochBefore} to ${epoch}`);
  for (const values of [last?.parameters, last?.training?.expAvg, last?.training?.expAvgSq]) {
    assert.ok(values === undefined || values.every((value) => value === epoch), 'last is of one epoch');
  }
  const bestEpoch = best?.parameters[0] ?? 0;
  assert.ok(bestEpoch === epoch || bestEpoch === epoch + 1, `best is of epoch ${bestEpoch}, last of ${epoch}`);
  assert.ok(best === undefined || best.parameters.every((value) => value === bestEpoch), 'best is of one epoch');
  const logged = epochsLogged(folder);
  assert.deepEqual(logged, upTo(logged.length));
  assert.ok(logged.length === epoch || logged.length === epoch + 1, `${logged.length} lines for epoch ${epoch}`);
  return epoch;
}

test(`${trainingKills} training processes killed, each resuming the one before`, async (t) => {
  const root = temporaryFolder(t);
  const [data, out] = [join(root, 'data'), join(root, 'run')];
  for (const [i, label] of ['a', 'b'].entries())
    for (const seed of [0, 1]) makeVideo(join(data, label, `${seed}.mp4`), { seed: 5 * i + seed, frames: 8 });
  const rng = new Rng(['kill']);
  let epoch = 0;
  for (let kill = 0; kill < trainingKills; kill++) {
    const early = kill % 3 === 2;
    await killAfter(child('endlessTraining', data, out), early ? undefined : 'epoch', rng.uniform(0, early ? 700 : 200));
    const last = await weightsIn(join(out, 'last.safetensors'));
    await weightsIn(join(out, 'best.safetensors'));
    const reached = (last?.training?.progress as { epoch: number } | undefined)?.epoch ?? 0;
    assert.ok(reached >= epoch, `last went back from epoch ${epoch} to ${reached}`);
    epoch = reached;
    const logged = epochsLogged(out);
    assert.deepEqual(logged, upTo(logged.length));
  }
  assert.ok(epoch >= trainingKills / 2, `only ${epoch} epochs in all`);
  const stop = new AbortController();
  const common = { data, out, threads: 1, workers: 1, cacheFolder: join(root, 'cache'), dataset: { valShare: 0 } };
  const onEvent = ({ kind }: { kind: string }) => kind === 'epoch' && stop.abort();
  const summary = await train({ ...common, resume: true, signal: stop.signal, onEvent });
  assert.deepEqual([summary.interrupted, summary.epochs[0]?.epoch], [true, epoch + 1]);
});
