import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tinyCheckpoint } from '../../test/support/randomWeights.js';
import { checkpointFile, parseCheckpoint } from './checkpoint.js';

test('weights of square networks, written with a size and a shape, load as what they were', () => {
  for (const [shape, resize] of [
    ['crop', 'crop'],
    ['squeeze', 'stretch'],
  ] as const) {
    const now = tinyCheckpoint({ preprocess: { resize } });
    const { metadata, tensors } = checkpointFile(now);
    const { height: _, width: __, ...config } = now.config;
    const { height: ___, width: ____, resize: _____, ...preprocess } = now.preprocess;
    const before = {
      ...metadata,
      config: JSON.stringify({ ...config, size: 32 }),
      preprocess: JSON.stringify({ ...preprocess, size: 32, shape }),
    };
    assert.deepEqual(parseCheckpoint({ metadata: before, tensors }, 'old'), now);
  }
});
