/** The linear baseline: the solver reaches the optimum, the folded readout gives the classifier's answers, and little videos are learnt. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeVideo, temporaryFolder } from '../../test/smallVideos.js';
import { tinyConfig } from '../../test/support/livelyWeights.js';
import { vmf } from '../../test/support/vmf.js';
import { Rng } from '../rng.js';
import { trainBaseline } from './baseline.js';
import { fitLogistic } from './logisticRegression.js';
import { RowSpace } from './rowSpace.js';

test('the optimum: no gradient, and the same in coordinates of the rows', () => {
  const rng = new Rng(['logistic']);
  const [count, width, classes] = [12, 30, 3];
  const features = Float64Array.from({ length: count * width }, () => rng.normal());
  const labels = Int32Array.from({ length: count }, (_, n) => n % classes);
  const options = { penalty: 0.1, tolerance: 1e-8 };
  const wide = fitLogistic({ features, width, labels }, classes, options);
  const space = new RowSpace(features, count);
  const narrow = fitLogistic({ features: space.coordinates, width: count, labels }, classes, options);
  assert.ok(wide.gradient < 1e-7 && narrow.gradient < 1e-7);
  assert.ok(Math.abs(wide.loss - narrow.loss) < 1e-7);
  const expanded = space.inFeatures(narrow.classifier.parameters.subarray(0, count));
  expanded.forEach((value, d) => assert.ok(Math.abs(value - (wide.classifier.parameters[d] ?? NaN)) < 1e-4));
});

test('little videos: a checkpoint that predict and export take', async (t) => {
  const root = temporaryFolder(t);
  for (const [i, label] of ['a', 'b'].entries())
    for (let seed = 0; seed < 6; seed++) makeVideo(join(root, 'data', label, `${seed}.mp4`), { seed: 3 * i + (seed % 3) });
  const common = { threads: 1, workers: 1, cacheFolder: false, dataset: { valShare: 0 } } as const;
  const out = join(root, 'run');
  const summary = await trainBaseline({ data: join(root, 'data'), out, model: tinyConfig(), ...common });
  assert.equal(summary.foreseenTop1, 1);
  const predicted = await vmf(root, 'predict', 'data/b/1.mp4', '--weights', summary.bestPath);
  assert.match(predicted.out, /b/);
  assert.equal(predicted.code, 0);
  const exported = await vmf(root, 'export', '--weights', summary.bestPath, '--onnx', 'm.onnx');
  assert.equal(exported.code, 0, exported.err);
});
