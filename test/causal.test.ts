/** The causal network: streaming logits equal those of the whole sequence; no frame sees the future; gradients match. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constant, input } from '../src/graph/expr.js';
import { lower } from '../src/graph/lowering/lower.js';
import { causalParameter } from '../src/models/causalKernels.js';
import { streamGraph } from '../src/models/causalStream.js';
import type { NetworkConfig } from '../src/models/config.js';
import { networkCost } from '../src/models/cost.js';
import { constantLogits, type FlatWeights, inferenceGraph, inventoryOf, trainingGraph } from '../src/models/network.js';
import { networkConfig } from '../src/models/registry.js';
import { CausalClip, type Time, WholeClip } from '../src/models/time.js';
import { countValues, Recorder } from '../src/models/variables.js';
import { openRuntime } from '../src/node/graphRuntime.js';
import { Rng } from '../src/rng.js';
import { joined } from '../src/runtime/joined.js';
import { blockOf, layouts } from './support/layouts.js';
import { randomWeights, tinyConfig } from './support/randomWeights.js';
import { runOnce } from './support/runOnce.js';

const window = 4;
const sequence = 13;

const networks: Readonly<Record<string, NetworkConfig>> = {
  tiny: { ...tinyConfig({ frames: window }), causal: true },
  'mobile-former-26m': {
    ...networkConfig('mobile-former-26m', { frames: window, height: 32, width: 32, classes: 6, temporal: 'all' }),
    causal: true,
  },
  'a window of one frame': { ...tinyConfig({ frames: 1 }), causal: true },
  'a rectangle': { ...tinyConfig({ frames: window, height: 32, width: 48 }), causal: true },
};

const framesOf = (config: NetworkConfig, count: number, seed = 0): Float32Array[] => {
  const rng = new Rng([seed, 'frames']);
  return Array.from({ length: count }, () => Float32Array.from({ length: 3 * config.height * config.width }, () => rng.normal()));
};

async function sideBySide(config: NetworkConfig, weights: FlatWeights, frames: Float32Array[], block: number) {
  const clip = input('clip', [frames.length, 1, 3, config.height, config.width]);
  const time = new CausalClip(frames.length, config.frames, [...frames.keys()]);
  const logits = constantLogits(config, weights, clip, { time });
  const { y } = await runOnce({ y: logits }, new Map([['clip', joined(frames)]]), block);
  return frames.map((_, t) => (y ?? new Float32Array()).subarray(t * config.classes, (t + 1) * config.classes));
}

async function streamed(config: NetworkConfig, weights: FlatWeights, frames: Float32Array[], atOnce: number, block: number) {
  const engine = openRuntime({ threads: 1 });
  const { height, width } = config;
  try {
    const session = await engine.load(lower(streamGraph(config, weights, atOnce), { block }), 'stream', 'inference');
    const rounds: Float32Array[][] = [[], []];
    for (const round of rounds) {
      await session.clear();
      for (let from = 0; from + atOnce <= frames.length; from += atOnce) {
        const data = joined(frames.slice(from, from + atOnce));
        const { logits } = await session.run<'logits'>({ frames: { shape: [atOnce, 3, height, width], data } });
        round.push(logits.data);
      }
    }
    return rounds;
  } finally {
    await engine.close();
  }
}

const apart = (a: readonly Float32Array[], b: readonly Float32Array[]): number =>
  Math.max(...a.flatMap((row, t) => Array.from(row, (value, i) => Math.abs(value - (b[t]?.[i] ?? Number.NaN)))));

for (const [name, config] of Object.entries(networks)) {
  for (const layout of layouts) {
    test(`${name}, ${layout}: streamed logits equal the whole sequence's, beyond the window`, async (t) => {
      const block = await blockOf(t, layout);
      if (block === undefined) return;
      const weights = randomWeights(config);
      const frames = framesOf(config, sequence);
      const expected = await sideBySide(config, weights, frames, block);
      const spread = apart(expected.slice(0, -1), expected.slice(1));
      assert.ok(spread > 0.005, `all frames give all but the same logits (${spread}): the test would see nothing`);
      for (const atOnce of [1, 2, 3, 6]) {
        const [first = [], second] = await streamed(config, weights, frames, atOnce, block);
        const ends = first.map((_, run) => expected[(run + 1) * atOnce - 1] ?? new Float32Array());
        assert.ok(apart(first, ends) < 1e-4, `${atOnce} frames at once: logits differ by ${apart(first, ends)}`);
        assert.deepEqual(second, first, 'after clear() the same frames give the same logits to the last digit');
      }
    });
  }
}

const config = networks['tiny'] as NetworkConfig;

test('no frame sees the future', async () => {
  const weights = randomWeights(config);
  const frames = framesOf(config, sequence);
  const changed = frames.map((frame, t) => (t === 7 ? frame.map((v) => v + 1) : frame));
  const [a, b] = [await sideBySide(config, weights, frames, 0), await sideBySide(config, weights, changed, 0)];
  assert.ok(apart(a.slice(0, 7), b.slice(0, 7)) < 1e-6);
  assert.ok(apart(a.slice(7, 8), b.slice(7, 8)) > 1e-3);
});

test('with kernels of one frame, what lies before the window of windows is forgotten', async () => {
  const still = { ...tinyConfig({ frames: window, temporal: 1 }), causal: true };
  const weights = randomWeights(still);
  const frames = framesOf(still, 16);
  const changed = frames.map((frame, t) => (t === 0 ? frame.map((v) => v + 1) : frame));
  const [a, b] = [await sideBySide(still, weights, frames, 0), await sideBySide(still, weights, changed, 0)];
  assert.ok(apart(a.slice(13), b.slice(13)) < 1e-6);
  assert.ok(apart(a.slice(0, 4), b.slice(0, 4)) > 0.01);
});

test("a clip's logits are those of its last frame", async () => {
  const weights = randomWeights(config);
  const frames = framesOf(config, window);
  const every = await sideBySide(config, weights, frames, 0);
  const { y = new Float32Array() } = await runOnce(
    { y: inferenceGraph(config, weights, 1) },
    new Map([['clips', joined(frames)]]),
    0,
  );
  assert.ok(apart([y], every.slice(-1)) < 1e-5);
});

test('a causal network has the parameters of the other one, name by name', () => {
  for (const name of ['vmf-0.1g', 'vmf-6g']) {
    const [plain, causal] = [networkConfig(name), networkConfig(`${name}-causal`)];
    assert.deepEqual(
      inventoryOf(causal).parameters.map(({ name: each, shape }) => [each, shape]),
      inventoryOf(plain).parameters.map(({ name: each, shape }) => [each, shape]),
    );
    assert.equal(networkCost(causal).parameters, countValues(inventoryOf(causal).parameters));
  }
});

test('pairs of clips: an even batch of a causal network, one row of logits a clip', () => {
  const { statistics } = inventoryOf(config);
  const graph = (clips: number) => trainingGraph(config, new Recorder(), statistics, clips, { pairedClips: true });
  assert.throws(() => graph(3), /^ConfigError: tiny: .* even batches, got a batch of 3$/);
  assert.deepEqual(graph(4).logits.shape, [4, config.classes]);
});

test('a kernel turned back gives what it gave in a whole clip where the next frame is like the present one', async () => {
  const [frames, channels, area] = [6, 4, 36];
  const rng = new Rng(['turned kernels']);
  const random = (count: number) => Float32Array.from({ length: count }, () => rng.normal());
  const kernel = random(channels * 27);
  const pictures = Array.from({ length: frames / 2 }, () => random(channels * area));
  const pairs = Array.from({ length: frames }, (_, t) => pictures[Math.floor(t / 2)] as Float32Array);
  const clip = constant(joined(pairs), [frames, 1, channels, 6, 6]);
  const turned = causalParameter([channels, 1, 3, 3, 3], kernel);
  const at = (time: Time, values: Float32Array) => time.depthwise(clip, constant(values, [channels, 3, 3, 3]), 1);
  const back = new CausalClip(frames, frames, [frames - 1]);
  const out = await runOnce({ whole: at(new WholeClip(), kernel), back: at(back, turned), asIs: at(back, kernel) }, new Map(), 0);
  const frame = (values: Float32Array | undefined, t: number) =>
    (values ?? []).slice(t * channels * area, (t + 1) * channels * area);
  const differ = (a: string, b: string) =>
    Math.max(...[2, 4].map((t) => apart([Float32Array.from(frame(out[a], t))], [Float32Array.from(frame(out[b], t))])));
  assert.ok(differ('whole', 'back') < 1e-4);
  assert.ok(differ('whole', 'asIs') > 1);
});
