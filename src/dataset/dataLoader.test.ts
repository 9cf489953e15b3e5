import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeFile, makeVideo, temporaryFolder } from '../../test/smallVideos.js';
import { takeClips } from '../clip/clipTensor.js';
import { makePreprocess } from '../clip/preprocess.js';
import { DatasetError, VideoError } from '../errors.js';
import { type BatchOptions, type BatchVideo, type ClipBatch, DataLoader, type DataLoaderOptions } from './dataLoader.js';

const preprocess = makePreprocess({ frames: 4, height: 24, width: 24, resize: 'crop' });
const clipLength = 4 * 3 * 24 * 24;

function videosIn(folder: string, bad: readonly number[] = []): BatchVideo[] {
  return Array.from({ length: 12 }, (_, i) => {
    const name = `${i}.mp4`;
    const path = join(folder, name);
    if (bad.includes(i)) makeFile(path, 'this is no video');
    else makeVideo(path, { seed: i, frames: 10 + i });
    return { path, name, labelIndex: i % 3 };
  });
}

function loaderFor(t: TestContext, options: Partial<DataLoaderOptions> = {}): DataLoader {
  const loader = new DataLoader({ preprocess, workers: 2, cacheFolder: false, ...options });
  t.after(() => loader.close());
  return loader;
}

async function all(loader: DataLoader, videos: readonly BatchVideo[], options: BatchOptions): Promise<ClipBatch[]> {
  const batches: ClipBatch[] = [];
  for await (const batch of loader.batches(videos, options)) batches.push(batch);
  return batches;
}

const training: BatchOptions = { batch: 5, train: true, epoch: 2, seed: 7 };

test('an epoch is the same for one worker and two, from video, memory and disk; another epoch is another', async (t) => {
  const folder = temporaryFolder(t);
  const videos = videosIn(folder);
  const cacheFolder = join(folder, 'cache');
  const one = loaderFor(t, { workers: 1 });
  const fresh = await all(one, videos, training);
  const remembered = await all(one, videos, training);
  assert.deepEqual(one.dataset.stats, { fromMemory: 12, fromDisk: 0, decoded: 12, damaged: 0 });
  await all(loaderFor(t, { cacheFolder }), videos, training);
  const second = loaderFor(t, { cacheFolder });
  const fromDisk = await all(second, videos, training);
  assert.deepEqual(second.dataset.stats, { fromMemory: 0, fromDisk: 12, decoded: 0, damaged: 0 });
  assert.deepEqual(remembered, fresh);
  assert.deepEqual(fromDisk, fresh);
  assert.notDeepEqual(await all(one, videos, { ...training, epoch: 3 }), fresh);
  assert.notDeepEqual(await all(one, videos, { ...training, seed: 8 }), fresh);
});

test('training batches are full, labelled, and take each video once', async (t) => {
  const folder = temporaryFolder(t);
  const videos = videosIn(folder);
  const loader = loaderFor(t);
  const batches = await all(loader, videos, training);
  assert.deepEqual(
    batches.map(({ number, clips }) => [number, clips.count, clips.data.length]),
    [0, 1].map((number) => [number, 5, 5 * clipLength]),
  );
  const seen = batches.flatMap((batch) => [...batch.videos]);
  assert.equal(new Set(seen).size, 10);
  for (const batch of batches) {
    batch.videos.forEach((video, b) => {
      assert.equal(batch.labels[b], videos[video]?.labelIndex);
    });
  }
  const [first] = batches;
  const clip = await loader.dataset.clip(videos[first?.videos[3] ?? -1] as BatchVideo, {
    mode: 'train',
    keys: [7, 'clip', 2, first?.videos[3] ?? -1, 0],
  });
  assert.deepEqual(takeClips((first as ClipBatch).clips, 3, 1), clip);
  const kept = await all(loader, videos, { ...training, dropLast: false });
  assert.deepEqual(
    kept.map(({ clips }) => clips.count),
    [5, 5, 2],
  );
});

test('an unreadable training video is left out, reported once, and the batches stay full', async (t) => {
  const videos = videosIn(temporaryFolder(t), [3, 8]);
  const reported: string[] = [];
  const onLeftOut = (video: BatchVideo, reason: Error) => reported.push(`${video.name}: ${reason.message}`);
  const options = { maxBadShare: 0.2, onLeftOut };
  const loader = loaderFor(t, options);
  assert.equal(loader.batchCount(videos, { batch: 5 }), 2);
  const batches = await all(loader, videos, training);
  assert.deepEqual(
    batches.map(({ clips }) => clips.count),
    [5, 5],
  );
  const seen = batches.flatMap((batch) => [...batch.videos]).sort((a, b) => a - b);
  assert.deepEqual(seen, [0, 1, 2, 4, 5, 6, 7, 9, 10, 11]);
  assert.equal(loader.batchCount(videos, { batch: 3 }), 3);
  assert.deepEqual(await all(loaderFor(t, { ...options, workers: 1 }), videos, training), batches);
  await all(loader, videos, { ...training, epoch: 3 });
  assert.deepEqual(loader.leftOut.map(({ path }) => path).sort(), [videos[3]?.path, videos[8]?.path].sort());
  assert.deepEqual(reported.map((line) => line.split(':')[0]).sort(), ['3.mp4', '3.mp4', '8.mp4', '8.mp4']);
  assert.match(reported[0] ?? '', /is plain text, not a video/);
});

test('an epoch taken up in the middle goes on exactly, also past videos that were left out', async (t) => {
  const videos = videosIn(temporaryFolder(t), [1]);
  const options = { maxBadShare: 0.2 };
  const batches = await all(loaderFor(t, options), videos, { ...training, batch: 3 });
  assert.equal(batches.length, 3);
  for (const firstBatch of [1, 2, 3]) {
    const resumed = await all(loaderFor(t, options), videos, { ...training, batch: 3, firstBatch });
    assert.deepEqual(resumed, batches.slice(firstBatch));
  }
});

test('too many unreadable videos end training; a batch that cannot be filled is said', async (t) => {
  const videos = videosIn(temporaryFolder(t), [1, 2]);
  const strict = loaderFor(t, { maxBadShare: 0.1 });
  await assert.rejects(all(strict, videos, training), (error: Error) => {
    assert.ok(error instanceof DatasetError);
    return /2 of 12 training videos cannot be read, more than 10 %; .*mp4: is plain text/.test(error.message);
  });
  const lenient = loaderFor(t, { maxBadShare: 0.5 });
  await assert.rejects(all(lenient, videos, { ...training, batch: 11 }), /10 training videos do not fill a batch of 11/);
  assert.throws(() => lenient.batches(videos, { ...training, batch: 0 }), /batch: expected a whole number from 1, got 0/);
});

test('preparing finds what is unreadable before training and the length of the clips', async (t) => {
  const videos = videosIn(temporaryFolder(t), [5]);
  const loader = loaderFor(t, { maxBadShare: 0.2 });
  let last = 0;
  const prepared = await loader.prepare(videos, { onProgress: (done) => assert.equal(done, ++last) });
  assert.deepEqual([prepared.usable, prepared.leftOut, last], [11, 1, 12]);
  assert.ok(Math.abs(prepared.medianSec - 16 / 12) < 0.1, `${prepared.medianSec}`);
  assert.equal(loader.batchCount(videos, { batch: 4 }), 2);
  await all(loader, videos, { ...training, dropLast: false });
  assert.deepEqual(loader.dataset.stats, { fromMemory: 11, fromDisk: 0, decoded: 11, damaged: 0 });
});

test('testing takes every video in order, the last batch as it is, and all views of a video one after another', async (t) => {
  const videos = videosIn(temporaryFolder(t)).slice(0, 3);
  const loader = loaderFor(t);
  const options: BatchOptions = { batch: 4, train: false, clips: 2, crops: 3 };
  const batches = await all(loader, videos, options);
  assert.deepEqual(
    batches.map((batch) => [...batch.videos]),
    [
      [0, 0, 0, 0],
      [0, 0, 1, 1],
      [1, 1, 1, 1],
      [2, 2, 2, 2],
      [2, 2],
    ],
  );
  assert.deepEqual(
    batches.flatMap((batch) => [...batch.views]),
    [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5],
  );
  assert.equal(loader.dataset.stats.decoded, 3);
  assert.deepEqual(await all(loader, videos, { ...options, firstBatch: 2 }), batches.slice(2));
  const both = await loader.dataset.clips(videos[0] as BatchVideo, [
    { mode: 'test', clip: 1, clips: 2, crop: 0, crops: 3 },
    { mode: 'test', clip: 1, clips: 2 },
  ]);
  const centre = await loader.dataset.clip(videos[0] as BatchVideo, { mode: 'test', clip: 1, clips: 2, crop: 1, crops: 3 });
  assert.deepEqual(takeClips(both, 1, 1), centre);
});

test('in testing nothing is left out: the first unreadable video is the error', async (t) => {
  const videos = videosIn(temporaryFolder(t), [4]);
  const loader = loaderFor(t, { maxBadShare: 1 });
  await assert.rejects(all(loader, videos, { batch: 3, train: false }), (error: Error) => {
    assert.ok(error instanceof VideoError);
    return error.message === `${videos[4]?.path}: is plain text, not a video`;
  });
  assert.equal(loader.leftOut.length, 0);
  await assert.rejects(loader.dataset.clip({ path: '/no/such.mp4' }, { mode: 'test' }), /\/no\/such\.mp4: no such file/);
});

test('changed files and damaged cache entries are decoded again; a cache that cannot be written costs a warning', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'a.mp4');
  const cacheFolder = join(folder, 'cache');
  makeVideo(path, { seed: 1 });
  const load = async (options: Partial<DataLoaderOptions> = {}) => {
    const loader = loaderFor(t, { cacheFolder, workers: 1, ...options });
    const clip = await loader.dataset.clip({ path }, { mode: 'test' });
    return { clip, stats: loader.dataset.stats };
  };
  const first = await load();
  const entries = () =>
    readdirSync(cacheFolder, { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.strip'));
  assert.equal(entries().length, 1);
  writeFileSync(join(cacheFolder, entries()[0] ?? ''), 'VMFSTRP1 and then nothing');
  const mended = await load();
  assert.deepEqual(mended, { clip: first.clip, stats: { fromMemory: 0, fromDisk: 0, decoded: 1, damaged: 1 } });
  assert.equal((await load()).stats.fromDisk, 1);
  makeVideo(path, { seed: 2, frames: 30 });
  const changed = await load();
  assert.equal(changed.stats.decoded, 1);
  assert.notDeepEqual(changed.clip, first.clip);
  const warnings: string[] = [];
  const blocked = await load({ cacheFolder: path, onWarning: (message) => warnings.push(message) });
  assert.deepEqual(blocked.clip, changed.clip);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /^clips are not cached on disk any more: ENOTDIR/);
});

test('a video too short to begin where asked is used whole, and that is said', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'short.mp4');
  makeVideo(path, { frames: 5 });
  const warnings: string[] = [];
  const late = makePreprocess({ frames: 4, height: 24, width: 24, resize: 'crop', startSec: 3 });
  const loader = loaderFor(t, { preprocess: late, onWarning: (message) => warnings.push(message) });
  const clip = await loader.dataset.clip({ path }, { mode: 'test' });
  const whole = await loaderFor(t).dataset.clip({ path }, { mode: 'test' });
  assert.deepEqual(clip, whole);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /short\.mp4: lasts 0\.42 s, too short to begin at 3 s; all of it is used/);
});

test('aborting ends the iteration with the reason', async (t) => {
  const videos = videosIn(temporaryFolder(t));
  const loader = loaderFor(t);
  const stop = new AbortController();
  const loop = async () => {
    for await (const _ of loader.batches(videos, { batch: 2, train: true, signal: stop.signal })) stop.abort(new Error('Ctrl-C'));
  };
  await assert.rejects(loop, /Ctrl-C/);
});
