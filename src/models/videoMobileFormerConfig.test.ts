import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkCost } from './cost.js';
import { inventoryOf } from './network.js';
import { networkConfig, networkNames } from './registry.js';
import { countValues } from './variables.js';
import { type VideoMobileFormerConfig, variants } from './videoMobileFormerConfig.js';

/** Trainable parameters with 1000 classes, of the authors' code. */
const published: Readonly<Record<string, number>> = {
  '26m': 3232788,
  '52m': 3469092,
  '96m': 4585252,
  '151m': 7595828,
  '214m': 9425920,
  '294m': 11422648,
  '508m': 13976976,
};

for (const [layout, parameters] of Object.entries(published)) {
  test(`mobile-former-${layout} has exactly the published parameters, by counting and by listing them`, () => {
    const config = networkConfig(`mobile-former-${layout}`);
    assert.deepEqual([config.frames, config.height, config.width, config.classes], [1, 224, 224, 1000]);
    assert.equal(networkCost(config).parameters, parameters);
    assert.equal(countValues(inventoryOf(config).parameters), parameters);
  });
}

test('counting and listing agree for every name, also with kernels in time', () => {
  for (const { name } of variants) {
    for (const temporal of ['all', 'late', 'none'] as const) {
      const config = networkConfig(name, { temporal, classes: 7 });
      assert.equal(networkCost(config).parameters, countValues(inventoryOf(config).parameters), `${name}, ${temporal}`);
    }
  }
});

test('every member of the family costs 60 to 100 % of its name', () => {
  const family = networkNames.filter((name) => name.startsWith('vmf-') && !name.endsWith('-causal'));
  assert.deepEqual(family, ['vmf-0.1g', 'vmf-0.25g', 'vmf-0.5g', 'vmf-1g', 'vmf-2g', 'vmf-4g', 'vmf-6g']);
  for (const name of family) {
    const named = Number(name.slice('vmf-'.length, -1)) * 1e9;
    for (const classes of [10, 400, 1000]) {
      const { macs } = networkCost(networkConfig(name, { classes }));
      assert.ok(macs <= named && macs >= 0.6 * named, `${name} with ${classes} classes: ${macs}`);
    }
  }
});

test('6 tokens from vmf-1g up', () => {
  const tokens = Object.fromEntries(
    networkNames
      .filter((name) => /^vmf-[^-]+$/.test(name))
      .map((name) => [name, (networkConfig(name) as VideoMobileFormerConfig).tokens]),
  );
  assert.deepEqual(tokens, { 'vmf-0.1g': 3, 'vmf-0.25g': 3, 'vmf-0.5g': 4, 'vmf-1g': 6, 'vmf-2g': 6, 'vmf-4g': 6, 'vmf-6g': 6 });
});

test('late kernels in time begin at 14 of 224 pixels', () => {
  const { blocks } = networkConfig('vmf-6g') as VideoMobileFormerConfig;
  const first = blocks.findIndex(({ temporal }) => temporal === 3);
  assert.ok(first > 0);
  assert.ok(blocks.slice(first).every(({ temporal }) => temporal === 3));
  const halvings = blocks
    .slice(0, first + 1)
    .filter((block) => block.kind === 'down' || (block.kind === 'lite' && block.stride === 2));
  assert.equal(112 / 2 ** halvings.length, 14);
});

test('a name that is none is refused with those that are', () => {
  for (const name of ['vmf-3g', 'mobile-former-', 'mobile-former-toString', '__proto__', 'constructor', '']) {
    assert.throws(() => networkConfig(name), /^ConfigError: model: unknown name ".*"; known are vmf-0\.1g, /, name);
  }
});

test('every member of the family has a causal one, which differs in name and rule only', () => {
  for (const name of networkNames.filter((each) => /^vmf-[^-]+$/.test(each))) {
    assert.ok(networkNames.includes(`${name}-causal`));
    assert.deepEqual(networkConfig(`${name}-causal`), { ...networkConfig(name), name: `${name}-causal`, causal: true });
  }
  assert.throws(() => networkConfig('mobile-former-52m-causal'), /unknown name/);
});
