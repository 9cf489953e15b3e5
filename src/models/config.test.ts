import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkConfig, networkNames, parseNetworkConfig } from './registry.js';

const sound = networkConfig('vmf-0.1g');

test('named configurations survive a journey through JSON', () => {
  for (const name of networkNames) {
    const config = networkConfig(name);
    assert.deepEqual(parseNetworkConfig(JSON.parse(JSON.stringify(config)), name), config);
  }
});

test('what is not understood is refused, with its place', () => {
  const refused = (change: object, reason: RegExp) =>
    assert.throws(() => parseNetworkConfig({ ...sound, ...change }, 'mine.json'), reason);
  refused({ colour: 1 }, /^ConfigError: mine\.json: configuration: Unrecognized key: "colour"$/);
  refused({ tokenDim: 30 }, /^ConfigError: mine\.json: tokenDim: .*multiple of 4/);
  refused({ frames: 0 }, /^ConfigError: mine\.json: frames: /);
  refused({ height: '112' }, /^ConfigError: mine\.json: height: .*number/);
  refused({ classes: Number.NaN }, /^ConfigError: mine\.json: classes: /);
  refused({ blocks: [] }, /^ConfigError: mine\.json: blocks: /);
  refused({ blocks: [{ kind: 'conv', out: 8 }] }, /^ConfigError: mine\.json: blocks\.0\.kind: /);
  refused({ blocks: [{ kind: 'mf', expand: 2, out: 8, temporal: 2 }] }, /^ConfigError: mine\.json: blocks\.0\.temporal: /);
  refused(
    { blocks: [{ kind: 'mf', expand: 2, out: 9, temporal: 1 }] },
    /^ConfigError: mine\.json: blocks\.0: .*even widths, got 8 and 9$/,
  );
  refused({ groups: 3 }, /^ConfigError: mine\.json: blocks\.\d+: 3 groups do not divide/);
  for (const value of [null, 3, 'vmf-1g', [], undefined]) {
    assert.throws(() => parseNetworkConfig(value, 'mine.json'), /^ConfigError: mine\.json: /);
  }
});
