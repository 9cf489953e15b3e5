import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkCost, newFrameMacs } from './cost.js';
import { networkConfig } from './registry.js';
import type { VideoMobileFormerConfig } from './videoMobileFormerConfig.js';

/** Multiply-adds of one view with 400 classes and all depthwise kernels 3 long, counted by an independent program. */
const counted: Readonly<Record<string, readonly [at8x112: number, at8x160: number, at16x224: number]>> = {
  '26m': [65893504, 123649024, 471245824],
  '52m': [122765440, 228711424, 883090432],
  '96m': [236370944, 446027648, 1729024256],
  '151m': [346678400, 641568896, 2450782208],
  '214m': [490299008, 909647360, 3495561984],
  '294m': [676109056, 1259610112, 4861236224],
  '508m': [1158486656, 2189185280, 8496030208],
};

const views = [
  [8, 112],
  [8, 160],
  [16, 224],
] as const;

for (const [layout, expected] of Object.entries(counted)) {
  test(`${layout}: multiply-adds at 8x112, 8x160 and 16x224`, () => {
    const macs = views.map(
      ([frames, size]) =>
        networkCost(
          networkConfig(`mobile-former-${layout}`, { frames, height: size, width: size, classes: 400, temporal: 'all' }),
        ).macs,
    );
    assert.deepEqual(macs, expected);
  });
}

test('the rows add up and follow the network', () => {
  const config = networkConfig('vmf-0.5g') as VideoMobileFormerConfig;
  const { layers, parameters, macs } = networkCost(config);
  assert.equal(layers.length, config.blocks.length + 4);
  assert.deepEqual(
    layers.map(({ name }) => name),
    ['stem', 'tokens', ...config.blocks.map((_, i) => `blocks.${i}`), 'bridge', 'head'],
  );
  assert.equal(
    layers.reduce((sum, row) => sum + row.parameters, 0),
    parameters,
  );
  assert.equal(
    layers.reduce((sum, row) => sum + row.macs, 0),
    macs,
  );
  assert.deepEqual(
    layers.slice(2, -2).map(({ channels, temporal }) => [channels, temporal]),
    config.blocks.map(({ out, temporal }) => [out, temporal]),
  );
  assert.equal(layers.at(-1)?.width, 4); // 112 -> 56 (stem) -> 28 -> 14 -> 7 -> 4
});

test('the stem by hand: 27 taps for each of 8 channels at 48 x 48 of 8 frames, and a norm', () => {
  const [stem] = networkCost(networkConfig('vmf-0.1g')).layers;
  assert.deepEqual([stem?.macs, stem?.parameters, stem?.height, stem?.width], [27 * 8 * 8 * 48 * 48, 27 * 8 + 16, 48, 48]);
});

test('a causal network: the parameters of the other, tokens for every frame, and a new frame that costs one frame', () => {
  for (const name of ['vmf-0.1g', 'vmf-1g']) {
    const [plain, causal] = [networkConfig(name), networkConfig(`${name}-causal`)];
    assert.equal(networkCost(causal).parameters, networkCost(plain).parameters);
    assert.ok(networkCost(causal).macs > networkCost(plain).macs);
    const share = newFrameMacs(causal) / (networkCost(causal).macs / causal.frames);
    assert.ok(share > 0.9 && share < 1.3, `${name}: ${share} of a frame's share of the clip`);
    assert.throws(() => newFrameMacs(plain), /ConfigError: vmf.*: is not causal/);
  }
});

test('with one frame causal and not are the same', () => {
  const one = { ...networkConfig('vmf-0.1g', { frames: 1 }) };
  assert.equal(networkCost({ ...one, causal: true }).macs, networkCost(one).macs);
  assert.equal(newFrameMacs({ ...one, causal: true }), networkCost(one).macs);
});
