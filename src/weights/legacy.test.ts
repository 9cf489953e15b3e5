import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tinyCheckpoint } from '../../test/support/randomWeights.js';
import { storedCalibration } from './calibration.js';
import { checkpointFile, parseCheckpoint } from './checkpoint.js';

test('weights of square networks, written with a size and a shape, load as what they were', () => {
  for (const [shape, resize] of [
    ['crop', 'crop'],
    ['squeeze', 'stretch'],
  ] as const) {
    const now = tinyCheckpoint({ preprocess: { resize, startSec: 0.5 } });
    const { metadata, tensors } = checkpointFile(now);
    const { height: _, width: __, ...config } = now.config;
    const { height: ___, width: ____, resize: _____, startSec, ...preprocess } = now.preprocess;
    const before = {
      ...metadata,
      config: JSON.stringify({ ...config, size: 32 }),
      preprocess: JSON.stringify({ ...preprocess, fromSec: startSec, size: 32, shape }),
    };
    assert.deepEqual(parseCheckpoint({ metadata: before, tensors }, 'old'), now);
  }
});

test('a threshold written as unknownBelow is read', () => {
  const fittedOn = { videos: 3, split: 'val', views: '1x1', eceBefore: 0, eceAfter: 0, nllBefore: 1, nllAfter: 1 };
  const calibration = JSON.stringify({ temperature: 2, fittedOn, unknownBelow: 0.4 });
  assert.deepEqual(storedCalibration({ calibration }, 'old'), {
    calibration: { temperature: 2, fittedOn, rejectThreshold: 0.4 },
  });
});
