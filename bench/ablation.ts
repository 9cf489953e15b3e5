/**
 * What each part of the recipe brings: the recipe with every part on, each part switched off alone, and the recipe as it is shipped,
 * on generated actions with few clips a class. Validation clips decide what is shipped; test clips are only reported.
 */

import { availableParallelism } from 'node:os';
import { readDataset } from '../src/dataset/list.js';
import { networkConfig } from '../src/models/layouts.js';
import type { TrainChoices } from '../src/train/options.js';
import { readRecipe } from '../src/train/recipe.js';
import { fewerVideos, mean, sideBySide, trainAndTest } from './trainAndTest.js';

export interface AblationRow {
  readonly what: string;
  /** Means over the seeds, and the difference to the row with every part on, in shares. */
  readonly val: number;
  readonly test: number;
  readonly valDifference: number;
  readonly testDifference: number;
  readonly perSeed: readonly (readonly [val: number, test: number])[];
  readonly trainSeconds: number;
}

export interface AblationOptions {
  /** Folder of generated clips, as `vmf synth` makes it. */
  readonly data: string;
  readonly seeds: readonly number[];
  /** Names of the variants to run; all by default. */
  readonly only?: readonly string[];
  readonly say: (line: string) => void;
}

const perClass = { train: 10, val: 20 } as const;

const everything: TrainChoices = {
  ...{ epochs: 30, batch: 8, validateEvery: 1000, rate: 1e-3, weightDecay: 0.05, warmupEpochs: 2, labelSmoothing: 0.1 },
  ...{ mixup: 0.2, cutmix: 1, mixChance: 0.5, dropout: 0.1, dropPath: 0.05, average: 0.98, repeats: 1, balance: 'classes' },
  augment: {
    ...{ scale: [0.7, 1], aspect: [0.9, 1.1], reach: 0.3, brightness: 0.2, contrast: 0.2, saturation: 0.2 },
    ...{ span: [0.8, 1], jitter: 1, operations: 1, magnitude: 0.3, erase: 0.2 },
  },
};

const without = (augment: NonNullable<TrainChoices['augment']>): TrainChoices => ({ augment });

/** Each part switched off alone. */
const switchedOff: Readonly<Record<string, TrainChoices>> = {
  'mixup and cutmix': { mixup: 0, cutmix: 0 },
  mixup: { mixup: 0 },
  cutmix: { cutmix: 0 },
  RandAugment: without({ operations: 0 }),
  'random erasing': without({ erase: 0 }),
  'speed (span)': without({ span: [1, 1] }),
  'temporal jitter': without({ jitter: 0 }),
  'random crops': without({ scale: [0.76, 0.77], aspect: [1, 1], reach: 0 }),
  'colour jitter': without({ brightness: 0, contrast: 0, saturation: 0 }),
  'label smoothing': { labelSmoothing: 0 },
  'weight decay': { weightDecay: 0 },
  'drop path': { dropPath: 0 },
  dropout: { dropout: 0 },
  'average of weights': { average: 0 },
  'warm-up': { warmupEpochs: 0 },
  'gradient limit': { maxGradientNorm: 0 },
  'statistics estimated anew': { statisticsBatches: 0 },
};

/** Options, by the name of the row. Two views of each video in half the epochs cost the same as one. */
function variants(): Readonly<Record<string, TrainChoices>> {
  const off = Object.entries(switchedOff).map(([name, choice]) => [`without ${name}`, merged(everything, choice)]);
  const { epochs, batch, validateEvery } = everything;
  return {
    everything,
    ...Object.fromEntries(off),
    'with repeated augmentation': merged(everything, { repeats: 2, epochs: 15 }),
    'recipe small': merged(readRecipe('small').options, { epochs, batch, validateEvery }),
  };
}

function merged(base: TrainChoices, more: TrainChoices): TrainChoices {
  return { ...base, ...more, augment: { ...base.augment, ...more.augment } };
}

export async function ablation({ data, seeds, only, say }: AblationOptions): Promise<AblationRow[]> {
  const all = readDataset(data);
  const chosen = Object.entries(variants()).filter(([name]) => only === undefined || only.includes(name));
  const model = networkConfig('mobile-former-26m', { frames: 8, size: 64, temporal: 'all' });
  const runs = chosen.flatMap(([name, options]) =>
    seeds.map((seed) => async () => {
      const few = fewerVideos(all, perClass.train, perClass.val, seed);
      const tests = (['val', 'test'] as const).map((split) => few.videos.filter((video) => video.split === split));
      const job = { data: few, model, recipe: false, options: { ...options, seed }, threads: 1, workers: 1 } as const;
      const { top1, trainSeconds } = await trainAndTest(job, tests);
      const [val = Number.NaN, test = Number.NaN] = top1;
      say(
        `${name}, seed ${seed}: val ${(100 * val).toFixed(1)} %, test ${(100 * test).toFixed(1)} %, ${trainSeconds.toFixed(0)} s`,
      );
      return { name, val, test, trainSeconds };
    }),
  );
  const results = await sideBySide(runs, availableParallelism());
  const of = (name: string) => results.filter((result) => result.name === name);
  const average = (name: string, key: 'val' | 'test') => mean(of(name).map((result) => result[key]));
  return chosen.map(([name]) => ({
    what: name,
    val: average(name, 'val'),
    test: average(name, 'test'),
    valDifference: average(name, 'val') - average('everything', 'val'),
    testDifference: average(name, 'test') - average('everything', 'test'),
    perSeed: of(name).map(({ val, test }) => [val, test] as const),
    trainSeconds: mean(of(name).map(({ trainSeconds }) => trainSeconds)),
  }));
}
