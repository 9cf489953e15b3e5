import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LatestValue } from './latestValue.js';

test('a reader that keeps up gets everything, one that does not the newest, and the rest is counted', async () => {
  const box = new LatestValue<number>();
  box.put(1);
  assert.equal(await box.take(), 1);
  for (const value of [2, 3, 4]) box.put(value);
  assert.equal(await box.take(), 4);
  assert.equal(box.dropped, 2);
});

test('a waiting reader is woken by a value, by the end and by a failure', async () => {
  const box = new LatestValue<string>();
  const waiting = box.take();
  box.put('a');
  assert.equal(await waiting, 'a');
  const last = box.take();
  box.close();
  assert.equal(await last, undefined);
  const broken = new LatestValue<string>();
  broken.put('left over');
  broken.close(new Error('gone'));
  assert.equal(await broken.take(), 'left over');
  await assert.rejects(broken.take(), /gone/);
});
