import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bestPretrained, networksOf, pretrainedFor, pretrainedOf } from './pretrained.js';
import type { PretrainedWeights } from './pretrainedCatalogue.js';
import { networkConfig, networkNames } from './registry.js';

const entry = (name: string, network: string): PretrainedWeights => ({
  ...{ name, network, bytes: 1, sha256: 'f'.repeat(64), knows: 'nothing', terms: 'any' },
});
const small = entry('small', 'vmf-0.1g');
const catalogue = [small, entry('small-too', 'vmf-0.25g'), entry('large', 'vmf-2g'), entry('look-back', 'vmf-0.5g-causal')];
const nameFor = (network: string, chosen: Parameters<typeof networkConfig>[1] = {}) =>
  pretrainedFor(networkConfig(network, chosen), catalogue)?.name;

test('a network takes the first weights whose tensors fit, whatever its classes, frames and size', () => {
  const found = networkNames.map((name) => [name, nameFor(name)]).filter(([, weights]) => weights !== undefined);
  assert.deepEqual(Object.fromEntries(found), {
    ...{ 'vmf-0.1g': 'small', 'vmf-0.25g': 'small', 'vmf-1g': 'large', 'vmf-2g': 'large' },
    ...{ 'vmf-0.1g-causal': 'small', 'vmf-0.25g-causal': 'small', 'vmf-1g-causal': 'large', 'vmf-2g-causal': 'large' },
    ...{ 'vmf-0.5g-causal': 'look-back' }, // and not vmf-0.5g
  });
  assert.equal(nameFor('vmf-0.1g', { classes: 2, frames: 5, height: 64, width: 96 }), 'small');
  assert.equal(nameFor('vmf-0.1g', { temporal: 'late' }), undefined, 'other kernels');
  assert.equal(pretrainedFor({ ...networkConfig('vmf-0.1g'), name: 'my own' }, catalogue)?.name, 'small');
  const wider = { ...networkConfig('vmf-0.1g'), tokenDim: 64 };
  assert.equal(pretrainedFor(wider, catalogue), undefined);
  assert.equal(pretrainedFor(networkConfig('vmf-0.1g'), []), undefined);
});

test('each weights name the networks that they are for, the same that take them', () => {
  assert.deepEqual(networksOf(small), ['vmf-0.1g', 'vmf-0.25g', 'vmf-0.1g-causal', 'vmf-0.25g-causal']);
  const both = [small, entry('small-back', 'vmf-0.1g-causal')];
  assert.equal(pretrainedFor(networkConfig('vmf-0.25g-causal'), both)?.name, 'small-back', 'its own kind goes first');
  for (const each of catalogue) {
    for (const name of networksOf(each)) assert.equal(pretrainedFor(networkConfig(name), [each]), each, name);
  }
});

test('the best are those of the largest network; an unknown name is told what there is', () => {
  assert.equal(bestPretrained(catalogue)?.name, 'large');
  assert.equal(bestPretrained([small, entry('other', 'vmf-0.1g')])?.name, 'small', 'the first of equal ones');
  assert.equal(bestPretrained([]), undefined);
  assert.equal(pretrainedOf('large', catalogue).network, 'vmf-2g');
  const said =
    /^ConfigError: unknown pretrained weights "larger"; there are small \(for vmf-0\.1g, vmf-0\.25g, .*large \(for vmf-1g/;
  assert.throws(() => pretrainedOf('larger', catalogue), said);
  assert.throws(() => pretrainedOf('larger', []), /none come with this version$/);
});
