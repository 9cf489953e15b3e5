/** Whole films from the command line: train on segments and background, tune, test, predict. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { encodeVideo } from '../src/video/encode.js';
import { readSafetensors } from '../src/weights/files.js';
import { temporaryFolder } from './smallVideos.js';
import { tinyConfig } from './support/randomWeights.js';
import { refused, vmf } from './support/vmf.js';

const root = temporaryFolder({ after });
const rate = 8;

/** What is done from second to second: nothing where undefined. */
function scheduleOf(film: number): { label: 'left' | 'right'; start: number; end: number }[] {
  return Array.from({ length: 6 }, (_, i) => {
    const start = 2 + 5 * i + ((film + i) % 3) * 0.5;
    return { label: (film + i) % 2 === 0 ? 'left' : 'right', start, end: start + 2 + ((film * i) % 2) * 0.5 };
  });
}

/** A bright patch on the left or the right while something is done. */
function* frames(film: number): Generator<Uint8Array> {
  const schedule = scheduleOf(film);
  for (let t = 0; t < 34 * rate; t++) {
    const rgb = new Uint8Array(64 * 48 * 3).fill(30 + 3 * film);
    const now = schedule.find(({ start, end }) => start <= t / rate && t / rate < end);
    const left = now?.label === 'left' ? 4 : 36;
    if (now) for (let y = 8; y < 40; y++) rgb.fill(210 - film, (y * 64 + left) * 3, (y * 64 + left + 24) * 3);
    yield rgb;
  }
}

before(() => {
  const rows = Array.from({ length: 6 }, (_, film) => {
    encodeVideo(join(root, `${film}.mp4`), { width: 64, height: 48, frameRate: rate, codec: 'h264' }, frames(film));
    const split = film < 3 ? 'train' : film < 4 ? 'val' : 'test';
    return scheduleOf(film).map(({ label, start, end }) => `${film}.mp4,${label},${start},${end},${split}`);
  });
  writeFileSync(join(root, 'films.csv'), ['path,label,start,end,split', ...rows.flat(), ''].join('\n'));
  writeFileSync(join(root, 'tiny.json'), JSON.stringify(tinyConfig()));
});

const quick = ['--threads', '1', '--workers', '1'];
const weights = ['--weights', 'run/best.safetensors'];

test('train on segments with background, tune, test whole films, predict', async () => {
  const options = ['--recipe', 'none', '--epochs', '25', '--batch', '4', '--lr', '0.005', '--no-flip', '--json', '--background'];
  const trained = await vmf(root, 'train', 'films.csv', '--out', 'run', '--config', 'tiny.json', ...options, ...quick);
  assert.equal(trained.code, 0, trained.err);
  assert.match(trained.err, /bouts chosen on 1 validation film: begin at /);
  assert.ok((await readSafetensors(join(root, 'run', 'best.safetensors'))).metadata['bouts']);

  const tuned = await vmf(root, 'eval', 'films.csv', ...weights, '--films', '--tune', '--json', ...quick);
  assert.equal(tuned.code, 0, tuned.err);
  const { bouts } = JSON.parse(tuned.out);
  assert.equal(bouts.fittedOn.split, 'val');
  assert.equal(bouts.background, 'background');
  assert.ok(bouts.fittedOn.f1 >= bouts.fittedOn.f1Before);
  const stored = await readSafetensors(join(root, 'run', 'best.safetensors'));
  assert.deepEqual(JSON.parse(stored.metadata['bouts'] ?? ''), bouts);

  const outputs = ['--predictions', 'found.csv', '--report', 'films.html', '--json'];
  const tested = await vmf(root, 'eval', 'films.csv', ...weights, '--films', ...outputs, ...quick);
  assert.equal(tested.code, 0, tested.err);
  const result = JSON.parse(tested.out);
  assert.deepEqual([result.films, result.truthSegments, result.map.length, result.f1.length], [2, 12, 5, 3]);
  assert.ok(result.f1[2].value > 0.8, `segment F1 at a half: ${result.f1[2].value}`);
  assert.ok(result.withBackground.accuracy > 0.7, `frame accuracy with background: ${result.withBackground.accuracy}`);
  const { on, off, smoothSec, minDurationSec, bridgeSec } = bouts;
  assert.deepEqual(result.bouts, { smoothSec, on, off, minDurationSec, bridgeSec });
  const predicted = result.rows.flatMap(({ predicted }: { predicted: { startsIn: number[]; label: string }[] }) => predicted);
  assert.ok(predicted.every(({ startsIn, label }: (typeof predicted)[0]) => startsIn.length === 2 && label !== 'background'));
  const [header, ...lines] = readFileSync(join(root, 'found.csv'), 'utf8').trimEnd().split('\n');
  assert.match(header ?? '', /^path,label,start,end/);
  assert.equal(lines.length, predicted.length);
  assert.match(
    readFileSync(join(root, 'films.html'), 'utf8'),
    /<svg[^>]*aria-label="4\.mp4 from 0:00 to 0:34, truth and timeline"/,
  );

  const text = await vmf(root, 'eval', 'films.csv', ...weights, '--films', ...quick);
  assert.match(text.out, /2 films of 1:08 with 12 segments, \d+ found .* bouts as chosen on 1 film of split val/);
  const timeline = await vmf(root, 'predict', '4.mp4', ...weights, '--timeline', ...quick);
  assert.match(timeline.out, / s to +[\d.]+ s +[\d.]+ % +(left|right) +\(edges within [\d.]+ s and [\d.]+ s\)/);
  assert.doesNotMatch(timeline.out, /background/);
});

test('contradictory options are refused in one line', async () => {
  const bad: [string[], RegExp][] = [
    [['--tune', '--split', 'test'], /--tune: nothing is chosen on test films/],
    [['--predictions', 'x.csv'], /--predictions: is about whole films; add --films/],
    [['--films', '--csv', 'x.csv'], /--csv: is of segments; with --films use --predictions FILE/],
    [['--films', '--tuned-out', 'x.safetensors'], /--tuned-out: says where --tune writes; add --tune/],
  ];
  for (const [args, message] of bad) await refused(root, ['eval', 'films.csv', '--weights', 'none', ...args], message);
});
