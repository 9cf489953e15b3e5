import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeVideo, temporaryFolder } from '../../test/smallVideos.js';
import { tinyCheckpoint, writeTinyWeights } from '../../test/support/randomWeights.js';
import { videosForWeights } from '../../test/support/videosForWeights.js';
import { exportOnnx } from '../export/exportWeights.js';
import { calibrationReport, scored } from '../metrics/calibration.js';
import { softmax } from '../metrics/softmax.js';
import { type Checkpoint, checkpointFile, parseCheckpoint } from '../weights/checkpoint.js';
import { readSafetensors, writeSafetensors } from '../weights/files.js';
import { readOnnxWeights } from '../weights/onnxFile.js';
import { calibrateCheckpoint } from './calibrateTemperature.js';
import type { TestVideo } from './evaluate.js';
import { loadRecogniser, openRecogniser, type RecogniserOptions } from './fileRecogniser.js';

const labels = ['wave', 'jump', 'bow'];
const machine = { threads: 1, workers: 1 };
const calibrated = (temperature: number, rejectThreshold?: number): Checkpoint => ({
  ...tinyCheckpoint({ labels, preprocess: { windowSec: 1 } }),
  calibration: {
    temperature,
    fittedOn: { videos: 20, split: 'val', views: '1x1', eceBefore: 0.2, eceAfter: 0.1, nllBefore: 1, nllAfter: 0.5 },
    ...(rejectThreshold !== undefined && { rejectThreshold }),
  },
});

async function open(t: TestContext, checkpoint: Checkpoint, options: RecogniserOptions = {}) {
  const recogniser = await openRecogniser(checkpoint, { ...machine, ...options });
  t.after(() => recogniser.close());
  return recogniser;
}

/** Weights, and 20 videos of which they label 15 correctly. */
async function made(t: TestContext): Promise<{ weights: string; videos: TestVideo[] }> {
  const folder = temporaryFolder(t);
  const weights = await writeTinyWeights(join(folder, 'w.safetensors'), { labels });
  const videos = await videosForWeights(folder, weights, { count: 20, wrongEvery: 4 });
  return { weights, videos };
}

test('the temperature is stored, answers are calibrated by it, and nothing else of the file changes', async (t) => {
  const { weights, videos } = await made(t);
  const before = await readSafetensors(weights);
  const out = join(weights, '..', 'calibrated.safetensors');
  const { path, calibration, after } = await calibrateCheckpoint(weights, videos, { machine, out, unknown: 0.75 });
  assert.equal(path, out);
  assert.deepEqual(await readSafetensors(weights), before, 'the file itself is left alone');
  const { metadata, tensors } = await readSafetensors(out);
  assert.deepEqual(tensors, before.tensors);
  const { calibration: stored, ...rest } = metadata;
  assert.deepEqual([rest, JSON.parse(stored ?? '')], [before.metadata, calibration]);
  const { fittedOn, rejectThreshold, unknownFit } = calibration;
  assert.deepEqual([fittedOn.videos, fittedOn.split, fittedOn.views], [20, 'val', '1x1']);
  assert.ok(fittedOn.nllAfter < fittedOn.nllBefore);
  assert.deepEqual([rejectThreshold, unknownFit?.wanted, unknownFit?.coverage], [0, 0.75, 1]);

  const recogniser = await loadRecogniser(out, machine);
  t.after(() => recogniser.close());
  const clips = [];
  for await (const found of recogniser.recogniseMany(videos.map((video) => video.path))) {
    assert.ok('scores' in found);
    clips.push({ labelIndex: labels.indexOf(videos[clips.length]?.label ?? ''), scores: found.scores });
  }
  assert.ok(Math.abs(calibrationReport(clips).nll - after.nll) < 1e-6);

  const again = await calibrateCheckpoint(out, videos, { machine });
  assert.ok(
    Math.abs(again.calibration.temperature - calibration.temperature) < 1e-6,
    'fitted on logits, not on calibrated scores',
  );
  assert.deepEqual([again.path, again.calibration.rejectThreshold], [out, undefined]);
});

test('refused, and nothing written: too few videos, a threshold out of reach, labels it does not know, a model file', async (t) => {
  const { weights, videos } = await made(t);
  const bytes = readFileSync(weights);
  const refused = (some: readonly TestVideo[], options: object, reason: RegExp) =>
    assert.rejects(calibrateCheckpoint(weights, some, { machine, ...options }), reason);
  await refused(videos.slice(0, 19), {}, /^ConfigError: a temperature needs at least 20 videos to be fitted on, got 19$/);
  await refused(videos, { unknown: 7 }, /expected a share of right answers/);
  await refused([{ path: 'x', name: 'x', label: 'nod' }], {}, /the weights do not know: nod/);
  assert.deepEqual(readFileSync(weights), bytes);
  const model = join(weights, '..', 'model.onnx');
  await exportOnnx(weights, model);
  await assert.rejects(calibrateCheckpoint(model, videos), /^ConfigError: .*model\.onnx: is a model; calibrate the weights/);
});

test('one clip, many clips, views and a timeline: all probabilities are those at the temperature', async (t) => {
  const folder = temporaryFolder(t);
  const film = join(folder, 'film.mp4');
  makeVideo(film, { frames: 48 });
  const [plain, warm] = [await open(t, tinyCheckpoint({ labels, preprocess: { windowSec: 1 } })), await open(t, calibrated(3))];
  const near = (got: readonly number[], expected: readonly number[]) =>
    got.forEach((value, i) => {
      assert.ok(Math.abs(value - (expected[i] ?? Number.NaN)) < 1e-6, `${got} are not ${expected}`);
    });
  const { logits = [] } = await plain.recognise(film, { clips: 2, crops: 3, logits: true });
  assert.equal(logits.length, 6);
  const expected = scored({ labelIndex: 0, logits }, 3).scores;
  near((await warm.recognise(film, { clips: 2, crops: 3 })).scores, expected);
  for await (const found of warm.recogniseMany([film, film], { clips: 2, crops: 3 }))
    near('scores' in found ? found.scores : [], expected);
  near(await warm.score(await warm.read(film, { clips: 2, crops: 3 })), expected);
  const ends = { windowSec: 4, strideSec: 4 };
  const [segment] = (await warm.timeline(film, ends)).segments;
  const [plainSegment] = (await plain.timeline(film, ends)).segments;
  assert.ok(segment && plainSegment);
  assert.ok(segment.score < plainSegment.score - 0.01, 'three times as warm is less sure');
  assert.equal('logits' in (await plain.recognise(film)), false);
});

test('an answer below the threshold is unknown: of the weights, or as asked', async (t) => {
  const folder = temporaryFolder(t);
  const film = join(folder, 'film.mp4');
  makeVideo(film, { frames: 36 });
  const of = async (checkpoint: Checkpoint, options: RecogniserOptions = {}) => {
    const recogniser = await open(t, checkpoint, options);
    const { segments } = await recogniser.timeline(film);
    const clip = await recogniser.recognise(film);
    assert.ok(segments.length > 0 && clip.predictions.length === 3, 'labels are given all the same');
    return [clip.unknown, ...new Set(segments.map(({ unknown }) => unknown))];
  };
  assert.deepEqual(await of(calibrated(1)), [undefined, undefined]);
  assert.deepEqual(await of(calibrated(1, 1)), [true, true]);
  assert.deepEqual(await of(calibrated(1, 1), { rejectThreshold: 0 }), [undefined, undefined]);
  assert.deepEqual(await of(calibrated(1), { rejectThreshold: 1 }), [true, true]);
  await assert.rejects(
    open(t, calibrated(1), { rejectThreshold: 2 }),
    /^ConfigError: rejectThreshold: expected a score from 0 to 1, got 2$/,
  );
});

test('an exported model keeps logits and carries the calibration, which is used when it is run', async (t) => {
  const folder = temporaryFolder(t);
  const [weights, model, film] = ['w.safetensors', 'model.onnx', 'film.mp4'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  makeVideo(film);
  await writeSafetensors(weights, checkpointFile(calibrated(2.5, 0.9)));
  assert.deepEqual(parseCheckpoint(await readSafetensors(weights), weights).calibration, calibrated(2.5, 0.9).calibration);
  await exportOnnx(weights, model);
  assert.deepEqual((await readOnnxWeights(model)).calibration, calibrated(2.5, 0.9).calibration);
  assert.match(readFileSync(model).toString('latin1'), /softmax of logits \/ 2\.5 gives probabilities/);
  const recognisers = [await loadRecogniser(weights, machine), await loadRecogniser(model, machine)];
  t.after(() => Promise.all(recognisers.map((each) => each.close())));
  const [a, b] = await Promise.all(recognisers.map((each) => each.recognise(film, { logits: true })));
  const [logits = new Float32Array()] = b?.logits ?? [];
  softmax(logits, 2.5).forEach((score, i) => {
    for (const found of [a, b]) assert.ok(Math.abs(score - (found?.scores[i] ?? 0)) < 1e-4);
  });
});
