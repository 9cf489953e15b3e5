import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../../test/smallVideos.js';
import { type Foreign, foreign } from '../../test/support/foreignOnnx.js';
import { emptyClips, frameOf } from '../clip/clipTensor.js';
import type { OnnxNode, OnnxTensor, OnnxValue } from '../graph/onnx.js';
import { readOnnxGraph } from '../graph/onnxGraph.js';
import { openRuntime } from '../node/graphRuntime.js';
import { Rng } from '../rng.js';
import { OnnxFeatures } from './onnxFeatures.js';
import { OnnxNetwork } from './onnxNetwork.js';
import { featuresValue, onnxCost } from './onnxOutline.js';

const form = { frames: 4, height: 8, width: 8 };

function randomClips(count: number) {
  const rng = new Rng(['clips']);
  const clips = emptyClips(count, form);
  return { ...clips, data: clips.data.map(() => rng.normal()) };
}

const channelMean = (t: number, b: number, c: number, clips: ReturnType<typeof randomClips>) =>
  frameOf(clips, t, b)
    .subarray(c * 64, (c + 1) * 64)
    .reduce((sum, value) => sum + value / 64, 0);

const temporal = ([a = 0, b = 0, c = 0, d = 0]: readonly number[]) => [
  (a + b + c + d) / 4,
  (c + d - a - b) / 2,
  (Math.abs(b - a) + Math.abs(c - b) + Math.abs(d - c)) / 4,
];

async function featuresOf(t: TestContext, path: string, output: string, count: number): Promise<Float32Array[]> {
  const engine = openRuntime({ threads: 1 });
  t.after(() => engine.close());
  const features = await OnnxFeatures.load(engine, readFileSync(path), { ...form, output, where: path });
  return features.rows(randomClips(count));
}

const identity: Pick<Foreign, 'nodes'> = { nodes: [{ type: 'Identity', inputs: ['x'], outputs: ['y'] }] };

test('clips and pictures, channels first and last, any batch and a fixed one: maps are averaged, time becomes mean, trend, change', async (t) => {
  const path = join(temporaryFolder(t), 'm.onnx');
  const clips = randomClips(3);
  const expected = [0, 1, 2].map((b) => {
    const each = [0, 1, 2].map((c) => temporal([0, 1, 2, 3].map((frame) => channelMean(frame, b, c, clips))));
    return [0, 1, 2].flatMap((moment) => each.map((values) => values[moment] ?? Number.NaN));
  });
  const shapes: Foreign['shape'][] = [
    ['n', 4, 3, 8, 8],
    ['n', 3, 4, 8, 8],
    ['n', 'frames', 8, 8, 3],
    [2, 4, 3, 'h', 'w'],
    ['n', 3, 8, 8],
    [1, 8, 8, 3],
    [5, 3, 'h', 'w'],
  ];
  for (const shape of shapes) {
    foreign(path, { shape, ...identity, outputs: [{ name: 'y', type: 'float32', shape }] });
    const rows = await featuresOf(t, path, 'y', 3);
    rows.forEach((row, b) => {
      assert.equal(row.length, 9, `${shape}`);
      row.forEach((value, i) => {
        assert.ok(Math.abs(value - (expected[b]?.[i] ?? Number.NaN)) < 1e-5, `[${shape}] clip ${b}, ${i}: ${value}`);
      });
    });
  }
});

test('one vector a clip stays as it is; tokens of pictures are averaged', async (t) => {
  const path = join(temporaryFolder(t), 'm.onnx');
  const mean = (axes: number[]): OnnxNode => ({
    type: 'ReduceMean',
    inputs: ['x'],
    outputs: ['y'],
    attributes: { axes, keepdims: 0 },
  });
  const clips = randomClips(2);
  foreign(path, { shape: ['n', 4, 3, 8, 8], nodes: [mean([1, 3, 4])], outputs: [{ name: 'y', type: 'float32' }] });
  const [, second] = await featuresOf(t, path, 'y', 2);
  const wanted = [0, 1, 2].map((c) => [0, 1, 2, 3].reduce((sum, frame) => sum + channelMean(frame, 1, c, clips) / 4, 0));
  assert.equal(second?.length, 3);
  wanted.forEach((value, c) => {
    assert.ok(Math.abs((second?.[c] ?? Number.NaN) - value) < 1e-5);
  });
  foreign(path, { shape: ['n', 8, 8, 3], nodes: [mean([1])], outputs: [{ name: 'y', type: 'float32' }] });
  const [first] = await featuresOf(t, path, 'y', 1);
  const third = temporal([0, 1, 2, 3].map((frame) => channelMean(frame, 0, 2, randomClips(1))));
  third.forEach((value, moment) => {
    assert.ok(Math.abs((first?.[3 * moment + 2] ?? Number.NaN) - value) < 1e-5);
  });
});

const float = (name: string, shape: number[], value: number): OnnxTensor => {
  const count = shape.reduce((product, size) => product * size, 1);
  return { name, type: 'float32', shape, bytes: new Uint8Array(new Float32Array(count).fill(value).buffer) };
};

function classifier(path: string, outputs: readonly OnnxValue[]): string {
  const nodes: OnnxNode[] = [
    { type: 'Conv', inputs: ['x', 'kernel'], outputs: ['map'], attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] } },
    { type: 'Relu', inputs: ['map'], outputs: ['active'] },
    { type: 'GlobalAveragePool', inputs: ['active'], outputs: ['pooled'] },
    { type: 'Flatten', inputs: ['pooled'], outputs: ['flat'], attributes: { axis: 1 } },
    { type: 'Gemm', inputs: ['flat', 'weights', 'bias'], outputs: ['scores'] },
    { type: 'Softmax', inputs: ['scores'], outputs: ['probabilities'], attributes: { axis: 1 } },
  ];
  const tensors = [float('kernel', [5, 3, 3, 3], 0.1), float('weights', [5, 7], 0.1), float('bias', [7], 0)];
  return foreign(path, { shape: ['n', 3, 'h', 'w'], nodes, tensors, outputs });
}

test('which value holds the features: the one asked for, a telling name, what is no answer, or what the last layer reads', async (t) => {
  const path = join(temporaryFolder(t), 'm.onnx');
  const engine = openRuntime({ threads: 1 });
  t.after(() => engine.close());
  const choice = async (outputs: readonly string[], asked?: string) => {
    classifier(
      path,
      outputs.map((name) => ({ name, type: 'float32' })),
    );
    const model = new Uint8Array(readFileSync(path));
    const network = await OnnxNetwork.load(engine, model.slice(), form, path);
    return featuresValue(readOnnxGraph(model), network.facts, asked, path).output;
  };
  assert.equal(await choice(['probabilities']), 'flat');
  assert.equal(await choice(['probabilities'], 'active'), 'active');
  assert.equal(await choice(['pooled', 'map', 'scores']), 'map');
  await assert.rejects(choice(['scores'], 'none'), /--features: .* has no value "none"; its outputs are "scores"/);
  const rows = await featuresOf(t, classifier(path, [{ name: 'probabilities', type: 'float32' }]), 'flat', 2);
  assert.deepEqual(
    rows.map(({ length }) => length),
    [15, 15],
  );
});

test('weights and multiply-adds of a clip are counted from the shapes of a run', async (t) => {
  const path = classifier(join(temporaryFolder(t), 'm.onnx'), [{ name: 'scores', type: 'float32' }]);
  const engine = openRuntime({ threads: 1 });
  t.after(() => engine.close());
  const model = new Uint8Array(readFileSync(path));
  const network = await OnnxNetwork.load(engine, model.slice(), form, path);
  const cost = await onnxCost(engine, model, network.form, network.inputShape(1));
  assert.deepEqual(cost, { parameters: 135 + 35 + 7, macs: 4 * (64 * 5 * 27 + 35) });
});
