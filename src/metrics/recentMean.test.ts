import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentMean } from './recentMean.js';

test('the mean of the last few, of fewer at the start', () => {
  const recent = new RecentMean(2);
  assert.deepEqual(recent.add([1, 0]), [1, 0]);
  assert.deepEqual(recent.add([0, 1]), [0.5, 0.5]);
  assert.deepEqual(recent.add([0, 1]), [0, 1]);
  recent.clear();
  assert.deepEqual(recent.add([1, 0]), [1, 0]);
  assert.deepEqual(new RecentMean(1).add([0.25, 0.75]), [0.25, 0.75]);
});
