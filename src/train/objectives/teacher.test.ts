import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../../test/smallVideos.js';
import { channelMeans, type Foreign, foreign, logitsValue } from '../../../test/support/foreignOnnx.js';
import { tinyCheckpoint, tinyConfig, writeTinyWeights } from '../../../test/support/randomWeights.js';
import { resampleClips } from '../../clip/clipResample.js';
import { type ClipTensor, emptyClips } from '../../clip/clipTensor.js';
import { makePreprocess } from '../../clip/preprocess.js';
import { exportOnnx } from '../../export/exportWeights.js';
import { lower } from '../../graph/lowering/lower.js';
import type { OnnxNode, OnnxValue } from '../../graph/onnx.js';
import { sizeOf } from '../../graph/shape.js';
import { Inference } from '../../inference/inference.js';
import { softmax } from '../../metrics/softmax.js';
import { inventoryOf, masksOf } from '../../models/network.js';
import { openRuntime } from '../../node/graphRuntime.js';
import { nodePlatform } from '../../node/platform.js';
import { Rng } from '../../rng.js';
import { DivergenceWatch, lossWeight } from '../divergence.js';
import { defaultStep, gradientMicroStep, smoothedTargets } from '../step.js';
import { distillationBatch } from './distillation.js';
import type { Student } from './labelAlignment.js';
import { openTeacher, type TeacherOptions, teacherDigest } from './teacher.js';

const labels = ['a', 'b', 'c'];
const student: Student = {
  labels,
  preprocess: makePreprocess({ frames: 4, height: 16, width: 16, resize: 'crop', mean: [0.5, 0.5, 0.5], std: [1, 1, 1] }),
};

function clipsOf(count: number, { preprocess }: Student = student): ClipTensor {
  const rng = new Rng(['clips']);
  const clips = emptyClips(count, preprocess);
  return { ...clips, data: clips.data.map(() => rng.normal()) };
}

async function answers(path: string, count = 5, temperature = 2, whose = student): Promise<Float32Array> {
  const teacher = await openTeacher(path, whose, { threads: 1 });
  try {
    const clips = clipsOf(count, whose);
    const kept = clips.data.slice();
    const out = await teacher.targets(clips, temperature);
    assert.deepEqual(clips.data, kept, 'the clips are left as they are');
    return out;
  } finally {
    await teacher.close();
  }
}

const close = (got: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number) => {
  assert.equal(got.length, expected.length);
  Array.from(expected).forEach((value, i) => {
    assert.ok(Math.abs((got[i] ?? Number.NaN) - value) <= tolerance, `value ${i}: ${got[i]}, expected ${value}`);
  });
};

test('weights of another form and order of labels: adapted clips in, the labels of the student out', async (t) => {
  const path = join(temporaryFolder(t), 'w.safetensors');
  const known = ['c', 'other', 'a', 'b'];
  await writeTinyWeights(path, { labels: known, frames: 6, height: 32, width: 32 });
  const { config, preprocess, ...weights } = tinyCheckpoint({ labels: known, frames: 6, height: 32, width: 32 });
  const inference = new Inference(config, weights, nodePlatform, { threads: 1 });
  const adapted = resampleClips(clipsOf(5), student.preprocess, preprocess);
  const rows = await inference.logits(adapted);
  await inference.close();
  const expected = rows.flatMap(([c = 0, , a = 0, b = 0]) => softmax([a, b, c], 2));
  close(await answers(path), expected, 1e-6);
  const teacher = await openTeacher(path, student, { threads: 1 });
  await teacher.close();
  assert.equal(teacher.name, 'tiny');
  assert.deepEqual(teacher.notes, [
    "it takes 6 frames of 32 px: the student's 4 frames of 16 px are brought to that",
    'what it says of "other" is left aside',
  ]);
});

test('a model that export wrote says the same as the weights', async (t) => {
  const folder = temporaryFolder(t);
  const [path, model] = [join(folder, 'w.safetensors'), join(folder, 'w.onnx')];
  await writeTinyWeights(path, { labels, frames: 4, height: 32, width: 32 });
  await exportOnnx(path, model);
  close(await answers(model), await answers(path), 1e-4);
});

test('a teacher that was trained on the same videos split otherwise is warned of', async (t) => {
  const path = join(temporaryFolder(t), 'w.safetensors');
  await writeTinyWeights(path, { labels, notes: { data: '/videos', splitBy: 'column split' } });
  const warnings = async (splitBy: string) => {
    const teacher = await openTeacher(path, { ...student, data: { root: '/videos', splitBy } }, { threads: 1 });
    await teacher.close();
    return teacher.warnings;
  };
  assert.deepEqual(await warnings('column split'), []);
  assert.match((await warnings('fold 2 of 5')).join(), /same data, split otherwise \(column split; here: fold 2 of 5\)/);
});

/** Channel means [T][B][3] of the clips. */
function meansOf(count: number): number[][][] {
  const clips = clipsOf(count);
  const plane = student.preprocess.height * student.preprocess.width;
  const mean = (image: number, channel: number) =>
    clips.data.subarray((image * 3 + channel) * plane, (image * 3 + channel + 1) * plane).reduce((a, b) => a + b, 0) / plane;
  return Array.from({ length: 4 }, (_, t) =>
    Array.from({ length: count }, (__, b) => [0, 1, 2].map((channel) => mean(t * count + b, channel))),
  );
}

test('ONNX networks of other origin: clips with channels or frames first, fixed and open batch, images', async (t) => {
  const path = join(temporaryFolder(t), 'm.onnx');
  const means = meansOf(5);
  const second = (means[1] ?? []).flatMap((row) => softmax(row, 2));
  const check = async (shape: Foreign['shape'], time: number | undefined, expected: readonly number[]) =>
    close(await answers(foreign(path, { shape, ...channelMeans(time) })), expected, 1e-5);
  await check(['n', 3, 4, 16, 16], 2, second);
  // Frames of another shape get the clips whole: a third of 32 x 48 is padding, which is 0.
  const padded = (means[1] ?? []).flatMap((row) =>
    softmax(
      row.map((value) => (2 * value) / 3),
      2,
    ),
  );
  await check(['n', 3, 4, 32, 48], 2, padded);
  await check([2, 3, 4, 16, 16], 2, second);
  await check(['n', 4, 3, 16, 16], 1, second);
  await check([1, 'frames', 3, 'height', 'width'], 1, second);
  const all = Array.from({ length: 5 }, (_, b) => {
    const mean = [0, 1, 2].map((c) => means.reduce((sum, frame) => sum + (frame[b]?.[c] ?? Number.NaN) / 4, 0));
    return softmax(mean, 2);
  }).flat();
  await check(['n', 3, 16, 16], undefined, all);
  await check([3, 3, 16, 16], undefined, all);
});

test('an ONNX network may say its labels and normalisation, and give probabilities', async (t) => {
  const path = join(temporaryFolder(t), 'm.onnx');
  const metadata = { labels: '["c","a","b"]', mean: '[0.25,0.5,0.75]', std: '[0.5,0.5,0.5]' };
  const { nodes } = channelMeans();
  const [mean] = nodes as [OnnxNode];
  const soft: OnnxNode[] = [
    { ...mean, outputs: ['means'] },
    { type: 'Softmax', inputs: ['means'], outputs: ['y'], attributes: { axis: 1 } },
  ];
  foreign(path, { shape: ['n', 3, 16, 16], nodes: soft, metadata });
  const one = { ...student, preprocess: makePreprocess({ ...student.preprocess, frames: 1 }) };
  const clips = clipsOf(2, one);
  const expected = [0, 1].flatMap((b) => {
    const [c = 0, a = 0, second = 0] = [0, 1, 2].map((channel) => {
      const plane = clips.data.subarray((b * 3 + channel) * 256, (b * 3 + channel + 1) * 256);
      return (plane.reduce((x, y) => x + y, 0) / 256 + 0.5 - ([0.25, 0.5, 0.75][channel] ?? 0)) / 0.5;
    });
    return softmax([a, second, c], 2);
  });
  close(await answers(path, 2, 2, one), expected, 1e-5);
  const teacher = await openTeacher(path, one, { threads: 1 });
  await teacher.close();
  assert.deepEqual(teacher.notes, ['its outputs are probabilities: their logarithms are used as logits']);
});

async function openedAs(path: string, options: TeacherOptions = {}) {
  const teacher = await openTeacher(path, student, { threads: 1, ...options });
  try {
    return { head: teacher.head, notes: teacher.notes.join('; '), targets: await teacher.targets(clipsOf(2), 2) };
  } finally {
    await teacher.close();
  }
}

test('other classes are for a head: of weights, of a model that says so, of one with labels.txt beside it', async (t) => {
  const folder = temporaryFolder(t);
  const own = join(folder, 'w.safetensors');
  await writeTinyWeights(own, { labels: ['a', 'x', 'y', 'z'], frames: 4, height: 16, width: 16 });
  const weights = await openedAs(own);
  assert.deepEqual(weights.head, { learns: 'classes', outputs: 4 });
  assert.match(weights.notes, /it knows "a", "x", "y", "z", but not "b", "c": a head of the student learns them and falls away/);
  const sums = [0, 1].map((b) => weights.targets.subarray(4 * b, 4 * b + 4).reduce((sum, value) => sum + value, 0));
  close(sums, [1, 1], 1e-5);
  const path = join(folder, 'm.onnx');
  const means = channelMeans();
  foreign(path, { shape: ['n', 3, 16, 16], ...means, metadata: { labels: '["a","b","wave"]' } });
  assert.match((await openedAs(path)).notes, /it knows "a", "b", "wave", but not "c": a head/);
  foreign(path, { shape: ['n', 3, 16, 16], ...means });
  assert.equal((await openedAs(path)).head, undefined);
  writeFileSync(join(folder, 'labels.txt'), 'x\ny\n\nz\n');
  assert.match((await openedAs(path)).notes, /it knows "x", "y", "z", but not "a", "b", "c": a head/);
  const flat: OnnxNode = { type: 'Flatten', inputs: ['x'], outputs: ['y'], attributes: { axis: 1 } };
  foreign(path, { shape: ['n', 3, 16, 16], nodes: [flat], outputs: [{ name: 'y', type: 'float32', shape: ['n', 768] }] });
  const many = await openedAs(path);
  assert.deepEqual(many.head, { learns: 'classes', outputs: 768 });
  assert.match(many.notes, /its 768 outputs are not the data's 3 classes: a head/);
});

test('features are for a head too: where there is no other output, where the name says so, where they are asked for', async (t) => {
  const path = join(temporaryFolder(t), 'm.onnx');
  const map: OnnxNode = { type: 'ReduceMean', inputs: ['x'], outputs: ['y'], attributes: { axes: [3], keepdims: 0 } };
  foreign(path, { shape: ['n', 3, 16, 16], nodes: [map], outputs: [{ name: 'y', type: 'float32' }] });
  assert.deepEqual((await openedAs(path)).head, { learns: 'features', outputs: 3 * 16 });
  const { nodes } = channelMeans();
  const named = nodes.map((node) => ({ ...node, outputs: ['features'] }));
  foreign(path, { shape: ['n', 3, 'h', 'w'], nodes: named, outputs: [{ ...logitsValue, name: 'features' }] });
  const { head, notes } = await openedAs(path, { size: { height: 32, width: 24 } });
  assert.deepEqual(head, { learns: 'features', outputs: 9 });
  assert.match(notes, /its features are "features" \(of its outputs "features"\), 9 a clip; .*--pixels.*; a head of the student/);
  foreign(path, { shape: ['n', 3, 16, 16], nodes });
  assert.deepEqual((await openedAs(path, { features: 'y' })).head, { learns: 'features', outputs: 9 });
  await assert.rejects(
    openedAs(path, { size: { height: 32, width: 32 } }),
    /--teacher-size: .*m\.onnx takes 16 px only; leave it out/,
  );
  const teacher = await openTeacher(path, student, { threads: 1, features: 'y', pixels: '0..255' });
  t.after(() => teacher.close());
  assert.ok(
    (await teacher.targets(clipsOf(2), 1)).every((value) => value === 0),
    'before it is adapted there is nothing to tell',
  );
  await teacher.adapt?.(batchesOf(clipsOf(6)));
  const targets = await teacher.targets(clipsOf(2), 1);
  close(
    [0, 9].map((at) => Math.hypot(...targets.subarray(at, at + 9))),
    [1, 1],
    1e-5,
  );
});

async function* batchesOf(clips: ClipTensor): AsyncGenerator<ClipTensor> {
  yield clips;
}

test('what cannot teach is refused with what was found', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'm.onnx');
  const refused = (reason: RegExp, file = path) => assert.rejects(openTeacher(file, student, { threads: 1 }), reason);
  const written = (choice: Foreign) => foreign(path, choice);
  const means = channelMeans();
  written({ shape: ['n', 3, 3, 16, 16], ...channelMeans(2) });
  await refused(/"x" float32 \[\?, 3, 3, 16, 16\] has 3 frames of 3 channels and does not say which are which/);
  written({ shape: ['n', 4, 16, 16], ...means });
  await refused(/expected one float32 input \[B, 3, T, H, W\].*, got "x" float32 \[\?, 4, 16, 16\]/);
  written({ shape: ['n', 3, 16, 16], ...means, type: 'float16', outputs: [{ ...logitsValue, type: 'float16' }] });
  await refused(/got "x" float16/);
  const second: OnnxValue = { name: 'z', type: 'float32', shape: [1] };
  const both: OnnxNode[] = [...means.nodes, { type: 'Identity', inputs: ['z'], outputs: ['w'] }];
  written({ shape: ['n', 3, 16, 16], nodes: both, more: [second], outputs: [logitsValue, { ...second, name: 'w' }] });
  await refused(/got "x" float32 \[\?, 3, 16, 16\], "z" float32 \[1\]/);
  written({ shape: ['n', 3, 16, 16], ...means, metadata: { labels: '["a","b"]' } });
  await refused(/names 2 labels for 3 outputs/);
  written({ shape: ['n', 3, 16, 16], ...means, metadata: { std: '[1,0,1]' } });
  await refused(/metadata "std": expected three numbers above 0 as JSON/);
  writeFileSync(path, 'no model');
  await refused(/m\.onnx: ONNX Runtime cannot load it: /);
  const own = join(folder, 'w.safetensors');
  await writeTinyWeights(own, { labels: ['a', 'b'] });
  await assert.rejects(openTeacher(own, student, { threads: 1, pixels: '0..1' }), /--pixels: .*w\.safetensors says that itself/);
  writeFileSync(own, 'no weights');
  await refused(/--teacher: .*w\.safetensors: .*not a safetensors file; expected weights of this session, or an ONNX model/, own);
  await refused(/--teacher: .*none\.onnx: cannot be opened \(ENOENT\)/, join(folder, 'none.onnx'));
  mkdirSync(join(folder, 'run'));
  await refused(/run: is a folder; expected weights/, join(folder, 'run'));
  writeFileSync(join(folder, 'run', 'best.safetensors'), '');
  await refused(/run: is a folder; did you mean .*best\.safetensors\?/, join(folder, 'run'));
});

test('a loss that is large for its weights alone does not stop the run, one that explodes does', () => {
  const options = { distillAlpha: 0.9, distillTemperature: 4, pseudoWeight: 1 };
  const weight = lossWeight(options, { teacher: true, unlabelled: true });
  assert.ok(Math.abs(weight - 2 * (0.1 + 0.9 * 16)) < 1e-9);
  assert.equal(lossWeight(options, { teacher: false, unlabelled: false }), 1);
  const [guessing, exploding] = [1, 6].map((times) => {
    const watch = new DivergenceWatch(12, weight);
    return Array.from({ length: 10 }, () => watch.fault(times * weight * Math.log(12), 1)).at(-1);
  });
  assert.equal(guessing, undefined);
  assert.match(exploding ?? '', /more than 5 times that of guessing/);
});

test('the digest is that of the bytes', async (t) => {
  const path = join(temporaryFolder(t), 'w.safetensors');
  await writeTinyWeights(path);
  const digest = createHash('sha256').update(readFileSync(path)).digest('hex');
  assert.equal(await teacherDigest(path), digest);
  assert.equal(await teacherDigest(path, { pixels: '0..1', size: { height: 32, width: 48 } }), `${digest} 0..1  32x48`);
});

/** Logits and flat gradient of one pass of a lively tiny network on 4 clips. */
async function onePass(temperature: number, said: (logits: Float32Array) => { targets: Float32Array; soft: Float32Array }) {
  const config = tinyConfig({ classes: 3 });
  const options = { ...defaultStep, clips: 4, gradAccum: 2, temperature };
  const { parameters, statistics } = tinyCheckpoint({ labels });
  const engine = openRuntime({ threads: 1 });
  try {
    const session = await engine.load(lower(gradientMicroStep(config, options), { block: 0 }), 'pass', 'training');
    const rng = new Rng(['clips']);
    const shape = [4 * config.frames, 3, config.height, config.width];
    const clips = Float32Array.from({ length: sizeOf(shape) }, () => rng.normal());
    const run = async (targets: Float32Array, soft: Float32Array) => {
      await engine.setState({ parameters, statistics, gradients: new Float32Array(parameters.length) });
      const { logits, loss } = await session.run<'logits' | 'loss'>({
        clips: { shape, data: clips },
        targets: { shape: [4, 3], data: targets },
        soft: { shape: [4, 3], data: soft },
        dropout: { shape: [4, masksOf(config).dropouts], data: new Float32Array(4 * masksOf(config).dropouts).fill(1) },
      });
      const { gradients } = await engine.readState(['gradients']);
      return { config, logits: logits.data, loss: loss.data[0] ?? Number.NaN, gradients };
    };
    const { logits } = await run(new Float32Array(12), new Float32Array(12));
    const { targets, soft } = said(logits);
    return { ...(await run(targets, soft)), targets, soft };
  } finally {
    await engine.close();
  }
}

const rowsOf = (values: Float32Array): Float32Array[] => [0, 3, 6, 9].map((at) => values.subarray(at, at + 3));

test('the gradient of both losses is that of the formula; T squared keeps their sizes comparable', async () => {
  const [temperature, share] = [2.5, 0.7];
  const options = { distillAlpha: share, batch: 4, unlabelledRatio: 0.5, pseudoWeight: 1 };
  const known = Int32Array.of(0, 2, 1, 1);
  const teaching = Float32Array.of(0.5, 0.3, 0.2, 0.1, 0.1, 0.8, 0, 1, 0, 0.4, 0.4, 0.2);
  const { config, logits, loss, gradients, targets, soft } = await onePass(temperature, () => {
    const batch = {
      clips: emptyClips(0, student.preprocess),
      targets: smoothedTargets(known, 3, 0.1),
      labels: known,
      videos: known,
    };
    const { targets, soft = new Float32Array() } = distillationBatch(batch, teaching, options);
    return { targets, soft };
  });
  const bias = [0, 0, 0];
  let expected = 0;
  rowsOf(logits).forEach((row, b) => {
    const [hard, gentle] = [softmax(row), softmax(row, temperature)];
    for (const c of [0, 1, 2]) {
      const [y = 0, q = 0] = [rowsOf(targets)[b]?.[c], rowsOf(soft)[b]?.[c]];
      const [p = 0, g = 0] = [hard[c], gentle[c]];
      bias[c] = (bias[c] ?? 0) + ((1 - share) * p - y + temperature * (share * g - q)) / 4;
      expected -= (y * Math.log(p) + temperature ** 2 * q * Math.log(g)) / 4;
    }
  });
  close([loss], [expected], 1e-5);
  const { parameters } = inventoryOf(config);
  const last = parameters.findIndex(({ name }) => name === 'head.fc2.bias');
  const at = parameters.slice(0, last).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  close(gradients.subarray(at, at + 3), bias, 1e-6);
  assert.ok(Math.max(...bias.map(Math.abs)) > 1e-2);
});

test('a teacher that says what the student says, and alone, leaves nothing to learn', async () => {
  const temperature = 3;
  const largest = async (sure: number) => {
    const { gradients } = await onePass(temperature, (logits) => ({
      targets: new Float32Array(12),
      soft: Float32Array.from(
        rowsOf(logits).flatMap((row) =>
          softmax(
            row.map((value) => value * sure),
            temperature,
          ),
        ),
      ),
    }));
    return gradients.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  };
  const [same, other] = [await largest(1), await largest(2)];
  assert.ok(same < 1e-5 * other, `${same} beside ${other}`);
});

test('clips without labels are learnt from the teacher with the weight of their pseudo-labels', () => {
  const labelsOf = Int32Array.of(1, -1, -1, -1);
  const batch = {
    clips: emptyClips(0, student.preprocess),
    targets: new Float32Array(8).fill(0.5),
    labels: labelsOf,
    videos: labelsOf,
  };
  const options = { distillAlpha: 0.25, batch: 4, unlabelledRatio: 0.75, pseudoWeight: 3 };
  const { targets, soft = new Float32Array() } = distillationBatch(batch, new Float32Array(8).fill(0.5), options);
  assert.ok(targets.every((value) => value === 0.375));
  assert.deepEqual([...soft], [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]); // 0.5 x 0.25 x 4; and x 3 x 4 / 3 for the others
  const plain = distillationBatch({ ...batch, labels: Int32Array.of(0, 1, 0, 1) }, new Float32Array(8).fill(0.5), options);
  assert.ok(plain.soft?.every((value) => value === 0.125));
});
