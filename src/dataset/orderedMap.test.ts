import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { orderedMap } from './orderedMap.js';

test('results come in order although later items finish first, and failures are outcomes', async () => {
  const run = async (item: number) => {
    await wait(20 - item * 4);
    if (item === 2) throw new Error('two');
    return item * 10;
  };
  const seen = [];
  for await (const [item, outcome] of orderedMap([0, 1, 2, 3, 4], 3, run)) {
    seen.push([item, 'value' in outcome ? outcome.value : String(outcome.error)]);
  }
  assert.deepEqual(seen, [
    [0, 0],
    [1, 10],
    [2, 'Error: two'],
    [3, 30],
    [4, 40],
  ]);
});

test('no more than `ahead` items are under way', async () => {
  let underWay = 0;
  let most = 0;
  const run = async () => {
    most = Math.max(most, ++underWay);
    await wait(2);
    underWay--;
  };
  for await (const _ of orderedMap(Array.from({ length: 20 }), 4, run)) await wait(1);
  assert.equal(most, 4);
});

test('leaving the loop aborts what is under way', async () => {
  const aborted: number[] = [];
  const run = (item: number, signal: AbortSignal) =>
    new Promise<number>((resolve, reject) => {
      if (item === 0) return resolve(item);
      signal.addEventListener('abort', () => {
        aborted.push(item);
        reject(signal.reason);
      });
    });
  for await (const _ of orderedMap([0, 1, 2], 3, run)) break;
  assert.deepEqual(aborted, [1, 2]);
});

test('aborting from outside throws the reason', async () => {
  const stop = new AbortController();
  const loop = async () => {
    for await (const [item] of orderedMap([0, 1, 2], 1, async (value) => value, stop.signal)) {
      if (item === 1) stop.abort(new Error('enough'));
    }
  };
  await assert.rejects(loop, /enough/);
  await assert.rejects(loop, /enough/);
});

test('no signal gathers listeners, however many items are under way', async () => {
  const warnings: Error[] = [];
  const hear = (warning: Error) => void warnings.push(warning);
  process.on('warning', hear);
  const run = async (_: number, signal: AbortSignal) => signal.addEventListener('abort', () => {});
  for await (const _ of orderedMap(
    Array.from({ length: 40 }, (_, i) => i),
    30,
    run,
  ))
    await wait(0);
  await wait(5);
  process.off('warning', hear);
  assert.deepEqual(warnings, []);
});
