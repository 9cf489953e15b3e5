import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkCost, newFrameMacs } from './cost.js';
import { networkConfig, networkNames } from './registry.js';

/** Parameters; multiply-adds of a view; of a causal network those of a new frame of a stream, of others those with a linear readout. */
const exact: Readonly<Record<string, readonly [parameters: number, macs: number, other: number]>> = {
  'vmf-0.1g': [2898372, 85285888, 85000192],
  'vmf-0.25g': [2898372, 240921856, 240636160],
  'vmf-0.5g': [3877420, 466096640, 465564160],
  'vmf-1g': [8572240, 956537856, 955667456],
  'vmf-2g': [8572240, 1795234560, 1794364160],
  'vmf-4g': [10397632, 3578465280, 3576960000],
  'vmf-6g': [12971544, 5717587968, 5715875328],
  'vmf-0.1g-causal': [2898372, 118054400, 15879040],
  'vmf-0.25g-causal': [2898372, 345584896, 22900816],
  'vmf-0.5g-causal': [3877420, 682618880, 44648960],
  'vmf-1g-causal': [8572240, 1584688896, 102350256],
  'vmf-2g-causal': [8572240, 2741890560, 174934560],
  'vmf-4g-causal': [10397632, 5038970880, 319941120],
  'vmf-6g-causal': [12971544, 7794874368, 493170048],
  'mobile-former-26m': [3232788, 23550208, 23917312],
  'mobile-former-52m': [3469092, 49290496, 49657600],
  'mobile-former-96m': [4585252, 92017040, 92406160],
  'mobile-former-151m': [7595828, 146249168, 147196368],
  'mobile-former-214m': [9425920, 208374240, 208963040],
  'mobile-former-294m': [11422648, 286732160, 286839680],
  'mobile-former-508m': [13976976, 498467680, 498886240],
  'mobilenet-v2-3d': [3122648, 519047808, 519047808],
  'mobilenet-v2-3d-0.2x': [964110, 54903164, 54903164],
  'mobilenet-v2-3d-0.45x': [1399834, 157963292, 157963292],
  'mobilenet-v2-3d-0.7x': [2049942, 295696572, 295696572],
};

test('every named network has its exact figures', () => {
  assert.deepEqual(Object.keys(exact).sort(), [...networkNames].sort());
  for (const [name, figures] of Object.entries(exact)) {
    const config = networkConfig(name);
    const { parameters, macs } = networkCost(config);
    const other = config.causal ? newFrameMacs(config) : networkCost({ ...config, readout: 'linear' }).macs;
    assert.deepEqual([parameters, macs, other], figures, name);
  }
});

test('part by part', () => {
  assert.deepEqual(
    networkCost(networkConfig('vmf-0.5g')).layers.map(({ macs }) => macs),
    [16257024, 0, 46964736, 80228864, 44331008, 29501440, 33715200, 32514048, 55485440, 42819584, 56995840, 458752, 26824704],
  );
});

/** Of 600 classes, 16 frames of 112 pixels: multiply-adds in millions, and with 400 classes at 8 frames of 224 pixels. */
const published: Readonly<Record<string, readonly [parameters: number, at16x112: number, at8x224: number]>> = {
  'mobilenet-v2-3d-0.2x': [964110, 54.9, 111.3],
  'mobilenet-v2-3d-0.45x': [1399834, 158.0, 322.8],
  'mobilenet-v2-3d-0.7x': [2049942, 295.7, 606.1],
  'mobilenet-v2-3d': [3122648, 519.0, 1065.5],
};

for (const [name, [parameters, ...millions]] of Object.entries(published)) {
  test(`${name}: parameters and multiply-adds as of an independent implementation`, () => {
    const cost = networkCost(networkConfig(name));
    const larger = networkCost(networkConfig(name, { classes: 400, frames: 8, height: 224, width: 224 }));
    assert.equal(cost.parameters, parameters);
    assert.deepEqual(
      [cost, larger].map(({ macs }) => Math.round(macs / 1e5) / 10),
      millions,
    );
  });
}
