/** `vmf predict` on folders: streaming rows, resuming, error rows, refusals. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeFile, makeVideo, temporaryFolder } from './smallVideos.js';
import { writeTinyWeights } from './support/randomWeights.js';

const main = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
const weights = ['--weights', 'w.safetensors'];
const labels = ['bow', 'jump', 'wave'];
const count = 10;

const shared = temporaryFolder({ after });
before(async () => {
  await writeTinyWeights(join(shared, 'w.safetensors'), { labels, preprocess: { windowSec: 1 } });
  await writeTinyWeights(join(shared, 'other.safetensors'), { labels, preprocess: { windowSec: 1 }, seed: 7 });
  for (let i = 0; i < count - 2; i++) makeVideo(join(shared, 'films', i % 2 ? 'a' : 'b/c', `${i}.mp4`), { seed: i });
  makeFile(join(shared, 'films', 'a', 'broken.mp4'), 'no video');
  makeVideo(join(shared, 'films', 'long, with a "name".mp4'), { frames: 96 }); // 8 s
  makeFile(join(shared, 'films', 'notes.txt'), 'not looked at');
});

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [main, 'predict', ...args], { cwd: shared, stdio: ['ignore', 'pipe', 'pipe'] });
}

async function predict(...args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = start(args);
  let [out, err] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, out, err };
}

const rowsIn = (file: string): Record<string, unknown>[] =>
  readFileSync(join(shared, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

test('a folder: all videos below it in order, errors are rows and counted', async () => {
  const { code, out, err } = await predict('films', ...weights, '--out', 'all.jsonl', '--top', '2');
  assert.deepEqual([code, out], [2, '']);
  assert.match(err, /^vmf: films\/a\/broken\.mp4: is plain text/m);
  assert.match(
    err,
    /^vmf: 10 videos in [\d.]+ s \([\d.]+ videos\/s\); 1 of them could not be read; 1 files without a video's ending passed over\n$/m,
  );
  const rows = rowsIn('all.jsonl');
  assert.equal(rows.length, count);
  const paths = rows.map(({ path }) => String(path));
  assert.deepEqual(paths, paths.toSorted());
  assert.deepEqual(Object.keys(rows.find(({ error }) => error) ?? {}), ['path', 'error', 'run']);
  assert.deepEqual(Object.keys(rows[0] ?? {}), ['path', 'durationSec', 'predictions', 'run']);
  const long = rows.find(({ segments }) => segments);
  assert.deepEqual([long?.['path'], long?.['durationSec']], ['films/long, with a "name".mp4', 8]);
  assert.equal(new Set(rows.map(({ run }) => run)).size, 1);
});

test('it goes on where it ended: half a row is dropped, whole rows stay as they are', async () => {
  const file = 'resumed.jsonl';
  await predict('films', ...weights, '--out', file, '--top', '2');
  const whole = readFileSync(join(shared, file), 'utf8');
  const lines = whole.split('\n');
  const kept = `${lines.slice(0, 4).join('\n')}\n`;
  truncateSync(join(shared, file), Buffer.byteLength(kept) + 20); // 20 bytes of the fifth row
  const { code, err } = await predict('films', ...weights, '--out', file, '--top', '2');
  assert.equal(code, 2, 'a row that failed before counts');
  assert.match(err, /^vmf: 6 videos in .*; 4 done before/m);
  const now = readFileSync(join(shared, file), 'utf8');
  assert.ok(now.startsWith(kept));
  const answers = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  const [a, b] = [answers(whole), answers(now)];
  assert.deepEqual(
    b.map(({ path }) => path),
    a.map(({ path }) => path),
  );
  a.forEach((row, i) => {
    const best = (answer: { predictions?: { label: string; score: number }[] }) => answer.predictions?.[0];
    assert.equal(best(row)?.label, best(b[i])?.label);
    assert.ok(Math.abs((best(row)?.score ?? 0) - (best(b[i])?.score ?? 0)) < 1e-5);
  });
  const again = await predict('films', ...weights, '--out', file, '--top', '2');
  assert.match(again.err, /^vmf: 0 videos in [\d.]+ s; 10 done before \(1 could not be read\)/m);
  assert.equal(readFileSync(join(shared, file), 'utf8'), now);
});

test('CSV: a file that was cut anywhere ends up as if it had not been', async () => {
  const file = join(shared, 'rows.csv');
  await predict('films', ...weights, '--out', 'rows.csv', '--top', '3');
  const whole = readFileSync(file);
  assert.match(whole.toString(), /^path,startSec,endSec,rank,label,score,error,run\n/);
  assert.match(whole.toString(), /\nfilms\/a\/broken\.mp4,,,,,,"is plain text, [^\n]*",[0-9a-f]{12}\n/);
  const shape = (text: string) => text.replace(/,\d\.\d+(e-\d+)?,,/g, ',score,,');
  for (const share of [0.03, 0.35, 0.6, 0.97]) {
    writeFileSync(file, whole.subarray(0, Math.floor(whole.length * share)));
    const { code } = await predict('films', ...weights, '--out', 'rows.csv', '--top', '3');
    assert.equal(code, 2);
    assert.equal(shape(readFileSync(file, 'utf8')), shape(whole.toString()), `cut at ${share}`);
  }
});

test('a process that is killed leaves rows that the next one keeps', { skip: process.platform === 'win32' }, async () => {
  const file = join(shared, 'killed.jsonl');
  const child = start(['films', ...weights, '--out', 'killed.jsonl', '--workers', '1', '--threads', '1']);
  const ended = new Promise((resolve) => child.on('close', resolve));
  while (child.exitCode === null && !(existsSync(file) && readFileSync(file).length > 0))
    await new Promise((resolve) => setTimeout(resolve, 1));
  child.kill('SIGKILL');
  await ended;
  const before = rowsIn('killed.jsonl').length;
  assert.ok(before > 0, 'rows are written as they come');
  const { err } = await predict('films', ...weights, '--out', 'killed.jsonl');
  assert.match(err, new RegExp(`^vmf: ${count - before} videos? in .*; ${before} done before`, 'm'));
  assert.equal(new Set(rowsIn('killed.jsonl').map(({ path }) => path)).size, count);
});

test('refused: other weights, other options, files that are something else, folders without videos', async (t) => {
  await predict('films/a/1.mp4', ...weights, '--out', 'mine.jsonl');
  const before = readFileSync(join(shared, 'mine.jsonl'), 'utf8');
  const other = /mine\.jsonl: holds answers of other weights or other options \(run [0-9a-f]{12}, now [0-9a-f]{12}\)/;
  for (const args of [
    ['--weights', 'other.safetensors'],
    [...weights, '--top', '1'],
    [...weights, '--window', '3'],
  ]) {
    const { code, err } = await predict('films', ...args, '--out', 'mine.jsonl');
    assert.equal(code, 2);
    assert.match(err, other);
  }
  assert.equal(readFileSync(join(shared, 'mine.jsonl'), 'utf8'), before, 'left as it was');
  for (const [name, text] of Object.entries({
    'letter.jsonl': 'Dear reader\n',
    'table.csv': 'a,b\n1,2\n',
    'word.csv': 'hello',
  })) {
    writeFileSync(join(shared, name), text);
    const { code, err } = await predict('films', ...weights, '--out', name);
    assert.equal(code, 2);
    assert.match(err, new RegExp(`^vmf: ${name}: is not a file that predict wrote`, 'm'));
    assert.equal(readFileSync(join(shared, name), 'utf8'), text);
  }
  const empty = temporaryFolder(t);
  appendFileSync(join(empty, 'notes.txt'), 'x');
  assert.match((await predict(empty, ...weights)).err, /no video in this folder \(1 files of other kinds\)\n$/);
  assert.match((await predict('films', ...weights, '--out', 'x.txt')).err, /expected a name that ends in \.jsonl or \.csv\n$/);
  assert.match((await predict('films', ...weights, '--out', 'no/x.csv')).err, /^vmf: no\/x\.csv: cannot be written: /m);
  assert.match((await predict('films', '--weights', 'none.st', '--out', 'new.csv')).err, /none\.st: cannot be opened/);
  assert.ok(!existsSync(join(shared, 'new.csv')), 'nothing is written for weights that are not there');
});
