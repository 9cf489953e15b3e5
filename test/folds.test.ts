/** `vmf train --folds` and `--filter` as a process. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeVideo, temporaryFolder } from './smallVideos.js';
import { tinyConfig, writeTinyWeights } from './support/randomWeights.js';
import { finished, refused, start, vmf } from './support/vmf.js';

function made(t: TestContext): string {
  const folder = temporaryFolder(t);
  const rows: string[] = [];
  for (const set of ['one', 'two']) {
    for (let i = 0; i < 6; i++)
      rows.push([`${set}-${i}.mp4`, i % 2 === 0 ? 'bow' : 'jump', set, i < 4 ? 'train' : 'test'].join());
  }
  rows.push('stray.mp4,wave,two,train');
  rows.forEach((row, seed) => {
    makeVideo(join(folder, row.split(',')[0] ?? ''), { seed, frames: 8, width: 40, height: 32 });
  });
  writeFileSync(join(folder, 'list.csv'), `path,label,set,split\n${rows.join('\n')}\n`);
  writeFileSync(join(folder, 'tiny.json'), JSON.stringify(tinyConfig()));
  return folder;
}

const recipe = [
  '--config',
  'tiny.json',
  '--batch',
  '2',
  '--warmup-epochs',
  '0',
  '--threads',
  '1',
  '--workers',
  '1',
  '--no-cache',
];
const folds = ['train', 'list.csv', '--filter', 'label=bow,jump', '--out', 'run', ...recipe];

test('train --folds: a table, a matrix, files; stopped by Ctrl-C it goes on when given again', async (t) => {
  const folder = made(t);
  const command = [...folds, '--folds', 'set', '--epochs', '4'];
  const child = start(command, folder);
  let stopped = false;
  child.stderr?.on('data', (text: Buffer) => {
    if (!stopped && String(text).includes('fold two')) {
      stopped = true;
      setTimeout(() => child.kill('SIGINT'), 600);
    }
  });
  const first = await finished(child);
  assert.equal(first.code, 130, first.err);
  assert.match(first.out, /^interrupted after 1 of 2 folds: the same command goes on with them\n$/);
  const { code, out, err } = await vmf(folder, ...command);
  assert.equal(code, 0, err);
  assert.match(err, /fold one: top-1 [\d.]+ % \(\d of 6\), done before\n/);
  assert.match(err, /^note: only label=bow,jump: 12 of 13 videos\nnote: the splits that the data came with are left aside\n/);
  assert.match(
    out,
    /^groups of the column "set" left out one by one, views 1x1\n\nfold +clips +correct +top-1 +95 % interval\none +6 +\d +[\d.]+ % +[\d.]+ % to [\d.]+ %\ntwo +6 /,
  );
  assert.match(
    out,
    /\nmean over folds +[\d.]+ % \(standard deviation [\d.]+ %; 95 % interval [\d.]+ % to [\d.]+ %, Student's t over 2 folds, 1 degree of freedom\)\nall clips +[\d.]+ % \(\d+ of 12; 95 % interval /,
  );
  assert.match(out, /\ntrue \\ predicted +1 +2\n1 bow +[\d.]+ +[\d.]+\n2 jump /);
  assert.deepEqual(readdirSync(join(folder, 'run')).sort(), ['fold-one', 'fold-two', 'folds.json', 'folds.jsonl']);
  const summary = JSON.parse(readFileSync(join(folder, 'run', 'folds.json'), 'utf8'));
  assert.deepEqual([summary.pooled.count, summary.results[1].folder, summary.results[1].answers.length], [12, 'fold-two', 6]);
});

test('train --folds K --seeds --views --json', async (t) => {
  const folder = made(t);
  const { code, out, err } = await vmf(
    folder,
    ...folds,
    ...['--folds', '2', '--seeds', '0,5', '--views', '2x1', '--epochs', '1', '--json'],
  );
  assert.equal(code, 0, err);
  const { by, folds: rows, seeds, overSeeds } = JSON.parse(out);
  assert.deepEqual([by, rows.length, rows[0].bySeed.length, overSeeds.count], ['2 parts by class', 2, 2, 2]);
  assert.deepEqual(
    seeds.map(({ seed, pooled }: { seed: number; pooled: { count: number } }) => [seed, pooled.count]),
    [
      [0, 12],
      [5, 12],
    ],
  );
});

test('--filter in eval and check', async (t) => {
  const folder = made(t);
  await writeTinyWeights(join(folder, 'w.safetensors'), { labels: ['bow', 'jump'] });
  const only = ['--filter', 'label=jump', '--filter', 'set=one', '--json'];
  const tested = await vmf(folder, 'eval', 'list.csv', '--weights', 'w.safetensors', '--split', 'all', ...only);
  assert.equal(tested.code, 0, tested.err);
  assert.deepEqual(
    JSON.parse(tested.out).rows.map(({ name }: { name: string }) => name),
    ['one-1.mp4', 'one-3.mp4', 'one-5.mp4'],
  );
  assert.match(tested.err, /note: only label=jump and set=one: 3 of 13 videos/);
  const checked = await vmf(folder, 'check', 'list.csv', ...only);
  assert.deepEqual([checked.code, JSON.parse(checked.out).videos], [0, 3]);
});

test('refused with one line, and nothing written', async (t) => {
  const folder = made(t);
  const train = ['train', 'list.csv', '--out', 'run', ...recipe];
  await refused(folder, [...train, '--folds', 'colour'], /^vmf: .*there is no column "colour" to make folds of; there are set;/);
  await refused(folder, [...train, '--folds', 'set'], /fold "two" would test what no other fold shows: wave/);
  await refused(folder, [...train, '--filter', 'set=one', '--folds', 'set'], /the column "set" is "one" in all rows; folds need/);
  await refused(folder, [...train, '--folds', '1'], /Expected at least 2 parts/);
  await refused(folder, [...train, '--folds', ''], /Expected a column of the list/);
  await refused(folder, [...train, '--seeds', '1,2'], /^vmf: --seeds: is for --folds/);
  await refused(folder, [...train, '--folds', '2', '--seeds', '1,,2'], /Expected whole numbers with commas/);
  await refused(folder, [...train, '--filter', 'set'], /^vmf: --filter: expected COLUMN=VALUE\[,VALUE\], got "set"$/m);
  await refused(folder, [...train, '--filter', 'set=three'], /no row has "three" in its column "set"; there are one, two/);
  await refused(
    folder,
    [...train, '--folds', '2', '--resume'],
    /folds go on when the same command is given again; leave out --resume/,
  );
  writeFileSync(join(folder, 'gap.csv'), 'path,label,set\none-0.mp4,bow,1\none-1.mp4,jump,\n');
  await refused(
    folder,
    ['train', 'gap.csv', '--out', 'run', ...recipe, '--folds', 'set'],
    /one-1\.mp4 has nothing in the column "set"/,
  );
  assert.equal(existsSync(join(folder, 'run')), false);
});
