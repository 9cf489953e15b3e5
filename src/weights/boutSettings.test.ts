import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BoutSettings, storedBouts } from './boutSettings.js';

const bouts: BoutSettings = {
  ...{ smoothSec: 1, on: 0.6, off: 0.4, minDurationSec: 0.5, bridgeSec: 0.25, windowSec: 2, strideSec: 0.5 },
  ...{ background: 'nothing', fittedOn: { films: 3, split: 'val', f1Before: 0.7, f1: 0.8 } },
};

test('how bouts are made comes back, and without it nothing', () => {
  assert.deepEqual(storedBouts({ bouts: JSON.stringify({ ...bouts, later: 1 }) }, 'a.st'), { bouts });
  assert.deepEqual(storedBouts({}, 'a.st'), {});
  assert.deepEqual(storedBouts({ bouts: '' }, 'a.st'), {});
});

test('what is not understood is said with the file and the key', () => {
  const bad = JSON.stringify({ ...bouts, on: 2 });
  assert.throws(() => storedBouts({ bouts: bad }, 'a.st'), { name: 'WeightsError', message: /^a\.st: metadata "bouts" .*on: / });
  assert.throws(() => storedBouts({ bouts: '{' }, 'a.st'), { name: 'WeightsError', message: /"bouts" is not understood/ });
});
