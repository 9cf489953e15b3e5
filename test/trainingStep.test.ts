/** Training steps: gradient accumulation, EMA and layer decay against formulas, drop path and frozen statistics. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sizeOf } from '../src/graph/shape.js';
import { clipShape, evaluationGraph, masksOf } from '../src/models/network.js';
import { Rng } from '../src/rng.js';
import { layerLrScales } from '../src/train/layerDecay.js';
import {
  defaultStep,
  gradientMicroStep,
  type StepOptions,
  scheduleValues,
  smoothedTargets,
  teachingGraph,
  trainingStep,
} from '../src/train/step.js';
import { blockOf, layouts } from './support/layouts.js';
import { randomWeights, tinyConfig } from './support/randomWeights.js';
import { runGraph, runOnce } from './support/runOnce.js';

const config = tinyConfig();
const weights = randomWeights(config);
const count = weights.parameters.length;
const frozen = { ...defaultStep, frozenStatistics: true } as const;
const rng = new Rng(['step']);
const four = Float32Array.from({ length: sizeOf(clipShape(config, 4)) }, () => rng.normal());
const labels = Int32Array.of(0, 1, 2, 3);
const image = 3 * config.height * config.width;

type Values = ReadonlyMap<string, Float32Array>;

function some(from: number, to: number): Float32Array {
  const out = new Float32Array(config.frames * (to - from) * image);
  for (let t = 0; t < config.frames; t++)
    out.set(four.subarray((t * 4 + from) * image, (t * 4 + to) * image), t * (to - from) * image);
  return out;
}

function feeds(clips: Float32Array, which: Int32Array, more: Readonly<Record<string, Float32Array>> = {}): Values {
  const schedule = scheduleValues({ step: 1, rate: 1e-2, weightDecay: 0.1, betas: defaultStep.betas, keep: 0.75 });
  return new Map(
    Object.entries({
      ...{ clips, targets: smoothedTargets(which, config.classes, 0.1), schedule, ...weights },
      dropout: new Float32Array(which.length * masksOf(config).dropouts).fill(1),
      ...{ expAvg: new Float32Array(count), expAvgSq: new Float32Array(count), ...more },
    }),
  );
}

const stepOnce = (options: StepOptions, values: Values) => runGraph(trainingStep(config, options), values, 0);

function near(got: Float32Array | undefined, expected: Float32Array | undefined, within: number): void {
  assert.equal(got?.length, expected?.length);
  const worst = Math.max(...Array.from(got ?? [], (value, i) => Math.abs(value - (expected?.[i] ?? Number.NaN))));
  assert.ok(worst <= within, `differs by ${worst}`);
}

test('two passes of two clips make the step that one pass of four makes', async () => {
  const whole = await stepOnce({ ...frozen, clips: 4 }, feeds(four, labels));
  const options = { ...frozen, clips: 2, gradAccum: 2 };
  const begun = { gradients: new Float32Array(count) };
  const first = await runGraph(gradientMicroStep(config, options), feeds(some(0, 2), labels.slice(0, 2), begun), 0);
  assert.equal(first.updates['parameters'], undefined);
  const gradients = first.updates['gradients'] ?? new Float32Array();
  const second = await stepOnce(options, feeds(some(2, 4), labels.slice(2), { gradients }));
  near(second.updates['expAvg'], whole.updates['expAvg'], 1e-6);
  near(second.outputs['gradientNorm'], whole.outputs['gradientNorm'], 1e-4);
  assert.ok(second.updates['gradients']?.every((value) => value === 0));
});

test('the moving average keeps its share of the old and takes the rest from the new weights', async () => {
  const average = weights.parameters.map((value) => value + 1);
  const got = await stepOnce({ ...frozen, clips: 4, ema: true }, feeds(four, labels, { ema: average }));
  const next = got.updates['parameters'] ?? new Float32Array();
  near(
    got.updates['ema'],
    average.map((value, i) => 0.75 * value + 0.25 * (next[i] ?? NaN)),
    1e-6,
  );
});

test('layer-wise rates scale what a parameter moves, weight decay included; 0 leaves it alone', async () => {
  const plain = await stepOnce({ ...frozen, clips: 4 }, feeds(four, labels));
  const rates = layerLrScales(config, 0, { layerDecay: 0.5, unfreezeEpochs: 0 });
  const scaled = await stepOnce({ ...frozen, clips: 4, layerRates: true }, feeds(four, labels, { rates }));
  const moved = (next: Float32Array | undefined) => weights.parameters.map((value, i) => (next?.[i] ?? NaN) - value);
  const expected = moved(plain.updates['parameters']).map((value, i) => value * (rates[i] ?? NaN));
  near(moved(scaled.updates['parameters']), expected, 1e-6);
  const asleep = layerLrScales(config, 0, { layerDecay: 1, unfreezeEpochs: 3 });
  const staged = await stepOnce({ ...frozen, clips: 4, layerRates: true }, feeds(four, labels, { rates: asleep }));
  const still = moved(staged.updates['parameters']).filter((_, i) => asleep[i] === 0);
  assert.ok(still.length > count / 2 && still.every((value) => value === 0));
});

for (const layout of layouts) {
  test(`drop path, ${layout}: all kept is the plain step; a dropped clip changes, the others do not`, async (t) => {
    const block = await blockOf(t, layout);
    if (block === undefined) return;
    const branches = masksOf(config).branches;
    assert.equal(branches, 2, 'the first mf block and the inner half of the down block; the others change the width');
    const options = { ...frozen, clips: 4 };
    const run = async (dropPath: Float32Array) =>
      (await runGraph(trainingStep(config, { ...options, dropPath: true }), feeds(four, labels, { dropPath }), block)).outputs[
        'logits'
      ];
    const plain = (await runGraph(trainingStep(config, options), feeds(four, labels), block)).outputs['logits'];
    near(await run(new Float32Array(branches * 4).fill(1)), plain, 1e-4);
    const mask = new Float32Array(branches * 4).fill(1);
    mask[4 + 2] = 0; // the second branch of clip 2
    const dropped = await run(mask);
    const row = (values: Float32Array | undefined, b: number) => values?.slice(b * config.classes, (b + 1) * config.classes);
    for (const b of [0, 1, 3]) near(row(dropped, b), row(plain, b), 1e-4);
    assert.throws(() => near(row(dropped, 2), row(plain, 2), 1e-3));
  });
}

test('frozen statistics: the step sees the network as testing does, and leaves the statistics alone', async () => {
  const got = await stepOnce({ ...frozen, clips: 4 }, feeds(four, labels));
  const tested = await runOnce({ logits: evaluationGraph(config, 4) }, feeds(four, labels), 0);
  near(got.outputs['logits'], tested['logits'], 1e-4);
  assert.equal(got.updates['statistics'], undefined);
});

test('a teacher answers from the average of the weights, under the statistics of its batch unless those are frozen', async () => {
  const { parameters } = weights;
  const values = new Map([...feeds(four, labels), ['ema', parameters], ['parameters', parameters.map(() => 0)]]);
  const logitsOf = async (frozenStatistics: boolean) =>
    (await runGraph(teachingGraph(config, 4, 'ema', frozenStatistics), values, 0)).outputs['logits'];
  const student = await stepOnce({ ...defaultStep, clips: 4 }, feeds(four, labels));
  const evaluated = await runOnce({ logits: evaluationGraph(config, 4) }, feeds(four, labels), 0);
  near(await logitsOf(false), student.outputs['logits'], 1e-5);
  near(await logitsOf(true), evaluated['logits'], 1e-5);
  assert.throws(() => near(student.outputs['logits'], evaluated['logits'], 1e-2), /differs/);
});

test('rows of targets weigh their clips: a clip without weight teaches nothing', async () => {
  const targets = smoothedTargets(labels, config.classes, 0);
  targets.fill(0, 2 * config.classes);
  const options = { ...frozen, clips: 4 };
  const half = await stepOnce(options, feeds(four, labels, { targets }));
  const alone = await stepOnce(
    { ...frozen, clips: 2 },
    feeds(some(0, 2), labels.slice(0, 2), { targets: smoothedTargets(labels.slice(0, 2), config.classes, 0) }),
  );
  near(
    half.updates['expAvg'],
    alone.updates['expAvg']?.map((value) => value / 2),
    1e-6,
  );
});
