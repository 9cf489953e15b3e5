import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trainOptions } from '../train/recipe/options.js';
import { parseRecipe } from '../train/recipe/recipe.js';
import { renamedFlags } from '../train/recipe/renamed.js';
import { evalCommand } from './eval.js';
import { explainCommand } from './explain.js';
import { trainCommand } from './train.js';

test('an old key of a recipe is refused with its new name, in the options and in both augmentations', () => {
  const about = 'about: {for: a, command: b, time: c, accuracy: d, chosenOn: e}\n';
  assert.throws(
    () => parseRecipe(`${about}options: {rate: 0.1, epochs: 3}\n`, 'own.yaml'),
    /^ConfigError: own\.yaml: options: rate is called lr now$/,
  );
  assert.throws(
    () => trainOptions({ balance: 'classes', augment: { reach: 0.3 }, strongAugment: { warp: 1 } }),
    /balance is called classBalanced now; augment\.reach is called augment\.maxCropOffset now; strongAugment\.warp is called strongAugment\.temporalWarp now/,
  );
  assert.throws(
    () => parseRecipe(`${about}preprocess: {fromSec: 1}\n`, 'own.yaml'),
    /^ConfigError: own\.yaml: preprocess\.fromSec is called preprocess\.startSec now$/,
  );
});

test('the new name of every renamed flag is one, and the old is none', () => {
  const flags = [trainCommand(), evalCommand(), explainCommand()].flatMap(({ options }) => options).map(({ long }) => long);
  for (const [old, now] of Object.entries(renamedFlags)) {
    assert.ok(!flags.includes(`--${old}`), old);
    assert.ok(flags.includes(`--${now}`), now);
  }
});
