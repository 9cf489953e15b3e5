import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { foreign } from '../../test/support/foreignOnnx.js';
import { writeTinyWeights } from '../../test/support/randomWeights.js';
import { parseNetworkConfig } from '../models/registry.js';
import { countValues } from '../models/variables.js';
import { encodeVideo } from '../video/encode.js';
import { parseCheckpoint } from '../weights/checkpoint.js';
import { readSafetensors } from '../weights/files.js';
import { readRecord } from './runFolder/runRecord.js';
import { headParameters } from './teacherHead.js';
import { type TrainJob, type TrainJobEvent, train } from './train.js';

const root = mkdtempSync(join(tmpdir(), 'vmf-train-'));
const data = join(root, 'data');
let runs = 0;

/** A network so small that a step takes milliseconds. */
const tiny = parseNetworkConfig(
  {
    name: 'tiny',
    family: 'video-mobile-former',
    layout: 'tiny',
    stem: 8,
    tokens: 2,
    tokenDim: 16,
    head: 16,
    groups: 1,
    dropout: 0.2,
    frames: 4,
    height: 32,
    width: 32,
    classes: 2,
    blocks: [
      { kind: 'lite', expand: 2, out: 8, stride: 2, temporal: 3 },
      { kind: 'mf', expand: 2, out: 8, temporal: 3 },
      { kind: 'down', expand: 2, expand2: 2, out: 16, temporal: 3 },
    ],
  },
  'tiny',
);

/** A bright square that moves right (class 0) or down (class 1). */
function* frames(label: number, seed: number): Generator<Uint8Array> {
  for (let t = 0; t < 12; t++) {
    const rgb = new Uint8Array(48 * 40 * 3).fill(40 + seed * 5);
    const [x, y] = label === 0 ? [t * 3, 10 + seed] : [10 + seed, t * 2];
    for (let dy = 0; dy < 10; dy++)
      for (let dx = 0; dx < 10; dx++) rgb.fill(220, ((y + dy) * 48 + x + dx) * 3, ((y + dy) * 48 + x + dx + 1) * 3);
    yield rgb;
  }
}

before(() => {
  for (const split of ['train', 'val']) {
    for (const [index, label] of ['right-moving', 'down-moving'].entries()) {
      const folder = join(data, split, label);
      mkdirSync(folder, { recursive: true });
      for (let i = 0; i < (split === 'train' ? 8 : 2); i++) {
        const video = { width: 48, height: 40, frameRate: 12, codec: 'h264' as const };
        encodeVideo(join(folder, `${split}${i}.mp4`), video, frames(index, i));
      }
    }
  }
});

after(() => rmSync(root, { recursive: true, force: true }));

function job(more: Partial<TrainJob> = {}): TrainJob {
  const options = { epochs: 3, batch: 4, warmupEpochs: 1, preciseBn: 2 };
  const out = join(root, `run${runs++}`);
  return { data, out, model: tiny, recipe: false, options, threads: 1, workers: 2, cacheFolder: false, ...more };
}

const weightsOf = async (path: string) => parseCheckpoint(await readSafetensors(path), path);

test('writes metrics and checkpoints that carry everything', async () => {
  const events: TrainJobEvent[] = [];
  const chosen = job({ onEvent: (event) => events.push(event) });
  const summary = await train(chosen);
  assert.equal(summary.interrupted, false);
  assert.deepEqual(summary.labels, ['down-moving', 'right-moving']);
  assert.equal(summary.trainVideos, 16);
  const lines = readFileSync(join(chosen.out, 'metrics.jsonl'), 'utf8').trim().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).epoch),
    [1, 2, 3],
  );
  const best = await weightsOf(summary.bestPath);
  assert.deepEqual([best.labels, best.config.classes, best.preprocess.frames], [summary.labels, 2, 4]);
  assert.ok((best.preprocess.windowSec ?? 0) > 0.8);
  assert.equal(best.training, undefined);
  assert.ok((await weightsOf(summary.lastPath)).training);
  assert.ok(events.some((event) => event.kind === 'step') && events.some((event) => event.kind === 'epoch'));
  assert.deepEqual(readdirSync(chosen.out).sort(), ['best.safetensors', 'last.safetensors', 'metrics.jsonl', 'run.json']);
});

test('the same seed gives the same weights, another seed others', async () => {
  const [a, b, c] = [job(), job({ workers: 1 }), job({ options: { ...job().options, seed: 1 } })];
  for (const one of [a, b, c]) await train(one);
  const [first, second, third] = await Promise.all([a, b, c].map(({ out }) => weightsOf(join(out, 'last.safetensors'))));
  assert.deepEqual(second?.parameters, first?.parameters);
  assert.deepEqual(second?.statistics, first?.statistics);
  assert.notDeepEqual(third?.parameters, first?.parameters);
});

/** Every part of the recipe that changes what is learnt, at once. */
const everything: NonNullable<TrainJob['options']> = {
  ...{ epochs: 3, batch: 4, gradAccum: 3, warmupEpochs: 1, preciseBn: 2, repeatedAug: 2, classBalanced: true },
  ...{ mixup: 0.4, cutmix: 1, mixProb: 0.8, dropout: 0.3, dropPath: 0.2, ema: 0.9, layerDecay: 0.8, unfreezeEpochs: 2 },
  augment: { operations: 2, magnitude: 0.5, randomErasing: 0.5, temporalScale: [0.6, 1], jitter: 0.8, temporalWarp: 0.3 },
};

test('with every part of the recipe on, a run stopped in mid-epoch and resumed ends bit-identical', async () => {
  await resumesExactly(everything);
});

test('a run stopped in mid-epoch and resumed ends bit-identical to one that was not', async () => {
  await resumesExactly({});
});

test('so does one that also learns from videos without labels', async () => {
  const { gradAccum: _, ...rest } = everything;
  await resumesExactly({ ...rest, pseudoThreshold: 0.4, tokenMix: 0.7 }, { unlabelled: withoutLabels() });
});

test('so do those that learn from a teacher, with and without labels; a resumed run needs the same one', async () => {
  const first = job({ options: { ...job().options, epochs: 1, seed: 5 } });
  await train(first);
  const teacher = join(first.out, 'best.safetensors');
  await resumesExactly({ ...everything, distillAlpha: 0.6, distillTemperature: 3 }, { teacher });
  const { gradAccum: _, ...rest } = everything;
  const taught = await resumesExactly({ ...rest, pseudoThreshold: 0.4 }, { teacher, unlabelled: withoutLabels() });
  const { options: __, model: ___, ...again } = job({ out: taught.out, unlabelled: withoutLabels(), resume: true });
  await assert.rejects(train(again), /learns from a teacher; give its file again with --teacher/);
  const other = { ...again, teacher: join(taught.out, 'best.safetensors') };
  await assert.rejects(train(other), /the teacher is not the one of this run/);
  const { options: ____, model: _____, ...untaught } = job({ out: first.out, teacher, resume: true });
  await assert.rejects(train(untaught), /this run has no teacher; leave out --teacher/);
});

/** Mean colours of a picture's 16 squares. */
function squares(output: 'features' | 'logits'): string {
  const nodes = [
    { type: 'AveragePool', inputs: ['x'], outputs: ['pooled'], attributes: { kernel_shape: [8, 8], strides: [8, 8] } },
    { type: 'Flatten', inputs: ['pooled'], outputs: [output], attributes: { axis: 1 } },
  ];
  const outputs = [{ name: output, type: 'float32', shape: ['n', 48] }] as const;
  return foreign(join(root, `${output}.onnx`), { shape: ['n', 3, 32, 32], nodes, outputs });
}

test('so do those whose teacher has other classes or features, for a head that is in no weights but in what resumes', async () => {
  const teacher = join(root, 'other.safetensors');
  await writeTinyWeights(teacher, { labels: ['up-moving', 'down-moving', 'still'] });
  const taught = await resumesExactly({ ...everything, distillTemperature: 2 }, { teacher });
  const [best, last] = await Promise.all(['best', 'last'].map((name) => weightsOf(join(taught.out, `${name}.safetensors`))));
  assert.equal(best?.training, undefined);
  assert.equal(last?.parameters.length, best?.parameters.length);
  assert.equal(last?.training?.teacherHead?.length, countValues(headParameters(tiny, { learns: 'classes', outputs: 3 })));
  const { gradAccum: _, ...rest } = everything;
  const more = { teacher: squares('features'), pixels: '0..1', unlabelled: withoutLabels() } as const;
  const { out } = await resumesExactly({ ...rest, pseudoThreshold: 0.4 }, more);
  const { options: __, model: ___, ...again } = job({ ...more, out, pixels: '-1..1', resume: true });
  await assert.rejects(train(again), /the teacher is not the one of this run: its file, or how it is read, has changed/);
});

test('what a teacher of features or of other classes says is learnt, beside the labels with half of the loss', async () => {
  const [features, classes] = [squares('features'), squares('logits')];
  for (const teacher of [features, classes]) {
    const options = { ...job().options, epochs: 12, distillAlpha: 1, distillTemperature: 1, lr: 3e-3, ema: 0 };
    const { epochs } = await train(job({ teacher, pixels: '0..255', options }));
    const [first = 0, final = 0] = [epochs[0], epochs.at(-1)].map((epoch) => epoch?.trainLoss);
    assert.ok(final < 0.8 * first, `${teacher}: ${first} to ${final}`);
  }
  const notes: string[] = [];
  const onEvent = (event: TrainJobEvent) => {
    if (event.kind === 'note') notes.push(event.message);
  };
  const labelled = job({ teacher: classes, onEvent });
  await train(labelled);
  assert.ok(notes.some((note) => /it gives 50 % of the loss/.test(note)));
  const { share } = (readRecord(labelled.out)?.teacher ?? {}) as Record<string, unknown>;
  assert.equal(share, 0.5);
});

test('a teacher is told with its cost and kept in the record; with all of the loss, labels count for nothing', async () => {
  const first = job({ options: { ...job().options, epochs: 1 } });
  await train(first);
  const teacher = join(first.out, 'best.safetensors');
  const notes: string[] = [];
  const onEvent = (event: TrainJobEvent) => {
    if (event.kind === 'note') notes.push(event.message);
  };
  const alone = (labelSmoothing: number) =>
    job({ teacher, onEvent, options: { ...job().options, epochs: 1, distillAlpha: 1, labelSmoothing } });
  const [a, b] = [alone(0), alone(0.5)];
  const [one, two] = await Promise.all([a, b].map(async (each) => weightsOf((await train(each)).lastPath)));
  assert.deepEqual(two?.parameters, one?.parameters);
  const told =
    /^teacher .*best\.safetensors: tiny, [\d.,]+ M multiply-adds a clip, 1\.0 times the student's; it gives 100 % of the loss, and steps take \d+\.\d times as long$/;
  assert.ok(
    notes.some((note) => told.test(note)),
    notes.join('\n'),
  );
  const { name, path, share, temperature } = (readRecord(a.out)?.teacher ?? {}) as Record<string, unknown>;
  assert.deepEqual([name, path, share, temperature], ['tiny', teacher, 1, 4]);
  await assert.rejects(
    train(job({ options: { distillAlpha: 0.3 } })),
    /distillAlpha: is for runs with a teacher; give --teacher/,
  );
});

/** A folder of the training videos alone, without class folders. */
function withoutLabels(): string {
  const folder = join(root, 'unlabelled');
  mkdirSync(folder, { recursive: true });
  for (const label of ['right-moving', 'down-moving'])
    for (const name of readdirSync(join(data, 'train', label)))
      copyFileSync(join(data, 'train', label, name), join(folder, `${label}-${name}`));
  return folder;
}

test('what the teacher is sure of is learnt and told; videos kept for testing are refused', async () => {
  const summary = await train(job({ unlabelled: withoutLabels(), options: { ...job().options, pseudoThreshold: 0 } }));
  assert.deepEqual(
    summary.epochs.map(({ pseudoShare }) => pseudoShare),
    [1, 1, 1],
  );
  await assert.rejects(train(job({ unlabelled: join(data, 'val') })), /is in split "val", which training must not see/);
  await assert.rejects(train(job({ unlabelled: join(root, 'nowhere') })), /cannot be read: ENOENT/);
});

async function resumesExactly(options: NonNullable<TrainJob['options']>, more: Partial<TrainJob> = {}): Promise<TrainJob> {
  const choices = { ...more, options: { ...job().options, ...options } };
  const whole = job(choices);
  await train(whole);
  const stop = new AbortController();
  let steps = 0;
  const halting = (event: TrainJobEvent) => {
    if (event.kind === 'step' && ++steps === 6) stop.abort();
  };
  const cut = job({ ...choices, onEvent: halting, signal: stop.signal });
  const summary = await train(cut);
  assert.equal(summary.interrupted, true);
  assert.equal(steps, 6);
  const { options: _, model: __, ...rest } = job({ ...more, out: cut.out });
  const resumed = await train({ ...rest, resume: true });
  assert.equal(resumed.interrupted, false);
  const [expected, got] = await Promise.all([whole.out, cut.out].map((out) => weightsOf(join(out, 'last.safetensors'))));
  assert.deepEqual(got?.parameters, expected?.parameters);
  assert.deepEqual(got?.statistics, expected?.statistics);
  assert.deepEqual(got?.training?.expAvgSq, expected?.training?.expAvgSq);
  assert.deepEqual(got?.training?.rawParams, expected?.training?.rawParams);
  assert.deepEqual(got?.training?.gradients, expected?.training?.gradients);
  assert.deepEqual(got?.training?.teacherHead, expected?.training?.teacherHead);
  const epochs = (out: string) =>
    readFileSync(join(out, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  assert.deepEqual(
    epochs(cut.out).map(({ epoch, trainLoss }) => [epoch, trainLoss]),
    epochs(whole.out).map(({ epoch, trainLoss }) => [epoch, trainLoss]),
  );
  return cut;
}

test('starts from other weights, and begins the last layer anew for other classes', async () => {
  const first = job();
  await train(first);
  const notes: string[] = [];
  const onEvent = (event: TrainJobEvent) => {
    if (event.kind === 'note') notes.push(event.message);
  };
  const init = join(first.out, 'best.safetensors');
  const { model: _, ...second } = job({ init, onEvent, options: { ...job().options, epochs: 1, lr: 1e-9, warmupEpochs: 0 } });
  const summary = await train(second);
  const [before, after] = [await weightsOf(init), await weightsOf(summary.lastPath)];
  assert.equal(summary.config.name, 'tiny');
  const moved = before.parameters.map((value, i) => Math.abs(value - (after.parameters[i] ?? NaN)));
  assert.ok(Math.max(...moved) < 1e-6);
  assert.ok(notes.some((note) => /all of \d+ tensors/.test(note)));
});

test('a broken training video is left out, counted and told; too many end the run', async () => {
  const broken = join(data, 'train', 'right-moving', 'broken.mp4');
  writeFileSync(broken, 'no video at all');
  try {
    const warnings: string[] = [];
    const onEvent = (event: TrainJobEvent) => {
      if (event.kind === 'warning') warnings.push(event.message);
    };
    const summary = await train(job({ onEvent, options: { ...job().options, epochs: 1, maxBadShare: 0.2 } }));
    assert.deepEqual(
      summary.leftOut.map(({ path }) => path),
      [broken],
    );
    assert.equal(summary.trainVideos, 16);
    assert.ok(warnings.some((warning) => warning.includes('broken.mp4')));
    await assert.rejects(train(job()), /DatasetError|broken|0\.05|5 ?%/);
  } finally {
    rmSync(broken);
  }
});

test('a run that diverges stops with step, clips and the last good checkpoint, which is no worse for it', async () => {
  const good = job();
  await train(good);
  const checkpoint = await weightsOf(join(good.out, 'best.safetensors'));
  const wild = job({
    options: { ...job().options, epochs: 40, lr: 1, warmupEpochs: 0, gradClip: 0, labelSmoothing: 0 },
    preprocess: { resize: 'crop' },
  });
  await assert.rejects(train(wild), (error: Error) => {
    assert.match(error.message, /^training diverged at step \d+, epoch \d+: the (loss|gradient's norm|mean loss)/);
    assert.match(error.message, /clips: (.*mp4, ){3}.*mp4;/);
    assert.match(error.message, /last good checkpoint|nothing was saved yet/);
    return true;
  });
  const kept = join(wild.out, 'last.safetensors');
  if (existsSync(kept)) assert.ok((await weightsOf(kept)).parameters.every(Number.isFinite));
  assert.deepEqual(await weightsOf(join(good.out, 'best.safetensors')), checkpoint);
});

test('refuses before writing anything', async () => {
  const used = job();
  await train({ ...used, options: { ...used.options, epochs: 1 } });
  await assert.rejects(train(used), /holds a run already/);
  const fresh = job({ options: { epochs: 0 } });
  await assert.rejects(train(fresh), /epochs/);
  await assert.rejects(train({ ...job(), model: 'vmf-9g' }), /unknown name "vmf-9g"/);
  await assert.rejects(train({ ...job(), resume: true }), /nothing to resume/);
  await assert.rejects(train({ ...used, resume: true }), /leave out --model/);
  await assert.rejects(train({ ...job(), data: join(root, 'nowhere') }), /no such file or folder/);
  await assert.rejects(train(job({ options: { batch: 64 } })), /do not fill a batch/);
  assert.equal(existsSync(fresh.out), false);
});
