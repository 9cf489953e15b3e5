/**
 * Invariants of Video Mobile-Former with any weights. With temporal kernels of 1 only the bridges' attention sees several frames,
 * and it has no order.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topologicalOrder } from '../src/graph/expr.js';
import { frameTiling } from '../src/graph/lowering/frameTiling.js';
import { timeInnermost } from '../src/graph/lowering/timeInnermost.js';
import { sizeOf } from '../src/graph/shape.js';
import type { NetworkConfig } from '../src/models/config.js';
import { clipShape, type FlatWeights, inferenceGraph, inventoryOf } from '../src/models/network.js';
import { networkConfig } from '../src/models/registry.js';
import { countValues } from '../src/models/variables.js';
import { Rng } from '../src/rng.js';
import { blockOf } from './support/layouts.js';
import { randomWeights, tinyConfig } from './support/randomWeights.js';
import { runOnce } from './support/runOnce.js';

const clips = 2;

const networks: Readonly<Record<string, (temporal: 1 | 3, frames: number) => NetworkConfig>> = {
  tiny: (temporal, frames) => tinyConfig({ temporal, frames }),
  '26m, grouped': (temporal, frames) =>
    networkConfig('mobile-former-26m', { frames, height: 32, width: 32, classes: 6, temporal: temporal === 3 ? 'all' : 'none' }),
};

const frameSize = (config: NetworkConfig) => 3 * config.height * config.width;

function randomClips(config: NetworkConfig, seed: number): Float32Array {
  const rng = new Rng([seed, 'clips']);
  return Float32Array.from({ length: sizeOf(clipShape(config, clips)) }, () => rng.normal());
}

function reordered(config: NetworkConfig, x: Float32Array, order: readonly number[]): Float32Array {
  const step = clips * frameSize(config);
  const out = new Float32Array(order.length * step);
  order.forEach((from, to) => {
    out.set(x.subarray(from * step, (from + 1) * step), to * step);
  });
  return out;
}

async function logits(config: NetworkConfig, weights: FlatWeights, x: Float32Array, block = 0): Promise<Float32Array> {
  const got = await runOnce({ logits: inferenceGraph(config, weights, clips) }, new Map([['clips', x]]), block);
  return got['logits'] ?? new Float32Array();
}

/** Largest difference relative to the largest value. */
function apart(a: Float32Array, b: Float32Array): number {
  assert.equal(a.length, b.length);
  const largest = a.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  assert.ok(largest > 0.05, `logits are all but zero: ${a}`);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? Number.NaN))), 0) / largest;
}

function centreTapped(one: NetworkConfig, three: NetworkConfig, weights: FlatWeights): FlatWeights {
  const small = inventoryOf(one).parameters;
  const large = inventoryOf(three).parameters;
  assert.deepEqual(
    small.map(({ name }) => name),
    large.map(({ name }) => name),
  );
  const out = new Float32Array(countValues(large));
  let [from, to] = [0, 0];
  large.forEach(({ shape }, i) => {
    const count = sizeOf(small[i]?.shape ?? []);
    const values = weights.parameters.subarray(from, from + count);
    const kernel = sizeOf(shape) === count ? count : 9; // [C, 1, 1, 3, 3] -> [C, 1, 3, 3, 3]
    const taps = sizeOf(shape) / count;
    for (let at = 0; at < count; at += kernel) {
      out.set(values.subarray(at, at + kernel), to + at * taps + ((taps - 1) / 2) * kernel);
    }
    from += count;
    to += sizeOf(shape);
  });
  return { parameters: out, statistics: weights.statistics };
}

for (const [name, configOf] of Object.entries(networks)) {
  test(`${name}: with kernels of one frame the order of frames does not matter`, async () => {
    const config = configOf(1, 4);
    const weights = randomWeights(config);
    const x = randomClips(config, 1);
    const straight = await logits(config, weights, x);
    for (const order of [
      [3, 2, 1, 0],
      [2, 0, 3, 1],
    ]) {
      const difference = apart(straight, await logits(config, weights, reordered(config, x, order)));
      assert.ok(difference < 1e-5, `order ${order}: logits differ by ${difference}`);
    }
    const other = apart(straight, await logits(config, weights, randomClips(config, 2)));
    assert.ok(other > 0.02, `another clip gives all but the same logits (${other}): the test would see nothing`);
  });

  test(`${name}: with kernels of one frame a static clip gives the image network's logits`, async () => {
    const [video, image] = [configOf(1, 4), configOf(1, 1)];
    const weights = randomWeights(image);
    const x = randomClips(image, 3);
    const still = reordered(image, x, [0, 0, 0, 0]);
    const difference = apart(await logits(image, weights, x), await logits(video, weights, still));
    assert.ok(difference < 1e-5, `logits differ by ${difference}`);
  });

  test(`${name}: with kernels of three frames the order does matter`, async () => {
    const config = configOf(3, 4);
    const weights = randomWeights(config);
    const x = randomClips(config, 1);
    const difference = apart(await logits(config, weights, x), await logits(config, weights, reordered(config, x, [3, 2, 1, 0])));
    assert.ok(difference > 0.01, `logits differ by ${difference} only`);
  });

  test(`${name}: three frames with only the centre tap equal one frame`, async () => {
    const [one, three] = [configOf(1, 3), configOf(3, 3)];
    const weights = randomWeights(one);
    const x = randomClips(one, 4);
    const difference = apart(await logits(one, weights, x), await logits(three, centreTapped(one, three, weights), x));
    assert.ok(difference < 1e-5, `logits differ by ${difference}`);
  });

  test(`${name}: plain and blocked lowering agree`, async (t) => {
    const block = await blockOf(t);
    if (block === undefined) return;
    for (const temporal of [1, 3] as const) {
      const config = configOf(temporal, 3);
      const weights = randomWeights(config);
      const x = randomClips(config, 5);
      const difference = apart(await logits(config, weights, x), await logits(config, weights, x, block));
      assert.ok(difference < 1e-5, `kernels of ${temporal}: logits differ by ${difference}`);
    }
  });
}

for (const [size, frames] of [
  [96, 8],
  [112, 9],
  [32, 5],
] as const) {
  test(`${size} pixels, ${frames} frames: late maps are turned, which changes no logits`, async (t) => {
    const block = await blockOf(t);
    if (block === undefined) return;
    const config = networkConfig('mobile-former-52m', { frames, height: size, width: size, classes: 6, temporal: 'all' });
    const weights = randomWeights(config);
    const turned = topologicalOrder(Object.values(timeInnermost({ logits: inferenceGraph(config, weights, clips) }))).filter(
      ({ op, inputs: [x] }) => op.kind === 'depthwise' && x?.shape[4] === frames,
    );
    const strides = new Set(turned.map(({ op }) => (op.kind === 'depthwise' ? op.stride[0] : 0)));
    assert.deepEqual([...strides].sort(), [1, 2], 'kernels of both strides are turned');
    const x = randomClips(config, 6);
    const difference = apart(await logits(config, weights, x), await logits(config, weights, x, block));
    assert.ok(difference < 1e-5, `logits differ by ${difference}`);
  });
}

test('maps taken apart frame by frame give the same logits', async (t) => {
  const block = await blockOf(t);
  if (block === undefined) return;
  const config = networkConfig('mobile-former-52m', { frames: 5, height: 64, width: 64, classes: 6, temporal: 'all' });
  const weights = randomWeights(config);
  const graph = { logits: inferenceGraph(config, weights, clips) };
  const apart5 = frameTiling(graph, 4 * 5 * clips * 36 * 16 * 16); // down to the widest maps of 16 x 16 positions
  const tapped = topologicalOrder(Object.values(apart5)).filter(({ op }) => op.kind === 'depthwiseTaps');
  assert.ok(tapped.length > 0 && tapped.length % 5 === 0, `${tapped.length} convolutions of one frame each`);
  const x = randomClips(config, 7);
  const feeds = new Map([['clips', x]]);
  const got = (await runOnce(apart5, feeds, block))['logits'] ?? new Float32Array();
  const difference = apart(await logits(config, weights, x), got);
  assert.ok(difference < 1e-5, `logits differ by ${difference}`);
});
