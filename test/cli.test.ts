/** The command line as a process: arguments, output, one-line errors, exit codes. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { networkConfig, networkNames } from '../src/models/registry.js';
import { makeFile, makeVideo, temporaryFolder } from './smallVideos.js';
import { writeTinyWeights } from './support/randomWeights.js';
import { finished, refused, start, vmf } from './support/vmf.js';

const shared = temporaryFolder({ after });
const labels = ['bow', 'jump', 'wave'];

before(async () => {
  await writeTinyWeights(join(shared, 'w.safetensors'), { labels, preprocess: { windowSec: 1 } });
  labels.forEach((label, i) => {
    for (const seed of [0, 1]) makeVideo(join(shared, 'data', 'test', label, `${seed}.mp4`), { seed: 2 * i + seed });
  });
  makeVideo(join(shared, 'long.mp4'), { frames: 96 }); // 8 s
  makeFile(join(shared, 'broken.mp4'), 'no video');
});

const video = 'data/test/bow/0.mp4';
const weights = ['--weights', 'w.safetensors'];

test('help and version', async () => {
  const help = await vmf(shared, '--help');
  assert.deepEqual([help.code, help.err], [0, '']);
  for (const verb of [
    'demo',
    'synth',
    'check',
    'train',
    'eval',
    'predict',
    'explain',
    'report',
    'convert',
    'export',
    'quantize',
    'stream',
    'info',
    'bench',
  ]) {
    assert.match(help.out, new RegExp(`\n {2}${verb} `), verb);
  }
  const predict = await vmf(shared, 'predict', '--help');
  assert.equal(predict.code, 0);
  assert.match(predict.out, /^Usage: vmf predict \[options\] <video\.\.\.>/);
  const version = await vmf(shared, '--version');
  assert.equal(version.out, `${JSON.parse(readFileSync('package.json', 'utf8')).version}\n`);
  assert.equal((await vmf(shared)).code, 2, 'no verb');
});

test('wrong arguments: one line, exit code 2, nothing written', async (t) => {
  const empty = temporaryFolder(t);
  const data = join(shared, 'data');
  const sound = join(shared, 'w.safetensors');
  const film = join(shared, video);
  await refused(empty, ['predct', 'x.mp4'], /^vmf: unknown command 'predct' \(Did you mean predict\?\)$/m);
  await refused(empty, ['predict', film, '--weights', sound, '--tpo', '3'], /unknown option '--tpo' \(Did you mean --top\?\)/);
  await refused(empty, ['predict', '--weights', sound], /missing required argument 'video'/);
  await refused(
    empty,
    ['predict', film, '--weights', sound, '--top', 'many'],
    /'--top <n>' argument 'many' is invalid\. Expected a whole/,
  );
  await refused(empty, ['predict', film, '--weights', sound, '--window', '0'], /Expected seconds above 0/);
  await refused(empty, ['predict', film, '--weights', sound, '--decoder', 'opencv'], /Allowed choices are auto, node-av, ffmpeg/);
  await refused(empty, ['predict', film, '--weights', 'none.st'], /^vmf: none\.st: cannot be opened \(ENOENT\)/);
  await refused(empty, ['predict', film, '--weights', film], /not a safetensors file|header/);
  await refused(empty, ['eval', data, '--weights', sound, '--views', '2x2'], /Expected CLIPSxCROPS/);
  await refused(
    empty,
    ['eval', data, '--weights', sound, '--split', 'val'],
    /no video in split "val" \(train 0, val 0, test 6\)/,
  );
  await refused(
    empty,
    ['eval', data, '--weights', sound, '--csv', 'no/rows.csv'],
    /^vmf: no\/rows\.csv: there is no folder no$/m,
  );
  await refused(empty, ['eval', 'nowhere', '--weights', sound], /^vmf: nowhere: no such file or folder$/m);
  await refused(empty, ['info', 'vmf-3g'], /unknown name "vmf-3g"; known are vmf-0\.1g, /);
  await refused(empty, ['info', 'vmf-1g', '--size', '3'], /^vmf: vmf-1g: height: /);
  await refused(empty, ['info', 'vmf-1g', '--weights', sound], /exclude each other/);
  await refused(empty, ['info', 'vmf-1g', 'vmf-2g'], /too many arguments/);
  assert.deepEqual(readdirSync(empty), []);
});

test('info: every name, with exactly these keys', async () => {
  const { code, out } = await vmf(shared, 'info', '--json');
  assert.equal(code, 0);
  const rows = JSON.parse(out) as Record<string, unknown>[];
  assert.deepEqual(
    rows.map(({ name }) => name),
    networkNames,
  );
  const own: Record<string, string[]> = {
    'video-mobile-former': ['layout', 'tokens', 'tokenDim'],
    'mobilenet-v2-3d': ['widthMultiplier'],
  };
  const keys = ['frames', 'height', 'width', 'classes', 'parameters', 'macs'];
  for (const row of rows) {
    const streamed = `${row['name']}`.endsWith('-causal') ? ['newFrameMacs'] : [];
    assert.deepEqual(Object.keys(row), ['name', 'family', ...(own[`${row['family']}`] ?? []), ...keys, ...streamed]);
  }
});

test('info of one name, as JSON with blocks and as a table', async () => {
  const { out } = await vmf(shared, 'info', 'mobile-former-294m', '--json', '--layers');
  const { layers, ...facts } = JSON.parse(out);
  assert.deepEqual(facts, {
    ...{
      name: 'mobile-former-294m',
      family: 'video-mobile-former',
      layout: '294m',
      frames: 1,
      height: 224,
      width: 224,
      tokens: 6,
      tokenDim: 192,
      classes: 1000,
    },
    ...{ parameters: 11422648, macs: 286732160 },
  });
  assert.equal(layers.length, 16);
  assert.deepEqual(Object.keys(layers[3]), [
    'name',
    'kind',
    'channels',
    'height',
    'width',
    'stride',
    'temporal',
    'parameters',
    'macs',
  ]);
  const table = await vmf(shared, 'info', 'vmf-1g', '--classes', '10', '--layers');
  assert.match(table.out, /^name +layout +tokens .*\nvmf-1g +214m +6 +192 +16 +112 +10 +7,947,850 +955,913,856\n/);
  assert.match(table.out, /\nblocks\.11 +mf +160 /);
});

test('info of a file of one’s own, and of weights', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'mine.json'), JSON.stringify({ ...networkConfig('vmf-0.1g', { classes: 3 }), name: 'mine' }));
  const own = await vmf(folder, 'info', '--config', 'mine.json', '--classes', '4', '--json');
  assert.deepEqual([own.code, JSON.parse(own.out).name, JSON.parse(own.out).classes], [0, 'mine', 4]);
  const stored = await vmf(shared, 'info', ...weights, '--json');
  assert.deepEqual([JSON.parse(stored.out).name, JSON.parse(stored.out).classes], ['tiny', 3]);
  writeFileSync(join(folder, 'bad.json'), '{"name": "mine"');
  await refused(folder, ['info', '--config', 'bad.json'], /^vmf: bad\.json: is no JSON/);
  writeFileSync(join(folder, 'more.json'), JSON.stringify({ ...networkConfig('vmf-0.1g'), depth: 3 }));
  await refused(folder, ['info', '--config', 'more.json'], /^vmf: more\.json: configuration: Unrecognized key: "depth"$/m);
  await refused(folder, ['info', '--config', 'none.json'], /^vmf: none\.json: cannot be read \(ENOENT\)$/m);
});

test('predict: a label for a short clip, a timeline for a long video', async () => {
  const { code, out, err } = await vmf(shared, 'predict', video, 'long.mp4', ...weights, '--top', '2');
  assert.deepEqual([code, err], [0, '']);
  assert.match(
    out,
    /^data\/test\/bow\/0\.mp4 {2}\(2\.00 s\)\n( +[\d.]+ % {2}(bow|jump|wave)\n){2}long\.mp4 {2}\(8\.00 s, windows of 1 s every 0\.5 s\)\n( +[\d.]+ s to +[\d.]+ s +[\d.]+ % {2}(bow|jump|wave)\n)+$/,
  );
});

test('predict --json: what the same command says to people', async () => {
  const { out } = await vmf(shared, 'predict', video, 'long.mp4', ...weights, '--json', '--window', '1.5', '--stride', '1');
  const [short, long] = JSON.parse(out);
  assert.deepEqual(Object.keys(short), ['path', 'durationSec', 'predictions']);
  assert.deepEqual([short.path, short.predictions.length], [video, 3]);
  assert.deepEqual(Object.keys(long), ['path', 'durationSec', 'windowSec', 'strideSec', 'segments']);
  assert.deepEqual([long.windowSec, long.strideSec, long.segments[0].startSec, long.segments.at(-1).endSec], [1.5, 1, 0, 8]);
  assert.deepEqual(Object.keys(long.segments[0]), ['startSec', 'endSec', 'label', 'score']);
});

test('predict --csv, and --timeline and --no-timeline against the length', async () => {
  const { out } = await vmf(shared, 'predict', video, ...weights, '--csv', '--timeline');
  assert.match(out, /^path,startSec,endSec,rank,label,score\n(data\/test\/bow\/0\.mp4,[\d.]+,[\d.]+,1,\w+,0\.\d+\n)+$/);
  const whole = await vmf(shared, 'predict', 'long.mp4', ...weights, '--csv', '--no-timeline', '--top', '2');
  assert.match(whole.out, /\nlong\.mp4,0,8,1,\w+,0\.\d+\nlong\.mp4,0,8,2,\w+,0\.\d+\n$/);
});

test('predict: broken videos are told with their reason, the others are done, exit code 2', async () => {
  const { code, out, err } = await vmf(shared, 'predict', 'broken.mp4', video, 'none.mp4', ...weights);
  assert.equal(code, 2);
  assert.match(err, /^vmf: broken\.mp4: is plain text[^\n]*\nvmf: none\.mp4: no such file\n$/);
  assert.match(out, /^data\/test\/bow\/0\.mp4 /);
  const json = await vmf(shared, 'predict', 'broken.mp4', ...weights, '--json');
  const [answer] = JSON.parse(json.out);
  assert.deepEqual([json.code, Object.keys(answer), answer.path], [2, ['path', 'error'], 'broken.mp4']);
});

test('eval: people, JSON, CSV and page agree', async (t) => {
  const folder = temporaryFolder(t);
  const [csv, page] = [join(folder, 'rows.csv'), join(folder, 'page.html')];
  const json = await vmf(shared, 'eval', 'data', ...weights, '--json', '--csv', csv, '--report', page);
  assert.deepEqual([json.code, json.err], [0, '']);
  const result = JSON.parse(json.out);
  assert.deepEqual([result.count, result.labels, result.split, result.views], [6, labels, 'test', { clips: 1, crops: 1 }]);
  assert.equal(result.rows.length, 6);
  assert.deepEqual(Object.keys(result.rows[0]), ['name', 'label', 'predicted', 'correct', 'score', 'scores']);
  const right = result.rows.filter((row: { correct: boolean }) => row.correct).length;
  assert.deepEqual([result.correct, result.top1, result.top5], [right, right / 6, 1]);
  assert.equal(
    result.confusion.flat().reduce((a: number, b: number) => a + b),
    6,
  );
  const lines = readFileSync(csv, 'utf8').trimEnd().split('\n');
  assert.equal(lines[0], 'name,label,predicted,correct,score,score of bow,score of jump,score of wave');
  assert.deepEqual(
    lines.slice(1).map((line) => line.split(',').slice(0, 3)),
    result.rows.map((row: Record<string, string>) => [row['name'], row['label'], row['predicted']]),
  );
  const html = readFileSync(page, 'utf8');
  assert.equal(html.match(/data:image\/jpeg;base64,/g)?.length, 6 * 6, 'six frames of each of six clips');
  const text = await vmf(shared, 'eval', 'data', ...weights);
  assert.match(text.out, new RegExp(`\ntop-1 +${((100 * right) / 6).toFixed(1)} % +\\(${right} of 6; `));
  assert.deepEqual(readdirSync(folder).sort(), ['page.html', 'rows.csv']);
});

test('eval: classes that the weights do not know, and videos that cannot be read', async (t) => {
  const folder = temporaryFolder(t);
  const stored = await writeTinyWeights(join(folder, 'w.safetensors'), { labels: ['bow', 'jump'] });
  const target = join(folder, 'rows.csv');
  const data = join(shared, 'data');
  await refused(
    folder,
    ['eval', data, '--weights', stored, '--csv', target],
    /^vmf: the data has a class that the weights do not know: wave; the weights know 2: bow, jump$/m,
  );
  makeVideo(join(folder, 'data', 'test', 'bow', '0.mp4'));
  makeFile(join(folder, 'data', 'test', 'jump', '1.mp4'), '');
  await refused(folder, ['eval', 'data', '--weights', stored, '--csv', target], /^vmf: .*jump\/1\.mp4: is empty \(0 bytes\)$/m);
  assert.deepEqual(readdirSync(folder).sort(), ['data', 'w.safetensors']);
});

test('eval: a split other than the one of the training is warned of', async (t) => {
  const folder = temporaryFolder(t);
  for (const label of labels) for (const seed of [0, 1, 2]) makeVideo(join(folder, 'data', label, `${seed}.mp4`), { seed });
  const notes = { data: join(folder, 'data'), splitBy: '80/10/10 by class, seed 5' };
  await writeTinyWeights(join(folder, 'w.safetensors'), { labels, notes });
  const other = await vmf(folder, 'eval', 'data', ...weights, '--split', 'all');
  assert.match(
    other.err,
    /\nwarning: the weights were trained with the split "80\/10\/10 by class, seed 5", this is "80\/10\/10 by class, seed 0"/,
  );
  const same = await vmf(folder, 'eval', 'data', ...weights, '--seed', '5', '--split', 'test');
  assert.doesNotMatch(same.err, /warning/);
});

test('check ends with 1 when something is wrong with the data', async (t) => {
  const folder = temporaryFolder(t);
  makeVideo(join(folder, 'a', '0.mp4'));
  makeVideo(join(folder, 'b', '0.mp4'), { seed: 1 });
  makeFile(join(folder, 'b', '1.mp4'), '');
  const { code, out } = await vmf(folder, 'check', '.');
  assert.equal(code, 1);
  assert.match(out, /problem: b\/1\.mp4 \(\w+\): empty/);
});

test('Ctrl-C ends predict with 130 and a line', { skip: process.platform === 'win32' }, async () => {
  const many = new Array<string>(3000).fill(video); // also a command line of 66 kB: ONNX Runtime must not read it
  const child = start(['predict', ...many, ...weights], shared);
  const result = finished(child);
  child.stdout?.once('data', () => child.kill('SIGINT'));
  const { code, err } = await result;
  assert.deepEqual([code, err], [130, 'vmf: predict: interrupted\n']);
});

test('a reader that leaves early is no fault', async () => {
  const child = start(['info', '--layers', '--json'], shared);
  child.stdout?.destroy();
  let err = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  assert.deepEqual([code, err], [0, '']);
});
