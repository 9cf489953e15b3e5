/**
 * Ablation of the small-set recipe: each part switched off, or on, alone. Validation picks the weights; test clips are only
 * reported.
 */

import { availableParallelism } from 'node:os';
import { readDataset } from '../src/dataset/dataset.js';
import type { LabelledVideos } from '../src/dataset/labelledVideos.js';
import type { TrainChoices } from '../src/train/recipe/options.js';
import { readRecipe } from '../src/train/recipe/recipe.js';
import { narrowNetwork } from './narrowNetwork.js';
import { fewerVideos, mean, sideBySide, trainAndTest } from './trainAndTest.js';

export interface AblationRow {
  readonly what: string;
  /** Means over the seeds, and the difference to the recipe as it is, in shares. */
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

/** Among the classes are two pairs that are each other's reversal. */
const classes = ['kick', 'pick-up', 'pull', 'push', 'put-down', 'wave'];
const perClass = { train: 10, val: 40 } as const;
const length: TrainChoices = { epochs: 30, batch: 4, validateEvery: 1000 };

const augmented = (augment: NonNullable<TrainChoices['augment']>): TrainChoices => ({ augment });

const without: Readonly<Record<string, TrainChoices>> = {
  'random crops': augmented({ scale: [0.7656, 0.7657], aspect: [1, 1], maxCropOffset: 0 }),
  'colour jitter': augmented({ brightness: 0, contrast: 0, saturation: 0 }),
  'speed (span)': augmented({ temporalScale: [1, 1] }),
  'temporal jitter': augmented({ jitter: 0 }),
  dropout: { dropout: 0 },
  'label smoothing': { labelSmoothing: 0 },
  'weight decay': { weightDecay: 0 },
  'statistics estimated anew': { preciseBn: 0 },
};

const withMore: Readonly<Record<string, TrainChoices>> = {
  mixup: { mixup: 0.2 },
  cutmix: { cutmix: 1, mixProb: 0.5 },
  RandAugment: augmented({ operations: 1, magnitude: 0.3 }),
  'random erasing': augmented({ randomErasing: 0.25 }),
  'repeated augmentation in half the epochs': { repeatedAug: 2, epochs: 15 },
  'drop path': { dropPath: 0.1 },
  'average of weights': { ema: 0.95 },
  'accumulation of 2 passes': { gradAccum: 2 },
};

function variants(): Readonly<Record<string, TrainChoices>> {
  const recipe = merged(readRecipe('small').options, length);
  const rows = (word: string, parts: Readonly<Record<string, TrainChoices>>) =>
    Object.entries(parts).map(([name, choice]) => [`${word} ${name}`, merged(recipe, choice)]);
  return { recipe, ...Object.fromEntries([...rows('without', without), ...rows('with', withMore)]) };
}

function merged(base: TrainChoices, more: TrainChoices): TrainChoices {
  return { ...base, ...more, augment: { ...base.augment, ...more.augment } };
}

function withClasses(data: LabelledVideos): LabelledVideos {
  const videos = data.videos.filter(({ label }) => classes.includes(label));
  return { ...data, labels: classes, videos: videos.map((video) => ({ ...video, labelIndex: classes.indexOf(video.label) })) };
}

export async function ablation({ data, seeds, only, say }: AblationOptions): Promise<AblationRow[]> {
  const all = withClasses(await readDataset(data));
  const chosen = Object.entries(variants()).filter(([name]) => only === undefined || only.includes(name));
  const runs = seeds.flatMap((seed) =>
    chosen.map(([name, options]) => async () => {
      const few = fewerVideos(all, perClass.train, perClass.val, seed);
      const tests = (['val', 'test'] as const).map((split) => few.videos.filter((video) => video.split === split));
      const job = {
        data: few,
        model: narrowNetwork,
        recipe: false,
        options: { ...options, seed },
        threads: 1,
        workers: 1,
      } as const;
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
    valDifference: average(name, 'val') - average('recipe', 'val'),
    testDifference: average(name, 'test') - average('recipe', 'test'),
    perSeed: of(name).map(({ val, test }) => [val, test] as const),
    trainSeconds: mean(of(name).map(({ trainSeconds }) => trainSeconds)),
  }));
}
