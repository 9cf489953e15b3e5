/** Pretrained weights: added, used, damaged, and those that ship. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makePreprocess } from '../src/clip/preprocess.js';
import type * as Library from '../src/index.js';
import { networksOf } from '../src/models/pretrained.js';
import { pretrainedWeights } from '../src/models/pretrainedCatalogue.js';
import { networkConfig } from '../src/models/registry.js';
import { findFfmpeg } from '../src/video/ffmpegTools.js';
import type * as WebLibrary from '../src/web/index.js';
import { type Checkpoint, checkpointFile, parseCheckpoint } from '../src/weights/checkpoint.js';
import { readSafetensors, writeSafetensors } from '../src/weights/files.js';
import { makeVideo, temporaryFolder } from './smallVideos.js';
import { chromiumPath, inPage, noChromium } from './support/browser.js';
import { PackageCopy } from './support/packageCopy.js';
import { randomWeights } from './support/randomWeights.js';

const sections = ['Data and terms', 'Training', 'Use', 'Limits'];
const labels = ['bow', 'jump', 'wave'];
const folder = temporaryFolder({ after });
const file = join(folder, 'own.safetensors');
const film = join(folder, 'clips', 'bow', '0.mp4');
const card = join(folder, 'card.md');
let empty: PackageCopy;
let filled: PackageCopy;

const checkpoint = (change: Partial<Checkpoint> = {}): Checkpoint => {
  const form = { frames: 4, height: 32, width: 32 };
  const config = networkConfig('vmf-0.1g', { ...form, classes: labels.length });
  return { config, labels, preprocess: makePreprocess(form), notes: { steps: '10' }, ...randomWeights(config), ...change };
};
const writeWeights = (path: string, change: Partial<Checkpoint> = {}) =>
  writeSafetensors(path, checkpointFile(checkpoint(change)));

function packageIn(name: string): PackageCopy {
  mkdirSync(join(folder, name));
  return new PackageCopy(join(folder, name));
}

before(async () => {
  await writeWeights(file);
  for (const label of labels) for (const i of [0, 1, 2, 3]) makeVideo(join(folder, 'clips', label, `${i}.mp4`), { seed: i });
  writeFileSync(card, ['# trial', ...sections.map((title) => `## ${title}\n\nNone.\n`)].join('\n'));
  [empty, filled] = [packageIn('empty'), packageIn('filled')];
  const added = filled.add(
    file,
    'trial',
    '--card',
    card,
    '--knows',
    '3 "moves", it\'s a trial',
    '--terms',
    'any use',
    '--videos',
    join(folder, 'clips'),
  );
  assert.equal(added.code, 0, added.err);
  assert.match(added.out, /12 of 12 videos get the same label; scores differ by at most [\d.e-]+\n/);
  assert.match(
    added.out,
    /trial\.safetensors: \d+ bytes, for vmf-0\.1g, vmf-0\.25g, vmf-0\.1g-causal, vmf-0\.25g-causal; knows 3 "moves", it's a trial\n/,
  );
});

test('one command writes the float16 file, its card and the line of the catalogue, and again replaces them', async () => {
  const again = filled.add(file, 'trial', '--knows', '3 "moves", it\'s a trial', '--terms', 'any use');
  assert.equal(again.code, 0, again.err);
  const path = join(filled.root, 'pretrained', 'trial.safetensors');
  const [entry, ...more] = (await filled.module<typeof Library>('index.js')).pretrainedWeights;
  const bytes = readFileSync(path);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const knows = '3 "moves", it\'s a trial';
  const known = { name: 'trial', network: 'vmf-0.1g', bytes: bytes.length, sha256, knows, terms: 'any use' };
  assert.deepEqual([entry, more], [known, []]);
  const { tensors } = await readSafetensors(path);
  assert.equal(tensors.get('stem.conv.weight')?.dtype, 'F16');
  assert.deepEqual(parseCheckpoint(await readSafetensors(path), path).labels, labels);
  assert.equal(readFileSync(join(filled.root, 'pretrained', 'trial.md'), 'utf8'), readFileSync(card, 'utf8'));
});

test('weights are not added without a card that tells all, with paths of a machine, or as what has another meaning', async () => {
  const other = join(folder, 'other.safetensors');
  const refused = (args: readonly string[], reason: RegExp) => {
    const { code, err } = empty.add(...args);
    assert.deepEqual([code, reason.test(err)], [2, true], err);
  };
  refused([file, 'x'], /x\.md: no such card/);
  writeFileSync(join(folder, 'short.md'), '# x\n## Use\n');
  refused([file, 'x', '--card', join(folder, 'short.md')], /lacks "## Data and terms", "## Training", "## Limits"/);
  for (const name of ['vmf-0.1g', 'default', 'Big', '../x'])
    refused([file, name, '--card', card], /another meaning|expected FILE NAME/);
  await writeWeights(other, { notes: { data: '/home/me/clips' } });
  refused([other, 'x', '--card', card], /its note "data" tells a path of a machine: \/home\/me\/clips/);
  const config = networkConfig('vmf-0.1g', { frames: 4, height: 32, width: 32, classes: 3, temporal: 'late' });
  await writeWeights(other, { config, ...randomWeights(config) });
  refused([other, 'x', '--card', card], /no named network has these tensors/);
  assert.doesNotMatch(empty.catalogue, /name: '/);
});

test('without pretrained weights every place says so', async () => {
  await empty.refuses(
    folder,
    ['predict', film],
    /^vmf: required option '--weights <file>' not specified; .*none come with this version/,
  );
  await empty.refuses(folder, ['explain', film], /required option '--weights <file>' not specified/);
  await empty.refuses(folder, ['stream', film], /required option '--weights <file>' not specified/);
  await empty.refuses(
    folder,
    ['predict', film, '--weights', 'trial'],
    /^vmf: trial: cannot be opened \(ENOENT\), and no .* none come/,
  );
  await empty.refuses(
    folder,
    ['train', 'clips', '--init', 'default', '--out', 'x'],
    /no pretrained weights fit vmf-0\.1g; none come/,
  );
  assert.match((await empty.vmf(folder, 'info', '--pretrained')).out, /^pretrained weights: none come with this version\n$/);
});

test('predict, explain and stream use the best there are and say what they know', async (t) => {
  const said = /^vmf: with trial, which knows 3 "moves", it's a trial; --weights takes others\n/;
  const { code, out, err } = await filled.vmf(folder, 'predict', film, '--json');
  assert.equal(code, 0, err);
  assert.match(err, said);
  const named = await filled.vmf(folder, 'predict', film, '--json', '--weights', 'trial');
  assert.deepEqual([named.err, named.out], ['', out]);
  const [best] = JSON.parse(out)[0].predictions;
  const [original] = JSON.parse((await filled.vmf(folder, 'predict', film, '--json', '--weights', file)).out)[0].predictions;
  assert.equal(best.label, original.label);
  assert.ok(Math.abs(best.score - original.score) < 0.01);
  const resumable = await filled.vmf(folder, 'predict', film, '--weights', 'trial', '--out', 'rows.jsonl');
  assert.deepEqual([resumable.code, readFileSync(join(folder, 'rows.jsonl'), 'utf8').split('\n').length], [0, 2]);
  const explained = await filled.vmf(folder, 'explain', film, '--no-video', '--out', 'explained');
  assert.match(explained.err, said);
  assert.match(explained.out, /0\.mp4: (bow|jump|wave) \d+ %, with .*trial\.safetensors \(vmf-0\.1g\)\n/);
  if (typeof findFfmpeg() === 'string') return t.diagnostic('streams need the system ffmpeg');
  const streamed = await filled.vmf(folder, 'stream', film);
  assert.match(streamed.err, said);
  assert.match(streamed.out, / s +[\d.]+ % {2}(bow|jump|wave) /);
});

test('other verbs take the name too; an unknown one is told what there is; a file of that name goes first', async () => {
  const info = await filled.vmf(folder, 'info', '--pretrained');
  assert.match(info.out, /trial +vmf-0\.1g, vmf-0\.25g, [^ ]+, [^ ]+ +[\d,]+ +3 "moves"/);
  assert.equal(JSON.parse((await filled.vmf(folder, 'info', '--weights', 'trial', '--json')).out).classes, 3);
  const exported = await filled.vmf(folder, 'export', '--weights', 'trial', '--safetensors', 'out.safetensors');
  assert.equal(exported.code, 0, exported.err);
  const unknown = /^vmf: trail: cannot be opened \(ENOENT\), .*: there are trial \(for vmf-0\.1g, .*\); expected a file/;
  for (const args of [
    ['predict', film, '--weights'],
    ['eval', 'clips', '--weights'],
    ['train', 'clips', '--out', 'x', '--init'],
  ]) {
    await filled.refuses(folder, [...args, 'trail'], unknown);
  }
  await filled.refuses(
    folder,
    ['train', 'clips', '--out', 'x', '--teacher', 'trail'],
    /--teacher: trail: cannot be opened .*there are trial/,
  );
  await filled.refuses(
    folder,
    ['predict', film, '--weights', 'none.safetensors'],
    /none\.safetensors: cannot be opened \(ENOENT\); expected/,
  );
  const own = join(folder, 'own');
  mkdirSync(own);
  mkdirSync(join(own, 'folder', 'trial'), { recursive: true });
  assert.match((await filled.vmf(join(own, 'folder'), 'predict', film, '--weights', 'trial')).out, / (bow|jump|wave)\n/);
  await writeWeights(join(own, 'trial'), { labels: ['one', 'two', 'three'] });
  assert.match((await filled.vmf(own, 'predict', film, '--weights', 'trial')).out, / (one|two|three)\n/);
  assert.match((await filled.vmf(own, 'predict', film)).out, / (bow|jump|wave)\n/, 'nothing given: the package’s');
});

test('a training starts from them by name, by default for the network, or from nothing', async () => {
  const quick = ['--epochs', '1', '--size', '32', '--frames', '4', '--threads', '1', '--workers', '1', '--no-cache'];
  const trained = (out: string, ...args: string[]) => filled.vmf(folder, 'train', 'clips', '--out', out, ...quick, ...args);
  const recorded = (out: string) => JSON.parse(readFileSync(join(folder, out, 'run.json'), 'utf8')).init;
  const start = /note: start from trial: all (but .+ )?of \d+ tensors; terms: any use\n/;
  const named = await trained('named', '--init', 'trial');
  assert.match(named.err, start);
  const byDefault = await trained('default', '--init', 'default', '--model', 'vmf-0.25g');
  assert.match(byDefault.err, start);
  assert.match(byDefault.out, /^vmf-0\.25g: 3 classes/);
  const fresh = await trained('fresh', '--init', 'none');
  assert.doesNotMatch(fresh.err, /start from/);
  assert.deepEqual(['named', 'default', 'fresh'].map(recorded), ['trial', 'trial', undefined]);
  const probe = await filled.vmf(
    folder,
    'train',
    'clips',
    '--out',
    'probe',
    '--init',
    'default',
    '--baseline',
    '--size',
    '32',
    '--frames',
    '4',
  );
  assert.match(probe.err, start);
  const causal = await trained('causal', '--init', 'default', '--model', 'vmf-0.1g-causal');
  assert.match(
    causal.err,
    /start from trial: all (?:but .+ )?of \d+ tensors; terms: any use\nnote: temporal kernels of the initial weights see the next frame too; here the present one stands for it\n/,
  );
  const unfit = /no pretrained weights fit vmf-(0\.5|1)g; there are trial \(for vmf-0\.1g, vmf-0\.25g, /;
  for (const network of ['vmf-0.5g', 'vmf-1g'])
    await filled.refuses(folder, ['train', 'clips', '--out', 'x', '--init', 'default', '--model', network], unfit);
});

test('a damaged, shortened or missing file is a WeightsError with the path, in every place', async () => {
  const damaged = packageIn('damaged');
  damaged.add(file, 'trial', '--card', card);
  const path = join(damaged.root, 'pretrained', 'trial.safetensors');
  const { loadRecogniser, fromPretrained } = await damaged.module<typeof Library>('index.js');
  const whole = readFileSync(path);
  const last = whole.length - 1;
  const flipped = whole.with(last, (whole[last] ?? 0) ^ 1);
  for (const [bytes, reason] of [
    [
      flipped,
      /trial\.safetensors: not the pretrained weights trial of this version: SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}; install/,
    ],
    [
      whole.subarray(0, 5000),
      /trial\.safetensors: not the pretrained weights trial of this version: 5000 bytes, expected \d+; install/,
    ],
    [undefined, /trial\.safetensors: the pretrained weights trial cannot be opened \(ENOENT\); install the package again/],
  ] as const) {
    if (bytes) writeFileSync(path, bytes);
    else rmSync(path);
    for (const args of [
      ['predict', film],
      ['predict', film, '--weights', 'trial'],
      ['train', 'clips', '--out', 'x', '--init', 'default'],
      ['train', 'clips', '--out', 'x', '--init', 'trial'],
    ]) {
      await damaged.refuses(folder, args, reason);
    }
    await damaged.refuses(folder, ['train', 'clips', '--out', 'x', '--teacher', 'trial'], reason);
    for (const load of [() => loadRecogniser('trial'), () => fromPretrained('trial')]) {
      await assert.rejects(load(), { name: 'WeightsError', message: reason });
    }
  }
});

test('fromPretrained of the library: by name, the best, an unknown one', async () => {
  const { fromPretrained } = await filled.module<typeof Library>('index.js');
  for (const name of ['trial', undefined]) {
    const recogniser = await fromPretrained(name, { threads: 1, workers: 1 });
    assert.deepEqual(recogniser.labels, labels);
    assert.equal((await recogniser.recognise(film)).scores.length, 3);
    await recogniser.close();
  }
  await assert.rejects(fromPretrained('trail'), /^ConfigError: unknown pretrained weights "trail"; there are trial \(for/);
  const { calibrateCheckpoint } = await filled.module<typeof Library>('index.js');
  await assert.rejects(calibrateCheckpoint('trial', []), /^ConfigError: trial: pretrained weights stay as they are: name a file/);
  const none = await empty.module<typeof Library>('index.js');
  await assert.rejects(none.fromPretrained(), /^ConfigError: no pretrained weights: none come with this version$/);
});

test('the browser entry takes an address, a folder’s address or bytes, and checks the digest', async (t) => {
  const { fromPretrained, readPretrained, webPlatform } = await filled.module<typeof WebLibrary>('web/index.js');
  const path = join(filled.root, 'pretrained', 'trial.safetensors');
  const whole = new Uint8Array(readFileSync(path));
  const server = createServer(({ url }, response) => {
    const known = url === '/a/trial.safetensors' || url === '/hashed-name';
    response.writeHead(known ? 200 : 404).end(known ? whole : url === '/b' ? '' : 'none');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const from of [`${address}/a/`, new URL(`${address}/hashed-name`), whole, whole.slice().buffer])
    assert.deepEqual((await readPretrained('trial', from)).labels, labels);
  const recogniser = await fromPretrained('trial', whole, { platform: webPlatform({ worker: 'page' }) });
  assert.deepEqual(recogniser.labels, labels);
  await recogniser.close();
  await assert.rejects(readPretrained('trail', whole), /^ConfigError: unknown pretrained weights "trail"; there are trial/);
  await assert.rejects(
    readPretrained('trial', `${address}/c/`),
    /^WeightsError: .*\/c\/trial\.safetensors: cannot be fetched \(HTTP 404\)$/,
  );
  await assert.rejects(readPretrained('trial', 'http://127.0.0.1:1/'), /^WeightsError: .*: cannot be fetched \(/);
  await assert.rejects(
    readPretrained('trial', whole.with(9, 0)),
    /^WeightsError: trial: not the .*: SHA-256 [0-9a-f]{64}, expected/,
  );
  await assert.rejects(readPretrained('trial', whole.slice(1)), /^WeightsError: trial: not the .*: \d+ bytes, expected \d+;/);
  await assert.rejects(readPretrained('trial', `${address}/a/`, AbortSignal.abort(new Error('enough'))), /enough/);
});

test('a tab of Chromium loads them by name', { timeout: 180_000 }, async (t) => {
  const executable = chromiumPath();
  if (executable === undefined) return t.skip(noChromium);
  const { bundleBrowser } = (await import(join(process.cwd(), 'scripts/bundleBrowser.mjs'))) as {
    bundleBrowser: (entries: readonly string[]) => Promise<{ name: string; contents: Uint8Array }[]>;
  };
  const bundles = await bundleBrowser([join(filled.root, 'dist/src/web/index.js')]);
  const whole = readFileSync(join(filled.root, 'pretrained', 'trial.safetensors'));
  const files = {
    ...Object.fromEntries(bundles.map(({ name, contents }) => [name, contents])),
    ...{ 'files/trial.safetensors': whole, 'damaged/trial.safetensors': whole.subarray(8) },
  };
  const said = await inPage(executable, files, (page) =>
    page.evaluate<{ labels: string[]; damaged: string }>(`runPretrained('/index.js', 'trial', '/files/', '/damaged/')`),
  );
  assert.deepEqual(said.labels, labels);
  assert.match(
    said.damaged,
    /^WeightsError: \/damaged\/trial\.safetensors: not the pretrained weights trial .*: \d+ bytes, expected/,
  );
});

test('what ships: each file of the catalogue with its card, of the networks it says, in the package, and nothing else', async () => {
  const files = readdirSync('pretrained').filter((name) => name !== 'README.md');
  const expected = pretrainedWeights.flatMap(({ name }) => [`${name}.md`, `${name}.safetensors`]);
  assert.deepEqual(files.sort(), expected.sort());
  for (const { name, bytes, sha256, network } of pretrainedWeights) {
    const path = `pretrained/${name}.safetensors`;
    const content = readFileSync(path);
    assert.deepEqual([content.length, createHash('sha256').update(content).digest('hex')], [bytes, sha256], path);
    assert.ok(bytes < 20e6, path);
    const { config, notes } = parseCheckpoint(await readSafetensors(path), path);
    assert.ok(networksOf({ network }).includes(network) && config.classes > 0, path);
    assert.ok(!Object.values(notes).some((note) => /(^|\s)(\/|~\/)\S/.test(note)), `${path}: notes with paths`);
    const text = readFileSync(`pretrained/${name}.md`, 'utf8');
    for (const title of sections) assert.match(text, new RegExp(`^## ${title}\n+\\S`, 'm'), `${name}.md: ${title}`);
  }
  const { files: packed, exports } = JSON.parse(readFileSync('package.json', 'utf8'));
  assert.ok(packed.includes('pretrained') && exports['./pretrained/*'] === './pretrained/*');
  const total = pretrainedWeights.reduce((sum, { bytes }) => sum + bytes, 0);
  assert.ok(total < 10e6, `${total} bytes: more belong in a package of their own`);
});
