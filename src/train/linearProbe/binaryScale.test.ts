/** The scale and offsets of several labels at once: no neighbour is likelier, and separable or useless scores stay finite. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rng } from '../../rng.js';
import { atBestOffsets } from './binaryScale.js';
import { fitProbe } from './fitProbe.js';
import { resultOf } from './probeResult.js';

/** Platt's likelihood, written out. */
function likelihood(scores: Float64Array, targets: Float32Array, offsets: readonly number[], scale: number): number {
  const classes = offsets.length;
  let sum = 0;
  for (let k = 0; k < classes; k++) {
    const rows = [...targets.keys()].filter((i) => i % classes === k);
    const positives = rows.filter((i) => targets[i] === 1).length;
    for (const i of rows) {
      const t = targets[i] === 1 ? (positives + 1) / (positives + 2) : 1 / (rows.length - positives + 2);
      const p = 1 / (1 + Math.exp(-(scale * (scores[i] ?? NaN) + (offsets[k] ?? NaN))));
      sum += t * Math.log(p) + (1 - t) * Math.log(1 - p);
    }
  }
  return sum;
}

test('no other scale and offsets are likelier', () => {
  const rng = new Rng(['scale']);
  for (let round = 0; round < 40; round++) {
    const [count, classes] = [10 + rng.integer(40), 1 + rng.integer(4)];
    const targets = Float32Array.from({ length: count * classes }, () => Number(rng.chance(0.3)));
    const scores = Float64Array.from(targets, (value) => 0.5 * value + rng.normal(0, 0.4));
    const { scale, offsets } = atBestOffsets(scores, targets, classes);
    const best = likelihood(scores, targets, offsets, scale);
    for (let i = 0; i < 30; i++) {
      const others = offsets.map((offset) => offset + rng.normal(0, 0.05));
      const other = Math.max(0.1, scale + rng.normal(0, 0.05));
      assert.ok(likelihood(scores, targets, others, other) <= best + 1e-9);
    }
  }
});

test('separable scores get a finite scale, useless ones a small one and the frequencies', () => {
  const separable = atBestOffsets(Float64Array.of(0, 0, 1, 1), Float32Array.of(0, 0, 1, 1), 1);
  assert.ok(separable.scale > 1 && separable.scale < 20 && separable.map === 1);
  const reversed = atBestOffsets(Float64Array.of(1, 1, 1, 0), Float32Array.of(0, 0, 0, 1), 1);
  assert.equal(reversed.scale, 0.1);
  assert.ok((reversed.offsets[0] ?? NaN) < 0);
});

test('a probe of several labels at once finds directions that are there, each of its own', () => {
  const rng = new Rng(['probe']);
  const [count, width, classes] = [200, 12, 3];
  const targets = Float32Array.from({ length: count * classes }, () => Number(rng.chance(0.35)));
  const features = Float32Array.from({ length: count * width }, (_, i) => {
    const [n, d] = [Math.floor(i / width), i % width];
    return (d < classes ? 3 * (targets[n * classes + d] ?? 0) : 0) + rng.normal();
  });
  const clips = { features, targets, labels: new Int32Array(count).fill(-1) };
  const fit = fitProbe(clips, classes);
  assert.equal(fit.chosen.top1, undefined);
  const seen = resultOf(clips, fit);
  assert.ok((seen.map ?? 0) > 0.95 && seen.loss < 0.25, `mAP ${seen.map}, loss ${seen.loss}`);
  assert.ok((fit.chosen.map ?? 0) > 0.93 && fit.chosen.loss < 0.3, `left out: mAP ${fit.chosen.map}, loss ${fit.chosen.loss}`);
});
