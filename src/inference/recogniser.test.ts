import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeFile, makeVideo, temporaryFolder } from '../../test/smallVideos.js';
import { type TinyWeights, tinyCheckpoint, writeTinyWeights } from '../../test/support/randomWeights.js';
import { runOnce } from '../../test/support/runOnce.js';
import { takeClips } from '../clip/clipTensor.js';
import { testViews } from '../clip/clipView.js';
import { ClipDataset } from '../dataset/clipDataset.js';
import { averageViews, softmax } from '../metrics/softmax.js';
import { inferenceGraph } from '../models/network.js';
import { encodeVideo } from '../video/encode.js';
import type { Checkpoint } from '../weights/checkpoint.js';
import { loadRecogniser, openRecogniser, type RecogniserOptions } from './fileRecogniser.js';
import type { Recogniser } from './recogniser.js';
import { TimelineFile } from './timelineFile.js';

async function opened(t: TestContext, checkpoint: Checkpoint, options: RecogniserOptions = {}): Promise<Recogniser> {
  const recogniser = await openRecogniser(checkpoint, { threads: 1, workers: 1, ...options });
  t.after(() => recogniser.close());
  return recogniser;
}

const tiny = (t: TestContext, choice: TinyWeights = {}) => opened(t, tinyCheckpoint(choice));

function videos(t: TestContext, count: number): string[] {
  const root = temporaryFolder(t);
  return Array.from({ length: count }, (_, seed) => {
    const path = join(root, `${seed}.mp4`);
    makeVideo(path, { seed, frames: 18 + seed });
    return path;
  });
}

/** The same by training's loader and a graph that is run once. */
async function independently(path: string, checkpoint: Checkpoint, clips: number, crops: 1 | 3): Promise<number[]> {
  const source = new ClipDataset({ preprocess: checkpoint.preprocess, workers: 1, cacheFolder: false });
  try {
    const views = await source.clips({ path }, testViews(clips, crops));
    const logits = [];
    for (let view = 0; view < views.count; view++) {
      const graph = { logits: inferenceGraph(checkpoint.config, checkpoint, 1) };
      logits.push((await runOnce(graph, new Map([['clips', takeClips(views, view, 1).data]]), 0))['logits'] ?? []);
    }
    return averageViews(logits);
  } finally {
    await source.close();
  }
}

function assertNear(got: readonly number[], expected: readonly number[], bound = 1e-5): void {
  assert.equal(got.length, expected.length);
  got.forEach((value, i) => {
    assert.ok(Math.abs(value - (expected[i] ?? Number.NaN)) < bound, `[${got}] is not [${expected}]`);
  });
}

for (const [clips, crops] of [
  [1, 1],
  [5, 1],
  [2, 3],
] as const) {
  test(`recognising with ${clips} x ${crops} views is what testing in training does`, async (t) => {
    const [path = ''] = videos(t, 1);
    for (const preprocess of [{}, { startSec: 0.5 }]) {
      const checkpoint = tinyCheckpoint({ preprocess });
      const recogniser = await opened(t, checkpoint);
      const { scores } = await recogniser.recognise(path, { clips, crops });
      assertNear(scores, await independently(path, checkpoint, clips, crops));
    }
  });
}

test('squeezed frames too', async (t) => {
  const [path = ''] = videos(t, 1);
  const checkpoint = tinyCheckpoint({ preprocess: { resize: 'stretch' } });
  const recogniser = await opened(t, checkpoint);
  assertNear((await recogniser.recognise(path)).scores, await independently(path, checkpoint, 1, 1));
});

test('predictions are the best labels, best first', async (t) => {
  const [path = '', other = ''] = videos(t, 2);
  const recogniser = await tiny(t);
  const { predictions, scores, durationSec, ...rest } = await recogniser.recognise(path, { top: 3 });
  assert.deepEqual(rest, { path });
  assert.ok(Math.abs(durationSec - 1.5) < 1e-3);
  assert.ok(Math.abs(scores.reduce((a, b) => a + b) - 1) < 1e-9);
  const ranked = scores.map((score, i) => ({ label: recogniser.labels[i], score })).sort((a, b) => b.score - a.score);
  assert.deepEqual(predictions, ranked.slice(0, 3));
  assert.notDeepEqual((await recogniser.recognise(other)).scores, scores);
});

test('many videos: in order, broken ones told in their place, the same scores as one by one', async (t) => {
  const paths = videos(t, 6);
  const broken = join(temporaryFolder(t), 'broken.mp4');
  makeFile(broken, 'this is no video');
  const list = [...paths.slice(0, 2), broken, ...paths.slice(2), '/no/such/file.mp4'];
  const recogniser = await tiny(t);
  const results = await gathered(recogniser.recogniseMany(list, { top: 1 }));
  assert.deepEqual(
    results.map(({ path }) => path),
    list,
  );
  const failed = results.flatMap((result) => ('error' in result ? [String(result.error)] : []));
  assert.equal(failed.length, 2);
  assert.match(failed[0] ?? '', /^VideoError: .*broken\.mp4: is plain text/);
  assert.match(failed[1] ?? '', /^VideoError: \/no\/such\/file\.mp4: no such file$/);
  for (const result of results) {
    if (!('error' in result)) assertNear(result.scores, (await recogniser.recognise(result.path)).scores, 1e-6);
  }
  const again = await gathered(recogniser.recogniseMany(list, { top: 1 }));
  assert.deepEqual(again.map(String), results.map(String));
  assert.deepEqual(again.map(scoresOf), results.map(scoresOf));
});

async function gathered<T>(items: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const item of items) out.push(item);
  return out;
}

const scoresOf = (result: object): unknown => ('scores' in result ? result.scores : undefined);

test('a timeline: windows over the whole video, scored as clips are, however it is cut into stretches', async (t) => {
  const path = join(temporaryFolder(t), 'long.mp4');
  makeVideo(path, { frames: 120 }); // 10 s
  const checkpoint = tinyCheckpoint({ preprocess: { windowSec: 1.5 } });
  const recogniser = await opened(t, checkpoint);
  const seen: number[] = [];
  const whole = await recogniser.timeline(path, { onProgress: (doneSec) => seen.push(doneSec) });
  assert.deepEqual([whole.windowSec, whole.strideSec, seen], [1.5, 0.75, [10]]);
  assert.equal(whole.segments[0]?.startSec, 0);
  assert.equal(whole.segments.at(-1)?.endSec, 10);
  const inParts = await recogniser.timeline(path, { stretchBytes: 1, onProgress: (doneSec) => seen.push(doneSec) });
  assert.equal(seen.length, 1 + 13);
  assert.deepEqual(
    inParts.segments.map(({ startSec, endSec, label }) => [startSec, endSec, label]),
    whole.segments.map(({ startSec, endSec, label }) => [startSec, endSec, label]),
  );
});

test('a timeline that was stopped goes on with the windows that are not scored yet', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'long.mp4');
  makeVideo(path, { frames: 120 }); // 10 s
  const recogniser = await opened(t, tinyCheckpoint({ preprocess: { windowSec: 1.5 } }));
  const log = () => new TimelineFile({ path: join(folder, 'partial'), run: 'a' });
  const whole = await recogniser.timeline(path, { stretchBytes: 1 });
  const stop = new AbortController();
  const onProgress = (doneSec: number) => {
    if (doneSec > 4) stop.abort(new Error('enough'));
  };
  const stopped = recogniser.timeline(path, { stretchBytes: 1, log: log(), signal: stop.signal, onProgress });
  await assert.rejects(stopped, /enough/);
  const seen: number[] = [];
  const resumed = await recogniser.timeline(path, { stretchBytes: 1, log: log(), onProgress: (sec) => seen.push(sec) });
  assert.ok((seen[0] ?? 0) > 4 && seen.at(-1) === 10, String(seen));
  assert.deepEqual(resumed, whole);
});

test('one window over a whole video gives the scores of the clip', async (t) => {
  const [path = ''] = videos(t, 1);
  const recogniser = await tiny(t);
  const { predictions } = await recogniser.recognise(path, { top: 1 });
  const { segments } = await recogniser.timeline(path, { windowSec: 60 });
  assert.equal(segments.length, 1);
  assert.equal(segments[0]?.label, predictions[0]?.label);
  assert.ok(Math.abs((segments[0]?.score ?? 0) - (predictions[0]?.score ?? 1)) < 1e-6);
});

/** Grey levels in turn, each for 4 s. */
function greys(path: string, ...values: readonly number[]): string {
  const frames = values.flatMap((value) => new Array<number>(48).fill(value));
  const picture = (value: number) => new Uint8Array(48 * 48 * 3).fill(value);
  encodeVideo(path, { width: 48, height: 48, frameRate: 12, codec: 'h264' }, frames.map(picture));
  return path;
}

/** Separates dark from light: the last layer's bias is moved to where random weights part the two. */
async function lightMeter(t: TestContext, folder: string): Promise<Recogniser> {
  const { parameters, ...rest } = tinyCheckpoint({ labels: ['dark', 'light'] });
  const untuned = await opened(t, { ...rest, parameters });
  const odds = async (name: string, value: number) => {
    const [dark = 0, light = 0] = (await untuned.recognise(greys(join(folder, name), value))).scores;
    return Math.log(light / dark);
  };
  const [dark, light] = [await odds('dark.mp4', 20), await odds('light.mp4', 235)];
  assert.ok(Math.abs(dark - light) > 1e-3);
  const tuned = parameters.slice();
  tuned[tuned.length - 1] = (tuned.at(-1) ?? 0) - (dark + light) / 2;
  return opened(t, { ...rest, labels: dark < light ? ['dark', 'light'] : ['light', 'dark'], parameters: tuned });
}

test('a timeline follows what happens', async (t) => {
  const folder = temporaryFolder(t);
  const recogniser = await lightMeter(t, folder);
  const path = greys(join(folder, 'changing.mp4'), 20, 235, 20);
  for (const stretchBytes of [1, 64e6]) {
    const { segments } = await recogniser.timeline(path, { windowSec: 1, stretchBytes });
    assert.deepEqual(
      segments.map(({ label }) => label),
      ['dark', 'light', 'dark'],
    );
    const [first, second] = segments;
    assert.ok(Math.abs((first?.endSec ?? 0) - 4) <= 0.5 && Math.abs((second?.endSec ?? 0) - 8) <= 0.5, JSON.stringify(segments));
    assert.deepEqual([first?.startSec, segments[2]?.endSec], [0, 12]);
  }
});

test('abort: what is under way ends with the reason', async (t) => {
  const [path = ''] = videos(t, 1);
  const recogniser = await tiny(t);
  const stop = new AbortController();
  const reason = new Error('enough');
  const many = recogniser.recogniseMany(new Array(50).fill(path), { signal: stop.signal });
  assert.equal((await many.next()).done, false);
  stop.abort(reason);
  await assert.rejects(
    (async () => {
      for await (const _ of many);
    })(),
    reason,
  );
  await assert.rejects(recogniser.timeline(path, { signal: stop.signal }), reason);
  await assert.rejects(recogniser.recognise(path, { signal: stop.signal }), reason);
  assert.equal((await recogniser.recognise(path)).predictions.length, 5, 'it still works afterwards');
});

test('weights that do not fit are refused', async (t) => {
  const sound = tinyCheckpoint();
  const { preprocess } = tinyCheckpoint({ frames: 8 });
  await assert.rejects(
    openRecogniser({ ...sound, preprocess }, {}, 'w.st'),
    /^WeightsError: w\.st: its preprocessing makes 8 frames of 32 px, its network takes 4 frames of 32 px$/,
  );
  const path = join(temporaryFolder(t), 'w.safetensors');
  makeFile(path, 'x'.repeat(100));
  await assert.rejects(loadRecogniser(path), /^WeightsError: .*w\.safetensors: /);
  await assert.rejects(loadRecogniser('/no/such/weights'), /^WeightsError: \/no\/such\/weights: cannot be opened \(ENOENT\)/);
});

test('weights that have diverged give no answer', async (t) => {
  const [path = ''] = videos(t, 1);
  const { parameters, ...rest } = tinyCheckpoint();
  const recogniser = await opened(t, { ...rest, parameters: parameters.map(() => Number.NaN) });
  await assert.rejects(recogniser.recognise(path), /^WeightsError: .*diverged/);
  await assert.rejects(gathered(recogniser.recogniseMany([path])), /^WeightsError: .*diverged/);
});

test('loaded from a file, also in the background, it is the same', async (t) => {
  const [path = ''] = videos(t, 1);
  const weights = await writeTinyWeights(join(temporaryFolder(t), 'w.safetensors'), { notes: { seed: '7' } });
  const direct = await tiny(t, { notes: { seed: '7' } });
  const expected = (await direct.recognise(path)).scores;
  for (const background of [false, true]) {
    const recogniser = await loadRecogniser(weights, { threads: 1, workers: 1, background });
    t.after(() => recogniser.close());
    assert.deepEqual((await recogniser.recognise(path)).scores, expected);
    assert.deepEqual([recogniser.labels, recogniser.notes], [direct.labels, { seed: '7' }]);
  }
});

test('the two halves: read and score', async (t) => {
  const [path = ''] = videos(t, 1);
  const checkpoint = tinyCheckpoint();
  const recogniser = await opened(t, checkpoint);
  const views = await recogniser.read(path);
  assert.deepEqual([views.clips.count, views.clips.data.length, views.info.frameCount], [1, 4 * 3 * 32 * 32, 18]);
  const logits = await runOnce(
    { logits: inferenceGraph(checkpoint.config, checkpoint, 1) },
    new Map([['clips', views.clips.data.slice()]]),
    0,
  );
  assertNear(await recogniser.score(views), softmax(logits['logits'] ?? []));
  await assert.rejects(recogniser.read(path, { clips: 0 }), /^ConfigError: views: expected 1 to 100 clips, got 0$/);
  await assert.rejects(recogniser.read(path, { crops: 2 as 1 }), /^ConfigError: views: expected 1 or 3 crops, got 2$/);
});
