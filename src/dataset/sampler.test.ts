import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sampleEpoch } from './sampler.js';

const labelsOf = fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 40 });

test('every video once, in another order each epoch', () => {
  fc.assert(
    fc.property(labelsOf, fc.nat(), fc.nat({ max: 100 }), (labels, seed, epoch) => {
      const order = sampleEpoch(labels, { seed, epoch });
      assert.deepEqual(
        order.map(({ video }) => video).sort((a, b) => a - b),
        [...labels.keys()],
      );
      assert.deepEqual(sampleEpoch(labels, { seed, epoch }), order);
    }),
  );
  const labels = Array<number>(20).fill(0);
  assert.notDeepEqual(sampleEpoch(labels, { seed: 0, epoch: 0 }), sampleEpoch(labels, { seed: 0, epoch: 1 }));
});

test('balanced: all classes as often as the largest, every video at least once, no clip twice', () => {
  fc.assert(
    fc.property(labelsOf, fc.nat(), fc.integer({ min: 1, max: 3 }), (labels, seed, repeats) => {
      const order = sampleEpoch(labels, { seed, epoch: 3, classBalanced: true, repeats });
      const counts = new Map<number, number>();
      for (const { video } of order) counts.set(labels[video] ?? -1, (counts.get(labels[video] ?? -1) ?? 0) + 1);
      const sizes = [...new Set(labels)].map((label) => labels.filter((other) => other === label).length);
      for (const count of counts.values()) assert.equal(count, repeats * Math.max(...sizes));
      assert.equal(new Set(order.map(({ video }) => video)).size, labels.length);
      assert.equal(new Set(order.map(({ video, view }) => `${video} ${view}`)).size, order.length);
    }),
  );
});

test('repeats of a video stand side by side', () => {
  const order = sampleEpoch([0, 1, 0, 1], { seed: 1, epoch: 0, repeats: 3 });
  for (let i = 0; i < order.length; i += 3) {
    assert.equal(new Set(order.slice(i, i + 3).map(({ video }) => video)).size, 1);
    assert.deepEqual(
      order.slice(i, i + 3).map(({ view }) => view),
      [0, 1, 2],
    );
  }
});
