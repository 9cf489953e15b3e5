/** `vmf explain`: files, numbers, refusals. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { DatasetExplanation } from '../src/explain/explainDataset.js';
import type { VideoExplanation } from '../src/explain/explainVideo.js';
import { explainVideo } from '../src/index.js';
import { VideoPool } from '../src/video/pool.js';
import { checkpointFile } from '../src/weights/checkpoint.js';
import { writeSafetensors } from '../src/weights/files.js';
import { makeFile, makeVideo, temporaryFolder } from './smallVideos.js';
import { tinyCheckpoint, writeTinyWeights } from './support/randomWeights.js';
import { refused, vmf } from './support/vmf.js';

const labels = ['bow', 'jump', 'wave'];
const weights = ['--weights', 'w.safetensors'];
const shared = temporaryFolder({ after });

before(async () => {
  await writeTinyWeights(join(shared, 'w.safetensors'), { labels });
  makeVideo(join(shared, 'film.mp4'), { width: 96, height: 48 });
  labels.forEach((label, i) => {
    for (const seed of [0, 1]) makeVideo(join(shared, 'data', 'test', label, `${seed}.mp4`), { seed: 2 * i + seed });
  });
});

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const near = (got: number, expected: number, what: string) => assert.ok(Math.abs(got - expected) < 1e-3, `${what}: ${got}`);

function pngSize(path: string): [number, number] {
  const bytes = readFileSync(path);
  assert.equal(bytes.toString('latin1', 1, 4), 'PNG', path);
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
}

test('a video: pictures, film and numbers in a folder named after it', async () => {
  const { code, out, err } = await vmf(shared, 'explain', 'film.mp4', ...weights, '--blocks', '--json');
  assert.deepEqual([code, err], [0, '']);
  const folder = join(shared, 'film.explain');
  const places = ['blocks.1', 'blocks.2', 'blocks.3', 'bridge'];
  const names = ['attention.mp4', 'attention.png', ...places.map((name) => `${name}.png`), 'explain.json'];
  assert.deepEqual(readdirSync(folder).sort(), names.sort());
  const printed = JSON.parse(out) as VideoExplanation;
  assert.deepEqual(JSON.parse(readFileSync(join(folder, 'explain.json'), 'utf8')), printed);
  checkNumbers(printed, places);
  const answer = JSON.parse((await vmf(shared, 'predict', 'film.mp4', ...weights, '--json', '--no-timeline')).out)[0];
  const scores = new Map<string, number>(
    answer.predictions.map(({ label, score }: { label: string; score: number }) => [label, score]),
  );
  for (const { label, score } of printed.predictions) near(scores.get(label) ?? -1, score, `as predict says of ${label}`);
  const [width, height] = pngSize(join(folder, 'attention.png'));
  assert.ok(width > 800 && height > 4 * 150, `${width} x ${height}: frames, the bridge, two tokens`);
  assert.ok(pngSize(join(folder, 'bridge.png'))[1] < pngSize(join(folder, 'blocks.3.png'))[1], 'one token, two tokens');
  await checkFilm(join(folder, 'attention.mp4'));
});

function checkNumbers(
  { tokens, places, timesSec, labels: named, leastOverlap }: VideoExplanation,
  names: readonly string[],
): void {
  assert.deepEqual(named, labels);
  assert.deepEqual([timesSec.length, tokens.length], [4, 2]);
  assert.deepEqual(
    places.map(({ name, attention }) => [name, attention.length]),
    names.map((name) => [name, name === 'bridge' ? 1 : 2]),
  );
  for (const { inBlocks, inBridge, token, blind } of tokens) {
    near(sum(inBlocks?.timeShare ?? []), 1, `token ${token}, time`);
    assert.equal(inBridge !== undefined, token === 0);
    near(sum(blind.evidence), 0, `token ${token}, evidence`);
    assert.equal(blind.supports.evidence, Math.max(...blind.evidence));
    assert.equal(blind.suppresses.evidence, Math.min(...blind.evidence));
  }
  for (const { attention, name } of places) for (const { timeShare } of attention) near(sum(timeShare), 1, name);
  assert.ok(leastOverlap > 0 && leastOverlap <= 1);
}

async function checkFilm(path: string): Promise<void> {
  const pool = new VideoPool({ size: 1 });
  try {
    const { info, strip } = await pool.decode(path, { times: { evenly: 2 }, size: { shortSide: 10_000 } });
    assert.deepEqual([info.frameCount, info.codec], [80, 'h264']);
    near(info.durationSec, 4, 'seconds');
    const half = strip.rgb.length / 2;
    let changed = 0;
    for (let i = 0; i < half; i++) if (Math.abs((strip.rgb[i] ?? 0) - (strip.rgb[half + i] ?? 0)) > 40) changed++;
    assert.ok(changed > half / 200, `the film moves: ${changed} of ${half} values change`);
  } finally {
    await pool.close();
  }
}

test('text says the answer, what becomes of it, and what was written; other files in the folder stay', async (t) => {
  const folder = temporaryFolder(t);
  makeFile(join(folder, 'notes.txt'), 'mine');
  const args = ['explain', 'film.mp4', ...weights, '--out', folder, '--no-video'];
  const { code, out } = await vmf(shared, ...args);
  assert.equal(code, 0);
  assert.match(out, /^film\.mp4: (bow|jump|wave) \d+ %, with w\.safetensors \(tiny\)\n/);
  assert.match(out, /\ntoken 1 .*(bow|jump|wave)/);
  assert.match(out, /\nbridge .*token 0 alone/);
  assert.deepEqual(readdirSync(folder).sort(), ['attention.png', 'explain.json', 'notes.txt']);
  await refused(shared, args, /attention\.png: is there already; use --force/);
  assert.equal((await vmf(shared, ...args, '--force', '--blind', 'nothing')).code, 0);
  assert.equal(JSON.parse(readFileSync(join(folder, 'explain.json'), 'utf8')).blindness, 'nothing');
  assert.equal(readFileSync(join(folder, 'notes.txt'), 'utf8'), 'mine');
});

test('a data set: a row a class, counts that add up, JSON with errors of the means', async (t) => {
  const folder = join(temporaryFolder(t), 'set');
  const { code, out } = await vmf(shared, 'explain', 'data', ...weights, '--json', '--out', folder);
  assert.equal(code, 0);
  const found = JSON.parse(out) as DatasetExplanation;
  assert.deepEqual(
    found.subjects.map(({ name }) => name),
    ['token 0', 'token 1', 'bridge'],
  );
  assert.deepEqual([found.count, found.classes.map(({ label }) => label)], [6, labels]);
  for (const { count, effects, driver } of found.classes) {
    assert.deepEqual([count, driver], [2, undefined], 'two clips drive nothing');
    for (const { lower, lost, gained, standardError } of effects)
      assert.ok(lower <= 2 && lost + gained <= 2 && standardError >= 0);
    assert.ok(sum(effects.slice(0, 2).map(({ leads }) => leads)) <= 2);
  }
  for (const [i, { top1, timeShare }] of found.subjects.entries()) {
    const change = sum(found.classes.map(({ effects }) => (effects[i]?.gained ?? 0) - (effects[i]?.lost ?? 0)));
    near(top1, found.top1 + change / 6, 'top-1 when blind');
    near(sum(timeShare ?? []), 1, 'time');
  }
  assert.deepEqual(readdirSync(folder), ['explain.json']);
  const text = await vmf(shared, 'explain', 'data', ...weights, '--blocks');
  assert.equal(text.code, 0);
  assert.match(text.out, /^data, split test, 6 clips with w\.safetensors \(tiny\): top-1 \d/);
  assert.match(text.out, /\nblocks\.3 /);
  assert.equal(existsSync(join(shared, 'data.explain')), false, 'without --out nothing is written');
});

test('refusals: one line, before anything is written', async (t) => {
  const empty = temporaryFolder(t);
  const w = join(shared, 'w.safetensors');
  const film = join(shared, 'film.mp4');
  const checkpoint = tinyCheckpoint({ labels });
  const causal = { ...checkpoint, config: { ...checkpoint.config, causal: true } };
  await writeSafetensors(join(shared, 'causal.safetensors'), checkpointFile(causal));
  await refused(
    empty,
    ['explain', film, '--weights', join(shared, 'causal.safetensors')],
    /is causal: each frame has tokens of its own/,
  );
  const onnx = join(shared, 'model.onnx');
  assert.equal((await vmf(shared, 'export', ...weights, '--onnx', onnx)).code, 0);
  await refused(empty, ['explain', film, '--weights', onnx], /an ONNX model cannot be looked into; expected the weights/);
  await refused(empty, ['explain', 'none.mp4', '--weights', w], /none\.mp4/);
  await refused(empty, ['explain', film, '--weights', w, '--split', 'val'], /is a video; --split is for data sets/);
  await refused(empty, ['explain', film, '--weights', w, '--out', join(empty, 'a', 'b')], /there is no folder/);
  await refused(empty, ['explain', film, '--weights', w, '--blind', 'dark'], /Allowed choices are average, nothing/);
  await refused(empty, ['explain', join(shared, 'data'), '--weights', w, '--out', film], /is a file; expected a folder/);
  const other = join(empty, 'other');
  for (const label of ['swim', 'bow']) makeVideo(join(other, 'test', label, '0.mp4'));
  await refused(empty, ['explain', other, '--weights', w], /labels that the weights do not know: swim/);
  assert.deepEqual(readdirSync(empty), ['other']);
});

test('from code: numbers without files, an aborted signal ends it', async () => {
  const [video, file] = [join(shared, 'film.mp4'), join(shared, 'w.safetensors')];
  const explanation = await explainVideo(file, video);
  assert.deepEqual([explanation.files, explanation.tokens.length], [[], 2]);
  const folder = join(shared, 'aborted');
  mkdirSync(folder);
  const signal = AbortSignal.abort(new Error('enough'));
  await assert.rejects(explainVideo(file, video, { out: folder, signal }), /enough/);
  assert.deepEqual(readdirSync(folder), []);
});
