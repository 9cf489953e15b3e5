/** `vmf report` on tiny runs, alone and compared, with missing data, and refusals. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { train } from '../src/train/train.js';
import { makeVideo } from './smallVideos.js';
import { tinyConfig } from './support/randomWeights.js';
import { refused, vmf } from './support/vmf.js';

const root = mkdtempSync(join(tmpdir(), 'vmf-report-'));
const at = (...parts: readonly string[]) => join(root, ...parts);
const labels = ['bow', '<script>alert(1)</script>'];
const page = (path: string) => readFileSync(at(path), 'utf8');

before(async () => {
  const rows = labels.flatMap((label, i) =>
    ['train', 'val', 'test'].flatMap((split) =>
      Array.from({ length: split === 'train' ? 6 : 3 }, (_, k) => {
        const name = `${split}-${i}-${k}.mp4`;
        makeVideo(at('data', name), { seed: 10 * i + k, frames: 12 });
        return `${name},"${label}",${split}`;
      }),
    ),
  );
  writeFileSync(at('data', 'list.csv'), `path,label,split\n${rows.join('\n')}\n`);
  await learn('a', { epochs: 2 });
  await learn('b', { epochs: 3, lr: 0.004, seed: 1 });
  await learn('c', { epochs: 2, seed: 7 });
});

after(() => rmSync(root, { recursive: true, force: true }));

async function learn(name: string, options: object): Promise<void> {
  await train({
    ...{ data: at('data', 'list.csv'), out: at(name), model: tinyConfig(), threads: 1, workers: 1, cacheFolder: false },
    options: { batch: 4, warmupEpochs: 1, preciseBn: 1, ...options },
    command: ['train', 'my data/list.csv', '--out', name],
  });
}

function copy(from: string, to: string): string {
  cpSync(at(from), at(to), { recursive: true });
  return to;
}

test('run.json says what was asked for, on what, where, and how it went', () => {
  const record = JSON.parse(page('a/run.json'));
  assert.deepEqual([record.recipe.epochs, record.recipe.batch, record.chosen.epochs], [2, 4, 2]);
  assert.equal(record.recipe.weightDecay, 0.05, 'options that were not given are there too');
  assert.deepEqual(record.data.labels, [...labels].sort());
  assert.deepEqual(
    record.data.counts.map(({ train, val, test }: Record<string, number>) => [train, val, test]),
    [
      [6, 3, 3],
      [6, 3, 3],
    ],
  );
  assert.equal(record.data.path, at('data', 'list.csv'));
  assert.match(record.data.digest, /^[0-9a-f]{64}$/);
  assert.deepEqual([record.outcome.epochs, record.sessions.length], [2, 1]);
  const [session] = record.sessions;
  assert.equal(session.status, 'finished');
  assert.ok(session.seconds > 0 && session.cpuSeconds > 0 && session.peakMemoryBytes > 1e7);
  assert.ok(Date.parse(session.endedAt) >= Date.parse(session.startedAt));
  const [length] = record.data.clues;
  assert.deepEqual([length.what, length.tells, length.chance], ['length', false, 0.5]);
});

test('one run: everything is on the page, and labels stay text', async () => {
  const { code, out, err } = await vmf(root, 'report', 'a');
  assert.deepEqual([code, err], [0, '']);
  assert.match(out, /^a: top-1 [\d.]+ % on val \(\d of 6; 95 % interval .*\)\nreport: a\/report\.html\n$/);
  const html = page('a/report.html');
  for (const heading of ['Learning', 'Clips', 'Confusion matrix', 'Classes', 'Recipe', 'Data', 'Time and cost', 'To repeat this'])
    assert.ok(html.includes(`<h2>${heading}</h2>`), `${heading} is missing`);
  for (const title of ['Loss', 'Accuracy', 'Learning rate', 'Clips a second'])
    assert.ok(html.includes(`<strong>${title}</strong>`), `chart ${title} is missing`);
  assert.equal(html.match(/data:image\/jpeg;base64,/g)?.length, 6 * 6, 'six frames of each of six clips');
  assert.ok(!html.includes('<script') && html.includes('&lt;script&gt;alert(1)&lt;/script&gt;'));
  assert.match(html, /<th scope="row">epochs<\/th>\s*<td><b>2<\/b><\/td>\s*<td class="muted">30<\/td>/);
  assert.ok(html.includes('vmf train &#39;my data/list.csv&#39; --out a'), 'the command, quoted');
  assert.ok(html.includes('weightDecay') && html.includes('shortSide') && html.includes('cores busy on average'));
  assert.ok(!/undefined|NaN|https?:/.test(html.replaceAll(/base64,[^"]+/g, '')));
});

test('--split test and --json', async () => {
  const { code, out } = await vmf(root, 'report', 'a', '--split', 'test', '--out', 'test.html', '--json');
  assert.equal(code, 0);
  const { runs, report } = JSON.parse(out);
  assert.deepEqual([report, runs.length, runs[0].split, runs[0].result.count], ['test.html', 1, 'test', 6]);
  assert.ok(page('test.html').includes('Test clips') && !page('test.html').includes('Validation clips'));
});

test('two runs: what differs, curves over each other, and whether chance explains it', async () => {
  const { code, out } = await vmf(root, 'report', 'a', 'b', '--out', 'both.html', '--json');
  assert.equal(code, 0);
  const { differences, pairs, runs } = JSON.parse(out);
  const differing: Record<string, string[]> = Object.fromEntries(
    differences.map(({ name, values }: { name: string; values: string[] }) => [name, values]),
  );
  assert.deepEqual(
    ['epochs', 'lr', 'seed'].map((name) => differing[name]),
    [
      ['2', '3'],
      ['0.001', '0.004'],
      ['0', '1'],
    ],
  );
  assert.ok(!('batch' in differing) && !('data fingerprint' in differing));
  const [{ onlyFirst, onlySecond, videos, p }] = pairs;
  assert.equal(videos, 6);
  assert.equal(onlyFirst - onlySecond, runs[0].result.correct - runs[1].result.correct);
  assert.ok(p > 0 && p <= 1);
  const html = page('both.html');
  assert.equal(html.match(/<path class="run[01]" d="M[^"]+"\/><circle/g)?.length, 8, 'four charts of two lines');
  assert.ok(html.includes('McNemar') && html.includes('What differs') && !html.includes('not comparable'));
  assert.ok(!html.includes('<script'));
});

test('runs that differ in their seed alone are averaged', async () => {
  const { out } = await vmf(root, 'report', 'a', 'b', 'c', '--out', 'three.html', '--json');
  const { runs, seedGroups, pairs } = JSON.parse(out);
  const [a, , c] = runs.map(({ result }: { result: { top1: number } }) => result.top1);
  assert.deepEqual(seedGroups, [{ runs: ['a', 'c'], mean: (a + c) / 2, least: Math.min(a, c), most: Math.max(a, c) }]);
  assert.equal(pairs.length, 3);
  assert.ok(page('three.html').includes('One recipe, 2 seeds'));
});

test('runs on different data are called that', async () => {
  const record = JSON.parse(page('b/run.json'));
  record.data.digest = '0'.repeat(64);
  writeFileSync(at(copy('b', 'stranger'), 'run.json'), JSON.stringify(record));
  const { code, err } = await vmf(root, 'report', 'a', 'stranger', '--out', 'strange.html');
  assert.equal(code, 0);
  assert.match(err, /^note: stranger: The data at .* are not what the run learnt from/);
  assert.ok(page('strange.html').includes('their numbers are not comparable'));
  assert.ok(page('strange.html').includes('were not tested on the same videos'));
});

test('data that is gone: the page without clips says so; --data finds it again', async () => {
  const record = JSON.parse(page('a/run.json'));
  record.data.path = at('elsewhere', 'list.csv');
  writeFileSync(at(copy('a', 'moved'), 'run.json'), JSON.stringify(record));
  const gone = await vmf(root, 'report', 'moved');
  assert.deepEqual([gone.code, gone.out], [0, 'moved: not tested\nreport: moved/report.html\n']);
  assert.match(gone.err, /^note: moved: The data cannot be used any more, .*no such file or folder/);
  const html = page('moved/report.html');
  assert.ok(html.includes('<h2>Learning</h2>') && html.includes('<h2>Recipe</h2>') && html.includes('cannot be used any more'));
  assert.ok(!html.includes('<h2>Clips</h2>') && !html.includes('<h2>Confusion matrix</h2>'));
  const found = await vmf(root, 'report', 'moved', '--data', 'data/list.csv');
  assert.deepEqual([found.code, found.err], [0, '']);
  assert.ok(page('moved/report.html').includes('<h2>Confusion matrix</h2>'), 'a report of ours is replaced');
  await refused(root, ['report', 'moved', '--data', 'nowhere'], /^vmf: nowhere: no such file or folder$/m);
});

test('a run of an older version, without run.json, and numbers that nobody knows yet', async () => {
  copy('a', 'old');
  rmSync(at('old', 'run.json'));
  const rows = page('old/metrics.jsonl')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const more = rows.map((row) =>
    JSON.stringify({ ...row, gradientNorm: 1.5, tokenEntropy: 0.125, trainLoss: null, note: 'text' }),
  );
  writeFileSync(at('old', 'metrics.jsonl'), `${more.join('\n')}\n`);
  const { code, err } = await vmf(root, 'report', 'old', '--data', 'data/list.csv');
  assert.deepEqual([code, err], [0, '']);
  const html = page('old/report.html');
  assert.ok(html.includes('<strong>Gradient norm</strong>') && html.includes('<th scope="col">tokenEntropy</th>'));
  assert.ok(html.includes('<td>0.125</td>') && html.includes('<td>not finite</td>') && html.includes('not finite, left out'));
  assert.match(html, /<th scope="row">epochs<\/th>\s*<td><b>2<\/b><\/td>/, 'the recipe, from the last checkpoint');
  assert.ok(html.includes('<h2>Data</h2>') && !html.includes('undefined'));
});

test('a run that is over before its end says so', async () => {
  const record = JSON.parse(page('a/run.json'));
  const statuses = [
    [{ status: 'running' }, /still going on, or was killed/],
    [{ status: 'failed', reason: 'the loss <b>is</b> NaN' }, /The run failed: the loss &lt;b&gt;is&lt;\/b&gt; NaN/],
  ] as const;
  copy('a', 'cut');
  for (const [ending, expected] of statuses) {
    record.sessions[0] = { ...record.sessions[0], ...ending };
    writeFileSync(at('cut', 'run.json'), JSON.stringify({ ...record, laterKey: 1 }));
    assert.equal((await vmf(root, 'report', 'cut')).code, 0);
    assert.match(page('cut/report.html'), expected);
  }
});

test('what cannot be reported is one line, exit code 2, and nothing is written', async () => {
  const spoilt = (name: string, file: string, change: (path: string) => void) => {
    change(at(copy('b', name), file));
    return name;
  };
  const cases: [string[], RegExp][] = [
    [['nowhere'], /^vmf: nowhere: expected the folder of a run/],
    [['data/list.csv'], /^vmf: data\/list\.csv: expected the folder of a run/],
    [['data'], /^vmf: data\/metrics\.jsonl: is not there/],
    [[spoilt('empty', 'metrics.jsonl', (path) => writeFileSync(path, ''))], /empty\/metrics\.jsonl: is empty/],
    [
      [spoilt('torn', 'metrics.jsonl', (path) => truncateSync(path, page('b/metrics.jsonl').length - 9))],
      /torn\/metrics\.jsonl:3: is no JSON/,
    ],
    [
      [spoilt('list', 'metrics.jsonl', (path) => writeFileSync(path, '[1]\n'))],
      /list\/metrics\.jsonl:1: expected a JSON object with/,
    ],
    [[spoilt('halved', 'best.safetensors', (path) => truncateSync(path, 9000))], /halved\/best\.safetensors: /],
    [[spoilt('bestless', 'best.safetensors', (path) => rmSync(path))], /bestless\/best\.safetensors: cannot be opened/],
    [[spoilt('noJson', 'run.json', (path) => writeFileSync(path, '{"format"'))], /noJson\/run\.json: cannot be read as JSON/],
    [[spoilt('strange', 'run.json', (path) => writeFileSync(path, '{}'))], /strange\/run\.json: is no record of a run: format/],
    [['a', './a'], /^vmf: \.\/a: is given twice/],
    [['a', '--out', 'no/page.html'], /^vmf: no\/page\.html: there is no folder no/],
    [['a', '--out', 'data'], /^vmf: data: is no file/],
    [['a', '--out', 'data/list.csv'], /^vmf: data\/list\.csv: is there already and no report of this program/],
    [['a', '--split', 'train'], /Allowed choices are val, test/],
    [Array.from({ length: 9 }, (_, i) => `run${i}`), /^vmf: 9 runs: expected at most 8/],
    [['a', 'nowhere'], /^vmf: nowhere: expected the folder/],
  ];
  const files = () => readdirSync(root, { recursive: true }).length;
  const before = files();
  const list = page('data/list.csv');
  for (const [args, reason] of cases) await refused(root, ['report', ...args], reason);
  assert.equal(files(), before);
  assert.equal(page('data/list.csv'), list);
  assert.equal(existsSync(at('report.html')), false);
});
