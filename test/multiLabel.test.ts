/** Several labels at once from the command line: train, test, predict, export. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readOnnxMetadata } from '../src/graph/onnxMetadata.js';
import { encodeVideo } from '../src/video/encode.js';
import { readSafetensors } from '../src/weights/files.js';
import { temporaryFolder } from './smallVideos.js';
import { tinyConfig } from './support/randomWeights.js';
import { refused, vmf } from './support/vmf.js';

const root = temporaryFolder({ after });
const sets = [[], ['left'], ['right'], ['left', 'right']] as const;

/** A bright patch on the left, on the right, on both sides or on none. */
function* frames(labels: readonly string[], seed: number): Generator<Uint8Array> {
  for (let t = 0; t < 8; t++) {
    const rgb = new Uint8Array(64 * 48 * 3).fill(30 + seed);
    for (const [label, left] of Object.entries({ left: 4, right: 36 })) {
      if (!labels.includes(label)) continue;
      for (let y = 8; y < 40; y++) rgb.fill(210 - seed, (y * 64 + left) * 3, (y * 64 + left + 24) * 3);
    }
    yield rgb;
  }
}

before(() => {
  const rows = Array.from({ length: 64 }, (_, i) => {
    const labels = sets[i % 4] ?? [];
    const split = i < 24 ? 'train' : i < 48 ? 'val' : 'test';
    encodeVideo(join(root, `${i}.mp4`), { width: 64, height: 48, frameRate: 8, codec: 'h264' }, frames(labels, i));
    return { path: `${i}.mp4`, labels, split };
  });
  writeFileSync(join(root, 'list.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  writeFileSync(join(root, 'tiny.json'), JSON.stringify(tinyConfig()));
});

const quick = ['--threads', '1', '--workers', '1'];
const weights = ['--weights', 'run/best.safetensors'];

test('train, test, predict and export with several labels at once', async () => {
  const options = ['--recipe', 'none', '--epochs', '30', '--batch', '4', '--lr', '0.005', '--no-flip', '--json'];
  const trained = await vmf(root, 'train', 'list.jsonl', '--out', 'run', '--config', 'tiny.json', ...options, ...quick);
  assert.equal(trained.code, 0, trained.err);
  assert.match(trained.err, /note: several labels at once \(the data have sets of labels\): 1\.00 a video, most 2; 16 videos/);
  assert.match(trained.err, /epoch 1: loss [\d.]+, F1 [\d.]+ %, val loss [\d.]+, val mAP [\d.]+ %/);
  const { bestMap, bestTop1, epochs } = JSON.parse(trained.out);
  assert.ok(bestMap > 0.9, `mAP ${bestMap}`);
  assert.equal(bestTop1, undefined);
  assert.equal(bestMap, Math.max(...epochs.map(({ valMap }: { valMap: number }) => valMap)));
  const stored = await readSafetensors(join(root, 'run', 'best.safetensors'));
  assert.equal(stored.metadata['multiLabel'], 'true');

  const tested = await vmf(root, 'eval', 'list.jsonl', ...weights, '--json', ...quick);
  assert.equal(tested.code, 0, tested.err);
  const { map, microF1, perClass, rows } = JSON.parse(tested.out);
  assert.ok(map > 0.9 && microF1 > 0.8, `mAP ${map}, F1 ${microF1}`);
  assert.deepEqual(perClass.map(({ label, count }: { label: string; count: number }) => [label, count]), [['left', 8], ['right', 8]]); // biome-ignore format: pairs
  const text = await vmf(root, 'eval', 'list.jsonl', ...weights, ...quick);
  assert.match(text.out, /mAP +[\d.]+ % +\(mean average precision of 2 classes that happen, 16 videos\)/);

  const videos = rows.map(({ name }: { name: string }) => name);
  const answers = await vmf(root, 'predict', ...videos, ...weights, '--json', '--no-timeline', ...quick);
  const found = JSON.parse(answers.out) as { labels: string[] }[];
  assert.deepEqual(found.map(({ labels }) => [...labels].sort()), rows.map(({ predicted }: { predicted: string[] }) => predicted)); // biome-ignore format: pairs
  const all = await vmf(root, 'predict', '48.mp4', ...weights, '--threshold', '1', '--no-timeline', ...quick);
  assert.match(all.out, /48\.mp4 {2}\(1\.00 s\)\n {2}nothing \(best: (left|right) 0\.\d\d\)\n$/);

  const exported = await vmf(root, 'export', ...weights, '--onnx', 'model.onnx');
  assert.equal(exported.code, 0, exported.err);
  const metadata = readOnnxMetadata(readFileSync(join(root, 'model.onnx'))) ?? {};
  assert.equal(metadata['multiLabel'], 'true');
  assert.match(metadata['output'] ?? '', /sigmoid/);
  const same = await vmf(root, 'predict', ...videos, '--weights', 'model.onnx', '--json', '--no-timeline', ...quick);
  assert.deepEqual(JSON.parse(same.out).map(({ labels }: { labels: string[] }) => labels), found.map(({ labels }) => labels)); // biome-ignore format: pairs
});

test('a linear probe, and fine-tuning that starts from one and ends with an average', async () => {
  const base = await vmf(
    root,
    'train',
    'list.jsonl',
    '--baseline',
    '--out',
    'probe',
    '--config',
    'tiny.json',
    '--json',
    ...quick,
  );
  assert.equal(base.code, 0, base.err);
  const { foreseen, chanceMap, bestMap } = JSON.parse(base.out);
  assert.equal(chanceMap, 0.5);
  assert.ok(foreseen.map > 0.8 && bestMap > 0.8 && foreseen.offsets.length === 2, `mAP ${foreseen.map} foreseen, ${bestMap}`);
  const options = ['--init', 'run/best.safetensors', '--epochs', '2', '--json', ...quick];
  const tuned = await vmf(root, 'train', 'list.jsonl', '--out', 'tuned', ...options);
  assert.equal(tuned.code, 0, tuned.err);
  assert.match(tuned.err, /first answer after \d+ s, .*: mAP [\d.]+ % of 24 training videos/);
  const summary = JSON.parse(tuned.out);
  assert.equal(summary.candidates[0].tunedShare, 0);
  assert.ok(summary.bestMap >= summary.candidates[0].map);
  assert.equal((await readSafetensors(join(root, 'tuned', 'best.safetensors'))).metadata['multiLabel'], 'true');
});

test('a report of a run, and of a test, has average precision and F1 by class', async () => {
  const report = await vmf(root, 'report', 'run', '--json', ...quick);
  assert.equal(report.code, 0, report.err);
  const [{ result }] = JSON.parse(report.out).runs;
  assert.ok(result.map > 0.9);
  const page = readFileSync(join(root, 'run', 'report.html'), 'utf8');
  assert.match(page, /<dt>mAP<\/dt>/);
  assert.match(page, /F1 in training, mAP in validation/);
  assert.ok(!page.includes('Confusion matrix') && !page.includes('NaN'));
  const tested = await vmf(root, 'eval', 'list.jsonl', ...weights, '--report', 'tested.html', ...quick);
  assert.equal(tested.code, 0, tested.err);
  assert.match(readFileSync(join(root, 'tested.html'), 'utf8'), /Average precision/);
  const explained = await vmf(root, 'explain', '3.mp4', ...weights, '--json');
  assert.equal(explained.code, 0, explained.err);
  const { predictions } = JSON.parse(explained.out);
  assert.ok(predictions[0].score + predictions[1].score > 1.01, 'sigmoids of a clip with both');
});

test('what several labels at once do not go with is refused by name', async () => {
  const train = (...more: string[]) => ['train', 'list.jsonl', '--out', 'refused', '--config', 'tiny.json', ...more, ...quick];
  const noted = /note: several/;
  for (const [more, reason] of [
    [['--teacher', 'run/best.safetensors'], /--teacher: a teacher's answers are of one class/],
    [['--unlabelled', '.'], /--unlabelled: pseudo-labels are of one class/],
    [['--folds', '2'], /folds test one label a clip, and these have several at once/],
    [['--labels', 'one'], /list\.jsonl:1: --labels one: expected one label of 0\.mp4, got none/],
  ] as const) {
    const { code, err } = await vmf(root, ...train(...more));
    assert.equal(code, 2);
    assert.match(err.replace(noted, ''), reason);
  }
  await refused(
    root,
    ['predict', '0.mp4', ...weights, '--reject-threshold', '0.5'],
    /rejectThreshold: is for weights of one label/,
  );
});
