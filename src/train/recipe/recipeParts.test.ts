import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inventoryOf, masksOf } from '../../models/network.js';
import { modelOf, networkConfig } from '../../models/registry.js';
import type { VideoMobileFormerConfig } from '../../models/videoMobileFormerConfig.js';
import { DivergenceWatch } from '../divergence.js';
import { layerLrScales } from '../layerDecay.js';
import { pseudoTargets, pseudoWeightAt } from '../objectives/semiSupervised.js';
import { dropoutMask, dropPathMask } from '../objectives/supervised.js';
import { recipeDefaults } from './defaults.js';
import { trainOptions } from './options.js';
import { parseRecipe, readRecipe, recipeNames } from './recipe.js';

const network = networkConfig('vmf-0.1g') as VideoMobileFormerConfig;
const { parameters } = inventoryOf(network);
const first = (values: Float32Array, name: string) => {
  let at = 0;
  for (const spec of parameters) {
    if (spec.name.startsWith(name)) return values[at];
    at += spec.shape.reduce((a, b) => a * b, 1);
  }
  return undefined;
};

test('layer decay: 1 for the head, a factor less for each block below, the stem least', () => {
  const rates = layerLrScales(network, 0, { layerDecay: 0.5, unfreezeEpochs: 0 });
  const blocks = network.blocks.length;
  assert.equal(first(rates, 'head.'), 1);
  assert.equal(first(rates, `blocks.${blocks - 1}.`), 0.5);
  assert.equal(first(rates, `blocks.${blocks - 3}.`), 0.125);
  assert.equal(first(rates, 'stem.'), Math.fround(0.5 ** (blocks + 1)));
});

test('staged unfreezing: the head learns first, everything at the end, and what has begun goes on', () => {
  const awake = (epoch: number) => layerLrScales(network, epoch, { layerDecay: 1, unfreezeEpochs: 6 });
  assert.equal(first(awake(0), 'head.'), 1);
  assert.equal(first(awake(0), 'stem.'), 0);
  assert.ok(awake(6).every((rate) => rate === 1));
  const stages = Array.from({ length: 7 }, (_, epoch) => awake(epoch));
  stages.slice(1).forEach((rates, before) => {
    assert.ok(rates.every((rate, i) => rate >= (stages[before]?.[i] ?? 0)));
  });
});

test('depth is counted from the head', () => {
  const deep = networkConfig('vmf-1g');
  assert.deepEqual(
    [
      'head.fc2.weight',
      'bridge.out.bias',
      'blocks.11.conv1.bn.weight',
      'blocks.0.conv1.bn.weight',
      'stem.conv.weight',
      'tokens',
    ].map((name) => modelOf(deep).layerGroup(name, deep)),
    [0, 0, 1, 12, 13, 13],
  );
});

test('masks keep the expected value, and drop path drops deeper branches more often', () => {
  const { dropouts, branches } = masksOf(network);
  assert.equal(dropouts, network.head);
  const options = trainOptions({ batch: 64, dropout: 0.3, dropPath: 0.4 });
  const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  assert.ok(Math.abs(mean(dropoutMask(dropouts, 0.3, options, 5)) - 1) < 0.02);
  const rows = Array.from({ length: 200 }, (_, pass) => dropPathMask(branches, options, pass));
  const kept = (branch: number) => mean(Float32Array.from(rows, (row) => mean(row.subarray(branch * 64, (branch + 1) * 64))));
  const dropped = (branch: number) =>
    mean(
      Float32Array.from(rows, (row) => row.subarray(branch * 64, (branch + 1) * 64).filter((value) => value === 0).length / 64),
    );
  assert.ok(Math.abs(kept(branches - 1) - 1) < 0.03);
  assert.ok(Math.abs(dropped(branches - 1) - 0.4) < 0.02);
  assert.ok(Math.abs(dropped(0) - 0.4 / branches) < 0.01);
});

test('pseudo-labels: the best class where it is sure enough, nothing elsewhere', () => {
  const { targets, confident } = pseudoTargets(Float32Array.of(5, 0, 0, 0.1, 0, 0), 3, 0.9);
  assert.deepEqual([...targets], [1, 0, 0, 0, 0, 0]);
  assert.equal(confident, 1);
});

test('what unlabelled clips weigh rises from next to nothing to its whole over the first part of a run, and stays', () => {
  const options = { pseudoWeight: 2, rampUp: 0.4 };
  const weights = [0, 0.1, 0.2, 0.3, 0.4, 0.7, 1].map((done) => pseudoWeightAt(done, options));
  assert.ok((weights[0] ?? 1) < 0.02);
  assert.ok(weights.slice(1, 5).every((weight, i) => weight > (weights[i] ?? 0)));
  assert.deepEqual(weights.slice(4), [2, 2, 2]);
  assert.equal(pseudoWeightAt(0, { ...options, rampUp: 0 }), 2);
});

test('divergence: no numbers at once, exploding losses after ten passes, never for losses of a learning network', () => {
  assert.match(new DivergenceWatch(5).fault(Number.NaN, 1) ?? '', /the loss is NaN/);
  assert.match(new DivergenceWatch(5).fault(1, Number.POSITIVE_INFINITY) ?? '', /norm is Infinity/);
  const watch = new DivergenceWatch(5);
  const faults = Array.from({ length: 10 }, () => watch.fault(100, 1));
  assert.deepEqual(faults.slice(0, 9), Array(9).fill(undefined));
  assert.match(faults[9] ?? '', /mean loss of 10 passes is 100\.00/);
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 3 * Math.log(12), noNaN: true }), { maxLength: 50 }), (losses) => {
      const calm = new DivergenceWatch(12);
      assert.ok(losses.every((loss) => calm.fault(loss, 1) === undefined));
    }),
  );
});

test('recipes that come with the program are complete; an unknown key is an error that names it', () => {
  assert.deepEqual(recipeNames(), ['finetune', 'semi', 'small', 'standard']);
  for (const name of recipeNames()) {
    const { about } = readRecipe(name);
    assert.match(about.command, new RegExp(`^vmf train .*--recipe ${name}`));
    for (const fact of [about.time, about.accuracy]) assert.match(fact, /\d/, `${name}: ${fact}`);
  }
  const about = 'about: {for: x, command: y, time: 1 s, accuracy: 50 %, chosenOn: z}\n';
  assert.deepEqual(parseRecipe(`${about}options: {epochs: 3}`, 'own.yaml').options, { epochs: 3 });
  assert.throws(() => parseRecipe(`${about}options: {epoch: 3}`, 'own.yaml'), /own\.yaml: options: .*epoch/);
  assert.throws(() => parseRecipe(`${about}options: {augment: {flips: 1}}`, 'own.yaml'), /own\.yaml: options: augment: .*flips/);
  assert.throws(() => parseRecipe(`${about}speed: 3`, 'own.yaml'), /own\.yaml: .*speed/);
  assert.throws(() => parseRecipe('options: {}', 'own.yaml'), /own\.yaml: about/);
  assert.throws(() => parseRecipe('a: [', 'own.yaml'), /own\.yaml: is no YAML/);
  assert.throws(() => readRecipe('fast'), /unknown name "fast"; there are finetune, semi, small, standard/);
  assert.throws(() => readRecipe('./nowhere.yaml'), /nowhere\.yaml: cannot be read: ENOENT/);
});

test('automatic choices: a valid recipe and valid options for any data, more epochs for fewer clips, balance when classes are uneven', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 2, maxLength: 50 }),
      fc.boolean(),
      (perClass, pretrained) => {
        const { recipe, options, reasons } = recipeDefaults({ perClass, pretrained });
        assert.ok(recipeNames().includes(recipe));
        const { batch } = trainOptions(options);
        assert.ok(
          batch <=
            Math.max(
              2,
              perClass.reduce((sum, count) => sum + count, 0),
            ),
        );
        assert.ok(reasons.recipe.startsWith(`recipe ${recipe}: `) && reasons.epochs.startsWith(`${options.epochs} epochs: `));
      },
    ),
  );
  const epochs = (count: number) => recipeDefaults({ perClass: [count, count], pretrained: false }).options.epochs ?? 0;
  assert.ok(epochs(10) >= epochs(100) && epochs(100) > epochs(1000));
  assert.equal(recipeDefaults({ perClass: [10, 16], pretrained: false }).options.classBalanced, true);
  assert.equal(recipeDefaults({ perClass: [10, 15], pretrained: true }).recipe, 'finetune');
});
