import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../../../test/smallVideos.js';
import { tinyCheckpoint } from '../../../test/support/randomWeights.js';
import type { Checkpoint } from '../../weights/checkpoint.js';
import { parseCheckpoint } from '../../weights/checkpoint.js';
import { readSafetensors } from '../../weights/files.js';
import { RunFolder } from './runFolder.js';

const entrant = fileURLToPath(new URL('../../../test/support/lockContender.js', import.meta.url));

/** With training state, as in a run. */
function runCheckpoint(): Checkpoint {
  const checkpoint = tinyCheckpoint();
  const moments = new Float32Array(checkpoint.parameters.length);
  return { ...checkpoint, training: { expAvg: moments, expAvgSq: moments.slice(), progress: { epoch: 1 } } };
}

async function opened(path: string, resume = false): Promise<RunFolder> {
  const folder = RunFolder.check(path, resume);
  await folder.open();
  return folder;
}

const lockOf = (path: string) => join(path, 'running.lock');
const someLock = (more: object) => JSON.stringify({ pid: 1, host: hostname(), since: '2026', id: 'x', began: 'never', ...more });

test('a second run in the same process is refused, until the first lets go', async (t) => {
  const path = join(temporaryFolder(t), 'run');
  const first = RunFolder.check(path, false);
  const second = RunFolder.check(path, false);
  await first.open();
  await assert.rejects(second.open(), /running\.lock: a run is going on here \(this process \(\d+\), since 20/);
  assert.throws(() => RunFolder.check(path, false), { name: 'ConfigError', message: /use another --out$/ });
  await second.close(); // takes nothing from the first
  await assert.rejects(second.open(), /a run is going on/);
  await first.close();
  assert.deepEqual(readdirSync(path), []);
  await second.open();
  await second.close();
});

test('a run that began and ended between another one’s check and opening is not overwritten', async (t) => {
  const path = join(temporaryFolder(t), 'run');
  const late = RunFolder.check(path, false);
  const quick = await opened(path);
  await quick.saveLast(runCheckpoint());
  await quick.close();
  await assert.rejects(late.open(), /holds a run already/);
  assert.equal(existsSync(lockOf(path)), false);
});

test('of processes that open a folder at the same instant exactly one wins, with a dead one’s lock in it or without', async (t) => {
  for (const left of [undefined, someLock({ pid: 2 ** 22 + 1 }), '', '{"pid":']) {
    const path = temporaryFolder(t);
    if (left !== undefined) writeFileSync(lockOf(path), left);
    const entrants = await Promise.all(Array.from({ length: 6 }, () => Entrant.ready(path)));
    const atMs = Date.now() + 100;
    const outcomes = await Promise.all(entrants.map((one) => one.enter(atMs)));
    await Promise.all(entrants.map((one) => one.leave()));
    assert.deepEqual(outcomes.toSorted(), [...Array(5).fill('refused'), 'won'], `left: ${left}`);
    assert.deepEqual(readdirSync(path), []);
  }
});

/** A process that checks a folder, opens it when told, and holds it until told. */
class Entrant {
  private constructor(
    private readonly child: ChildProcessWithoutNullStreams,
    private readonly lines: AsyncIterator<string>,
  ) {}

  static async ready(path: string): Promise<Entrant> {
    const child = spawn(process.execPath, [entrant, path]);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    assert.equal((await lines.next()).value, 'ready');
    return new Entrant(child, lines);
  }

  async enter(atMs: number): Promise<string> {
    this.child.stdin.write(`${atMs}\n`);
    return (await this.lines.next()).value ?? 'ended';
  }

  async leave(): Promise<void> {
    this.child.stdin.end();
    await once(this.child, 'close');
  }
}

test('a lock of another process that has the dead one’s number does not count; one of another machine does', async (t) => {
  const path = temporaryFolder(t);
  if (existsSync('/proc/self/stat')) {
    writeFileSync(lockOf(path), someLock({ pid: process.ppid }));
    await (await opened(path)).close();
  }
  writeFileSync(lockOf(path), someLock({ host: 'elsewhere', since: 'Monday' }));
  const refusal = /running\.lock: a run of process 1 on the machine elsewhere .* since Monday; .* delete this file if/;
  assert.throws(() => RunFolder.check(path, false), { name: 'ConfigError', message: refusal });
  assert.deepEqual(readdirSync(path), ['running.lock']);
});

test('a lock without the time when its process began goes by the number alone', async (t) => {
  const path = temporaryFolder(t);
  writeFileSync(lockOf(path), someLock({ pid: process.ppid, began: undefined }));
  assert.throws(() => RunFolder.check(path, false), /process \d+, since 2026/);
  writeFileSync(lockOf(path), someLock({ pid: process.pid, began: undefined })); // of an earlier process with this number
  await (await opened(path)).close();
});

test('what a killed run left unfinished is removed, and nothing else', async (t) => {
  const path = temporaryFolder(t);
  const id = '01234567-89ab-cdef-0123-456789abcdef';
  const litter = [`.last.safetensors.${id}.tmp`, `.metrics.jsonl.${id}.tmp`, '.twin.reserve'];
  const own = [`.mine.${id}.tmp`, '.last.safetensors.tmp', 'notes.txt', 'mine.reserve'];
  for (const name of [...litter, ...own]) writeFileSync(join(path, name), 'x');
  await (await opened(path)).close();
  assert.deepEqual(readdirSync(path).sort(), own.sort());
});

test('room is taken at the start, gives way to the files, and is given back', async (t) => {
  const path = join(temporaryFolder(t), 'run');
  const folder = await opened(path);
  const checkpoint = runCheckpoint();
  await folder.reserveFor(checkpoint);
  const reserves = () => readdirSync(path).filter((name) => name.endsWith('.reserve'));
  assert.deepEqual(reserves().sort(), ['.best.reserve', '.last.reserve', '.twin.reserve']);
  await folder.saveLast(checkpoint);
  const { size } = statSync(folder.lastPath);
  const kept = statSync(join(path, '.twin.reserve'));
  assert.ok(kept.size > size && kept.size < size + 200_000, `${kept.size} kept for ${size}`);
  assert.ok(kept.blocks * 512 >= size, 'really taken');
  await folder.saveBest(checkpoint);
  await folder.saveLast(checkpoint);
  assert.deepEqual(reserves(), ['.twin.reserve']);
  await folder.close();
  assert.deepEqual(readdirSync(path).sort(), ['best.safetensors', 'last.safetensors']);
});

test('a cut-off line of metrics goes when the next is written, and lines of later epochs when a run is resumed', async (t) => {
  const path = temporaryFolder(t);
  const folder = await opened(path);
  const lines = () => readFileSync(folder.metricsPath, 'utf8');
  await folder.log({ epoch: 1, note: 'größer' });
  await folder.log({ epoch: 2 });
  writeFileSync(folder.metricsPath, `${lines()}{"epoch":3,"val`);
  await folder.log({ epoch: 3 });
  assert.equal(lines(), '{"epoch":1,"note":"größer"}\n{"epoch":2}\n{"epoch":3}\n');
  writeFileSync(folder.metricsPath, `${lines()}{"epoch":4`);
  await folder.keepEpochs(2);
  assert.equal(lines(), '{"epoch":1,"note":"größer"}\n{"epoch":2}\n');
  writeFileSync(folder.metricsPath, '{"epoch":1'); // nothing but a cut-off line
  await folder.log({ epoch: 1 });
  assert.equal(lines(), '{"epoch":1}\n');
  await folder.close();
});

test('metrics that cannot be written are one clear line', async (t) => {
  const path = temporaryFolder(t);
  const folder = await opened(path);
  mkdirSync(folder.metricsPath);
  await assert.rejects(folder.log({ epoch: 1 }), {
    name: 'VmfError',
    message: /metrics\.jsonl: could not be written \(EISDIR\)/,
  });
  await folder.close();
});

const mount = (path: string, bytes: number) =>
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path], { stdio: 'pipe' });

/** Why no small file system can be mounted here; false where one can. */
function cannotMount(): string | false {
  const path = mkdtempSync(join(tmpdir(), 'vmf-disk-'));
  try {
    mount(path, 65536);
    execFileSync('umount', [path]);
    return false;
  } catch (error) {
    return `no small file system can be mounted here: ${String(error).split('\n')[0]}`;
  } finally {
    rmdirSync(path);
  }
}

const skip = cannotMount();

/** A run folder that is a file system in memory of so many bytes. */
async function openedOnDisk(t: TestContext, bytes: number): Promise<{ path: string; folder: RunFolder }> {
  const path = mkdtempSync(join(tmpdir(), 'vmf-disk-'));
  mount(path, bytes);
  t.after(() => {
    execFileSync('umount', [path]);
    rmdirSync(path);
  });
  return { path, folder: await opened(path) };
}

function fillDisk(path: string): void {
  for (const bytes of [65536, 4096]) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(bytes, 1), { flag: 'a' });
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
    }
  }
}

test('a disk that is too small is found before anything is written', { skip }, async (t) => {
  const { path, folder } = await openedOnDisk(t, 400_000);
  const refusal = /no room for the checkpoints \(ENOSPC\): \d+ bytes needed, \d+ are free; make room or use another --out$/;
  await assert.rejects(folder.reserveFor(runCheckpoint()), { name: 'ConfigError', message: refusal });
  await folder.close();
  assert.deepEqual(readdirSync(path), []);
});

test('others may fill the disk during a run: checkpoints are still written', { skip }, async (t) => {
  const { path, folder } = await openedOnDisk(t, 3_000_000);
  await folder.reserveFor(runCheckpoint());
  fillDisk(join(path, 'others'));
  for (let epoch = 0; epoch < 3; epoch++) {
    await folder.saveBest(runCheckpoint());
    await folder.saveLast(runCheckpoint());
  }
  await folder.close();
  assert.ok((await RunFolder.check(path, true).readLast()).training);
});

test('a disk that is full without room kept stops the run with a clear error; what is there stays whole', { skip }, async (t) => {
  const { path, folder } = await openedOnDisk(t, 3_000_000);
  await folder.saveLast(runCheckpoint());
  await folder.log({ epoch: 1 });
  fillDisk(join(path, 'others'));
  const refusal = /last\.safetensors: could not be written \(ENOSPC: \d+ bytes needed, \d+ are free\); the file .* unchanged$/;
  await assert.rejects(folder.saveLast(runCheckpoint()), { name: 'WeightsError', message: refusal });
  const row = { epoch: 2, long: 'x'.repeat(10_000) };
  await assert.rejects(folder.log(row), { message: /metrics\.jsonl: could not be written \(ENOSPC: \d+ are free\)/ });
  await folder.close();
  assert.deepEqual(readdirSync(path).sort(), ['last.safetensors', 'metrics.jsonl', 'others']);
  assert.ok((await RunFolder.check(path, true).readLast()).training);
  assert.equal(readFileSync(folder.metricsPath, 'utf8'), '{"epoch":1}\n');
});

test('a limit on the size of files is found at the start as well', { skip: process.platform === 'win32' }, async (t) => {
  const path = temporaryFolder(t);
  const command = `ulimit -f 64; exec "$0" "$@"`;
  const { stdout: out } = spawnSync('bash', ['-c', command, process.execPath, entrant, path, 'reserve'], {
    input: '0\n',
    encoding: 'utf8',
  });
  assert.match(out, /no room for the checkpoints \(EFBIG\): \d+ bytes needed, \d+ are free; make room/);
  assert.deepEqual(readdirSync(path), []);
});

test('both checkpoints read back', async (t) => {
  const folder = await opened(temporaryFolder(t));
  const checkpoint = runCheckpoint();
  await folder.saveLast(checkpoint);
  await folder.saveBest(checkpoint);
  assert.deepEqual((await folder.readLast()).training, checkpoint.training);
  const best = parseCheckpoint(await readSafetensors(folder.bestPath), folder.bestPath);
  assert.deepEqual([best.parameters, best.training], [checkpoint.parameters, undefined]);
  await folder.close();
});
