import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluate } from '../../test/support/evaluate.js';
import { tinyConfig } from '../../test/support/randomWeights.js';
import { input } from '../graph/expr.js';
import { networkCost } from './cost.js';
import { linearReadout } from './linearReadout.js';
import { inventoryOf } from './network.js';
import { parseNetworkConfig } from './registry.js';
import { countValues } from './variables.js';

test('mean, trend and change of each channel, and the tokens, clip by clip', () => {
  // [T, B, C, H, W] = [4, 2, 1, 1, 2]; the first clip's frames have the means 1, 3, 2, 6, the second's are all 5.
  const frames = [
    [0, 2, 5, 5],
    [3, 3, 4, 6],
    [2, 2, 5, 5],
    [4, 8, 6, 4],
  ];
  const tokens = [1, 2, 3, 4, 5, 6, 7, 8];
  const read = linearReadout(input('x', [4, 2, 1, 1, 2]), input('tokens', [4, 2]));
  assert.deepEqual(read.shape, [2, 7]);
  const [values] = evaluate(
    [read],
    new Map([
      ['x', Float64Array.from(frames.flat())],
      ['tokens', Float64Array.from(tokens)],
    ]),
  );
  // Mean; second half less first half; sum of |2|, |-1|, |4| over 4 frames.
  assert.deepEqual([...(values ?? [])], [3, 2, 7 / 4, 1, 2, 3, 4, 5, 0, 0, 5, 6, 7, 8]);
});

test('a network with a linear readout: parameters as counted, and none of the head it replaces', () => {
  const config = { ...tinyConfig(), readout: 'linear' as const };
  const { parameters } = inventoryOf(config);
  assert.equal(networkCost(config).parameters, countValues(parameters));
  const names = parameters.map(({ name }) => name).filter((name) => name.startsWith('head.'));
  assert.deepEqual(names, [
    'head.conv.conv.weight',
    'head.conv.bn.weight',
    'head.conv.bn.bias',
    'head.linear.weight',
    'head.linear.bias',
  ]);
  assert.equal(parseNetworkConfig(config, 'mine').readout, 'linear');
  assert.throws(() => parseNetworkConfig({ ...config, causal: true }, 'mine'), /ConfigError: mine: readout: reads whole clips/);
});
