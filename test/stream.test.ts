/** Streams end to end: files, HTTP, RTSP; same scores as clips; overload is dropped and counted. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decodeSize } from '../src/clip/clipShape.js';
import { type ClipTensor, clipsFrom, emptyClips, frameOf } from '../src/clip/clipTensor.js';
import { clipToTensor } from '../src/clip/clipToTensor.js';
import { testTransform } from '../src/clip/crop.js';
import { Inference } from '../src/inference/inference.js';
import { softmax } from '../src/metrics/softmax.js';
import { nodePlatform } from '../src/node/platform.js';
import { openStream, type StreamOptions, type StreamResult } from '../src/stream/openStream.js';
import { StreamRecogniser } from '../src/stream/streamRecogniser.js';
import { findFfmpeg } from '../src/video/ffmpegTools.js';
import { readFrames, type SourceFrame } from '../src/video/frameSource.js';
import { sourceAddress } from '../src/video/sourceAddress.js';
import type { Checkpoint } from '../src/weights/checkpoint.js';
import { makeVideo, temporaryFolder } from './smallVideos.js';
import { tinyCheckpoint, writeTinyWeights } from './support/randomWeights.js';
import { rtspServer } from './support/rtspServer.js';

const noFfmpeg = typeof findFfmpeg() === 'string' ? 'no ffmpeg here' : false;

interface Made {
  readonly folder: string;
  readonly video: string;
  readonly weights: string;
}

async function made(t: TestContext): Promise<Made> {
  const folder = temporaryFolder(t);
  const video = join(folder, 'clip.mp4');
  makeVideo(video, { frames: 48 });
  return { folder, video, weights: await writeTinyWeights(join(folder, 'tiny.safetensors')) };
}

async function all(weights: string, source: string, options: StreamOptions) {
  const results: StreamResult[] = [];
  const stream = openStream(weights, source, options);
  for (let next = await stream.next(); ; next = await stream.next()) {
    if (next.done) return { results, summary: next.value };
    results.push(next.value);
  }
}

const causal = (checkpoint: Checkpoint): Checkpoint => ({ ...checkpoint, config: { ...checkpoint.config, causal: true } });

for (const [kind, checkpoint] of Object.entries({ 'any weights': tinyCheckpoint(), causal: causal(tinyCheckpoint()) })) {
  for (const hop of [1, 2]) {
    test(`${kind}, hop ${hop}: the first window's scores are those of the same frames as a clip`, {
      skip: noFfmpeg,
    }, async (t) => {
      const { video } = await made(t);
      const { preprocess, config, parameters, statistics } = checkpoint;
      const frames: SourceFrame[] = [];
      for await (const frame of readFrames(sourceAddress(video), { fps: 12, size: decodeSize(preprocess, 'test') }))
        frames.push(frame);
      const recogniser = await StreamRecogniser.open(checkpoint, { hop, threads: 1 });
      const inference = new Inference(config, { parameters, statistics }, nodePlatform, { threads: 1 });
      try {
        const windows = kind === 'causal' ? 1 : 6; // a causal network's later windows remember more than a clip has
        let compared = 0;
        for (const [i, frame] of frames.entries()) {
          const got = await recogniser.push(frame);
          if (!got || compared++ >= windows) continue;
          const clip = clipOf(frames.slice(i + 1 - config.frames, i + 1), checkpoint);
          const [logits = new Float32Array()] = await inference.logits(clip);
          const apart = Math.max(...softmax(logits).map((p, k) => Math.abs(p - (got.scores[k] ?? Number.NaN))));
          assert.ok(apart < 1e-5, `window that ends with frame ${i}: scores differ by ${apart}`);
        }
        assert.ok(compared >= windows);
      } finally {
        await Promise.all([recogniser.close(), inference.close()]);
      }
    });
  }
}

function clipOf(frames: readonly SourceFrame[], { config, preprocess }: Checkpoint): ClipTensor {
  const clip = emptyClips(1, config);
  frames.forEach((frame, t) => {
    const image = clipsFrom(frameOf(clip, t, 0), 1, { ...preprocess, frames: 1 });
    clipToTensor(frame, [0], testTransform(frame, preprocess), preprocess, image, 0);
  });
  return clip;
}

test('calibrated weights: scores at their temperature, unknown below their threshold or the one asked for', async () => {
  const plain = tinyCheckpoint();
  const fittedOn = { videos: 20, split: 'val', views: '1x1', eceBefore: 0.2, eceAfter: 0.1, nllBefore: 1, nllAfter: 0.5 };
  const frames = Array.from({ length: 4 }, (_, t) => ({ width: 40, height: 32, rgb: new Uint8Array(40 * 32 * 3).fill(60 * t) }));
  const answer = async (checkpoint: Checkpoint, rejectThreshold?: number) => {
    const options = { hop: 4, threads: 1, ...(rejectThreshold !== undefined && { rejectThreshold }) };
    const recogniser = await StreamRecogniser.open(checkpoint, options);
    try {
      for (const frame of frames.slice(0, 3)) assert.equal(await recogniser.push(frame), undefined);
      const found = await recogniser.push(frames[3] as (typeof frames)[number]);
      assert.ok(found);
      return found;
    } finally {
      await recogniser.close();
    }
  };
  const { scores, unknown } = await answer(plain);
  assert.equal(unknown, undefined);
  const warm = await answer({ ...plain, calibration: { temperature: 3, fittedOn, rejectThreshold: 1 } });
  softmax(scores.map(Math.log), 3).forEach((score, k) => {
    assert.ok(Math.abs(score - (warm.scores[k] ?? Number.NaN)) < 1e-5);
  });
  assert.equal(warm.unknown, true);
  assert.equal((await answer({ ...plain, calibration: { temperature: 1, fittedOn, rejectThreshold: 1 } }, 0)).unknown, undefined);
  assert.equal((await answer(plain, 1)).unknown, true);
});

test('a file: nothing is dropped, answers every hop, times as shown', { skip: noFfmpeg }, async (t) => {
  const { video, weights } = await made(t);
  const { results, summary } = await all(weights, video, { fps: 12, hop: 2, threads: 1 });
  assert.equal(summary.framesUsed, 48);
  assert.equal(summary.dropped, 0);
  assert.deepEqual(
    results.map(({ timeSec }) => Math.round(timeSec * 12)),
    Array.from({ length: 23 }, (_, i) => 3 + 2 * i),
  );
  for (const { predictions, scores } of results) {
    assert.ok(Math.abs(scores.reduce((a, b) => a + b, 0) - 1) < 1e-6);
    assert.equal(predictions[0]?.score, Math.max(...scores));
  }
});

test('live with a slow reader: frames are dropped and counted, answers stay recent, and it is told', {
  skip: noFfmpeg,
}, async (t) => {
  const { video, weights } = await made(t);
  const told: number[] = [];
  const onBehind = ({ arrivedPerSec, usedPerSec }: { arrivedPerSec: number; usedPerSec: number }) =>
    told.push(arrivedPerSec - usedPerSec);
  const stop = new AbortController();
  const stream = openStream(weights, video, {
    fps: 24,
    hop: 1,
    live: true,
    loop: true,
    threads: 1,
    signal: stop.signal,
    onBehind,
  });
  let dropped = 0;
  let results = 0;
  for await (const result of stream) {
    assert.ok(result.dropped >= dropped);
    dropped = result.dropped;
    assert.ok(result.delayMs < 2000, `${result.delayMs}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
    if (++results === 14) stop.abort();
  }
  assert.ok(results >= 14 && dropped > 20, `${results} answers, ${dropped} dropped`);
  assert.ok(told.length >= 1 && told.every((lost) => lost > 5), `${told}`);
});

test('HTTP: a server that sends as it goes', { skip: noFfmpeg }, async (t) => {
  const { folder, video, weights } = await made(t);
  const stream = transportStream(folder, video);
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'video/mp2t' });
    response.write(stream.subarray(0, stream.length / 2));
    setTimeout(() => response.end(stream.subarray(stream.length / 2)), 300);
  });
  t.after(() => server.close().closeAllConnections());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/live.ts`;
  const { results, summary } = await all(weights, url, { fps: 12, hop: 2, threads: 1 });
  assert.ok(summary.framesUsed + summary.dropped >= 40, `${summary.framesUsed} used, ${summary.dropped} dropped`);
  assert.ok(results.length > 0 || summary.dropped > 30);
});

test('RTSP: frames from a server, and a clear error when there is none', { skip: noFfmpeg }, async (t) => {
  const { folder, video, weights } = await made(t);
  const { url, server } = await rtspServer(transportStream(folder, video), 1);
  t.after(() => server.close());
  const { summary } = await all(weights, url, { fps: 12, hop: 2, threads: 1 });
  assert.ok(summary.framesUsed + summary.dropped >= 30, `${summary.framesUsed} used, ${summary.dropped} dropped`);
  await new Promise((resolve) => server.close(resolve));
  const withPassword = url.replace('rtsp://', 'rtsp://me:secret@');
  await assert.rejects(
    all(weights, withPassword, { threads: 1 }),
    (error: Error) => error.name === 'VideoError' && /127\.0\.0\.1.*refused/.test(error.message) && !/secret/.test(error.message),
  );
});

function transportStream(folder: string, video: string): Buffer {
  const path = join(folder, 'stream.ts');
  const run = spawnSync('ffmpeg', ['-v', 'error', '-y', '-i', video, '-c', 'copy', '-f', 'mpegts', 'pipe:1'], { maxBuffer: 1e8 });
  assert.equal(run.status, 0, `${path}: ${run.stderr}`);
  return run.stdout;
}

const vmf = (...args: string[]) =>
  spawn(process.execPath, [fileURLToPath(new URL('../src/cli/main.js', import.meta.url)), ...args]);

async function ended(child: ReturnType<typeof vmf>): Promise<{ code: number | null; out: string; said: string }> {
  let [out, said] = ['', ''];
  child.stdout.on('data', (bytes) => {
    out += bytes;
  });
  child.stderr.on('data', (bytes) => {
    said += bytes;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, said };
}

test('the command line: rows, a summary, one-line errors', { skip: noFfmpeg }, async (t) => {
  const { video, weights } = await made(t);
  const good = await ended(vmf('stream', video, '--weights', weights, '--fps', '12', '--json', '--threads', '1'));
  assert.equal(good.code, 0, good.said);
  const rows = good.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(Object.keys(rows[0] ?? {}), ['timeSec', 'label', 'score', 'predictions', 'delayMs', 'dropped']);
  assert.match(good.said, /48 frames at 12\/s .* 0 dropped, 23 answers/);
  const open = await ended(
    vmf('stream', video, '--weights', weights, '--fps', '12', '--reject-threshold', '1', '--threads', '1'),
  );
  assert.match(open.out, /^ +[\d.]+ s {2}unknown \(best: \w+ 0\.\d\d\) +[\d.]+ % {2}\w+ +delay/);
  const bad = await ended(vmf('stream', 'no-such.mp4', '--weights', weights));
  assert.deepEqual([bad.code, bad.out], [2, '']);
  assert.match(bad.said, /^vmf: no-such\.mp4: no such file\n$/);
});

test('the command line: Ctrl-C ends an endless stream with a summary', { skip: noFfmpeg }, async (t) => {
  const { video, weights } = await made(t);
  const child = vmf('stream', video, '--weights', weights, '--live', '--loop', '--threads', '1', '--fps', '12');
  child.stdout.once('data', () => child.kill('SIGINT'));
  const { code, said } = await ended(child);
  assert.equal(code, 0, said);
  assert.match(said, /clip\.mp4: \d+ frames at 12\/s/);
});
