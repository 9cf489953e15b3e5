import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluate } from '../../test/support/evaluate.js';
import { tinyConfig } from '../../test/support/randomWeights.js';
import { input } from '../graph/expr.js';
import { networkCost } from './cost.js';
import { levelWidths, multilevelReadout } from './multilevelReadout.js';
import { inventoryOf, readoutWidths } from './network.js';
import { networkConfig, parseNetworkConfig } from './registry.js';
import { countValues } from './variables.js';

test('cosines over time, change and tokens of each level, the last level first, clip by clip', () => {
  // [T, B, C, H, W] = [4, 2, 1, 1, 2]; the first clip's frames have the means 1, 3, 2, 6, the second's are all 5.
  const last = [0, 2, 5, 5, 3, 3, 4, 6, 2, 2, 5, 5, 4, 8, 6, 4];
  const before = last.map((value) => 10 * value);
  const features = {
    map: input('x', [4, 2, 1, 1, 2]),
    tokens: input('tokens', [4, 2]),
    levels: [{ map: input('y', [4, 2, 1, 1, 2]) }],
  };
  assert.deepEqual(levelWidths(features), [9, 5]);
  const [values = []] = evaluate(
    [multilevelReadout(features)],
    new Map([
      ['x', Float64Array.from(last)],
      ['y', Float64Array.from(before)],
      ['tokens', Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8)],
    ]),
  );
  const cosine = (means: readonly number[], k: number) =>
    means.reduce((sum, mean, t) => sum + (mean * Math.cos((Math.PI * k * (2 * t + 1)) / 8)) / 4, 0);
  const summary = (means: readonly number[]) => [
    ...[0, 1, 2, 3].map((k) => cosine(means, k)),
    means.slice(1).reduce((sum, mean, t) => sum + Math.abs(mean - (means[t] ?? NaN)) / 3, 0),
  ];
  const expected = [
    ...[...summary([1, 3, 2, 6]), 1, 2, 3, 4, ...summary([10, 30, 20, 60])],
    ...[...summary([5, 5, 5, 5]), 5, 6, 7, 8, ...summary([50, 50, 50, 50])],
  ];
  assert.equal(values.length, expected.length);
  for (const [i, value] of expected.entries()) assert.ok(Math.abs((values[i] ?? NaN) - value) < 1e-5, `${i}: ${values[i]}`);
});

test('a network with it: parameters as counted, statistics of the readout, and none of the head it replaces', () => {
  const config = { ...tinyConfig(), readout: 'multilevel' as const };
  const { parameters, statistics } = inventoryOf(config);
  assert.equal(networkCost(config).parameters, countValues(parameters));
  const width = readoutWidths(config).reduce((sum, each) => sum + each, 0);
  const names = parameters.map(({ name }) => name).filter((name) => name.startsWith('head.'));
  assert.ok(!names.some((name) => name.startsWith('head.fc')), names.join());
  assert.deepEqual(
    parameters.slice(-2).map(({ shape }) => [...shape]),
    [[config.classes, width], [config.classes]],
  );
  assert.deepEqual(
    statistics.slice(-2).map(({ name, shape }) => [name, ...shape]),
    [
      ['head.readout.mean', width],
      ['head.readout.deviation', width],
    ],
  );
  assert.equal(parseNetworkConfig(config, 'mine').readout, 'multilevel');
  assert.throws(() => parseNetworkConfig({ ...config, causal: true }, 'mine'), /ConfigError: mine: readout: reads whole clips/);
});

test('every network has one, of its last features and four blocks', () => {
  for (const name of ['vmf-0.1g', 'mobilenet-v2-3d-0.2x']) {
    assert.equal(readoutWidths({ ...networkConfig(name), readout: 'multilevel' }).length, 5);
  }
});
