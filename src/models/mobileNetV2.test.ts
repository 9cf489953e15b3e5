import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluate } from '../../test/support/evaluate.js';
import { input } from '../graph/expr.js';
import { inventoryOf, isClassifier } from './network.js';
import { modelOf, networkConfig } from './registry.js';

const config = networkConfig('mobilenet-v2-3d', { classes: 7 });
const model = modelOf(config);

test('only the last layer belongs to the classes', () => {
  const names = inventoryOf(config).parameters.map(({ name }) => name);
  assert.deepEqual(
    names.filter((name) => isClassifier(config, name)),
    ['classifier.1.weight', 'classifier.1.bias'],
  );
});

test('groups of layers count from the classifier down to the stem', () => {
  const groups = inventoryOf(config).parameters.map(({ name }) => model.layerGroup(name, config));
  assert.equal(groups[0], 19);
  assert.equal(groups.at(-1), 0);
  assert.deepEqual(
    groups,
    groups.toSorted((a, b) => b - a),
  );
  assert.equal(new Set(groups).size, 20);
});

test('the readout is the mean of the last map', () => {
  const map = input('map', [1, 2, 3, 2, 2]);
  const values = new Map([['map', Float64Array.from({ length: 24 }, (_, i) => i)]]);
  const [means = []] = evaluate([model.readout({ map, levels: [] })], values);
  assert.deepEqual([...means], [1.5, 5.5, 9.5, 13.5, 17.5, 21.5]);
});
