import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeFile, makeVideo, temporaryFolder } from '../../test/smallVideos.js';
import { tinyCheckpoint } from '../../test/support/randomWeights.js';
import { evaluateDataset, type TestVideo } from './evaluate.js';
import { openRecogniser } from './fileRecogniser.js';
import type { Recogniser } from './recogniser.js';

const labels = ['wave', 'jump', 'bow'];

async function tiny(t: TestContext): Promise<Recogniser> {
  const recogniser = await openRecogniser(tinyCheckpoint({ labels }), { threads: 1, workers: 1 });
  t.after(() => recogniser.close());
  return recogniser;
}

function made(t: TestContext, videoLabels: readonly string[]): TestVideo[] {
  const root = temporaryFolder(t);
  return videoLabels.map((label, seed) => {
    const name = `${label}/${seed}.mp4`;
    makeVideo(join(root, name), { seed });
    return { path: join(root, name), name, label };
  });
}

test('labels are matched by name: true labels made of the predictions give all right, others wrong', async (t) => {
  const recogniser = await tiny(t);
  const videos = made(t, ['bow', 'bow', 'jump', 'wave', 'bow']);
  const done: number[] = [];
  const first = await evaluateDataset(recogniser, videos, { onProgress: (count, of) => done.push(count, of) });
  assert.deepEqual(done, [1, 5, 2, 5, 3, 5, 4, 5, 5, 5]);
  assert.deepEqual(
    first.rows.map(({ name, label }) => [name, label]),
    videos.map(({ name, label }) => [name, label]),
  );
  const predicted = first.rows.map((row) => row.predicted);
  const right = await evaluateDataset(
    recogniser,
    videos.map((video, i) => ({ ...video, label: predicted[i] ?? '' })),
  );
  assert.equal(right.metrics.top1, 1);
  assert.ok(right.rows.every(({ correct }) => correct));
  const next = (label: string) => labels[(labels.indexOf(label) + 1) % 3] ?? '';
  const wrong = await evaluateDataset(
    recogniser,
    videos.map((video, i) => ({ ...video, label: next(predicted[i] ?? '') })),
  );
  assert.equal(wrong.metrics.top1, 0);
  const [row] = wrong.rows;
  const [truth, taken] = [row?.label ?? '', row?.predicted ?? ''].map((label) => labels.indexOf(label));
  assert.ok(
    (wrong.metrics.confusion[truth ?? -1]?.[taken ?? -1] ?? 0) > 0,
    'rows of the confusion matrix are the weights’ labels',
  );
  assert.equal(row?.score, Math.max(...(row?.scores ?? [])));
});

test('more views, other scores, as recognising gives them', async (t) => {
  const recogniser = await tiny(t);
  const [video] = made(t, ['bow']);
  assert.ok(video);
  const { rows } = await evaluateDataset(recogniser, [video], { clips: 2, crops: 3 });
  assert.deepEqual(rows[0]?.scores, (await recogniser.recognise(video.path, { clips: 2, crops: 3 })).scores);
  assert.notDeepEqual(rows[0]?.scores, (await recogniser.recognise(video.path)).scores);
});

test('labels that the weights do not know are refused before anything is read', async (t) => {
  const recogniser = await tiny(t);
  const video = (label: string) => ({ path: '/no/such/video.mp4', name: 'video.mp4', label });
  await assert.rejects(
    evaluateDataset(recogniser, ['wave', 'clap', 'clap', 'nod'].map(video)),
    /^DatasetError: the data has 2 classes that the weights do not know: clap, nod; the weights know 3: wave, jump, bow$/,
  );
  await assert.rejects(evaluateDataset(recogniser, [video('Wave')]), /the data has a class that the weights do not know: Wave;/);
});

test('a video that cannot be read ends the test and is named; nothing takes its place', async (t) => {
  const recogniser = await tiny(t);
  const videos = made(t, ['bow', 'jump', 'wave']);
  makeFile(videos[1]?.path ?? '', '');
  await assert.rejects(evaluateDataset(recogniser, videos), /^VideoError: .*jump\/1\.mp4: is empty \(0 bytes\)$/);
});

test('no videos are no test', async (t) => {
  await assert.rejects(evaluateDataset(await tiny(t), []), /^ConfigError: no clips to compute an accuracy of/);
});
