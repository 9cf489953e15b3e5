/**
 * The gain from unlabelled videos: a share of the labels alone, with the rest unlabelled, and all labels; equally many labelled
 * clips per run.
 */

import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDataset } from '../src/dataset/dataset.js';
import type { LabelledVideos } from '../src/dataset/labelledVideos.js';
import { networkConfig } from '../src/models/registry.js';
import { Rng } from '../src/rng.js';
import type { TrainChoices } from '../src/train/recipe/options.js';
import { readRecipe } from '../src/train/recipe/recipe.js';
import type { TrainJob } from '../src/train/train.js';
import { sideBySide, trainAndTest } from './trainAndTest.js';

export interface SemiRow {
  readonly what: string;
  readonly labelled: number;
  readonly unlabelled: number;
  readonly val: number;
  readonly test: number;
  readonly trainSeconds: number;
}

export interface SemiOptions {
  /** Folder of generated clips, as `vmf synth` makes it. */
  readonly data: string;
  readonly seed: number;
  readonly say: (line: string) => void;
  /** Which of the three runs; all by default. */
  readonly only?: readonly string[];
  /** Options of the run with unlabelled videos, for choosing them. */
  readonly choices?: TrainChoices;
}

const labelledShare = 0.2;
const labelledClips = 6720;
const model = networkConfig('vmf-0.1g', { temporal: 'all' });

export async function semiSupervised({ data: path, seed, say, only, choices = {} }: SemiOptions): Promise<SemiRow[]> {
  const data = await readDataset(path);
  const few = withFewLabels(data, seed);
  const folder = mkdtempSync(join(tmpdir(), 'vmf-unlabelled-'));
  few.others.forEach((video, i) => {
    symlinkSync(video, join(folder, `${i}${video.slice(video.lastIndexOf('.'))}`));
  });
  const all = data.videos.filter(({ split }) => split === 'train').length;
  const some = all - few.others.length;
  const recipe = { ...readRecipe('standard').options, seed, validateEvery: 1000 };
  const alone = { ...recipe, epochs: Math.round(labelledClips / some) };
  const semi = { ...readRecipe('semi').options, seed, validateEvery: 1000, epochs: Math.round(labelledClips / some), ...choices };
  const runs: Readonly<Record<string, Omit<TrainJob, 'out'>>> = {
    few: { data: few.data, options: alone },
    semi: { data: few.data, options: semi, unlabelled: folder },
    all: { data, options: { ...recipe, epochs: Math.round(labelledClips / all) } },
  };
  const chosen = Object.entries(runs).filter(([name]) => only === undefined || only.includes(name));
  const tests = (['val', 'test'] as const).map((split) => data.videos.filter((video) => video.split === split));
  try {
    return await sideBySide(
      chosen.map(([name, job]) => async () => {
        const full = { ...job, recipe: false, model, threads: 1, workers: 1 } as const;
        const { top1, trainSeconds } = await trainAndTest(full, tests);
        const [val = Number.NaN, test = Number.NaN] = top1;
        say(`${name}: val ${(100 * val).toFixed(1)} %, test ${(100 * test).toFixed(1)} %, ${trainSeconds.toFixed(0)} s`);
        const labelled = name === 'all' ? all : some;
        return {
          what: `${name}, seed ${seed}`,
          labelled,
          unlabelled: name === 'semi' ? few.others.length : 0,
          val,
          test,
          trainSeconds,
        };
      }),
      2,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function withFewLabels(data: LabelledVideos, seed: number): { data: LabelledVideos; others: string[] } {
  const labelled = new Set(
    data.labels.flatMap((label) => {
      const own = data.videos.filter((video) => video.label === label && video.split === 'train');
      return new Rng([seed, 'labels', label]).shuffle(own).slice(0, Math.round(labelledShare * own.length));
    }),
  );
  const others = data.videos.filter((video) => video.split === 'train' && !labelled.has(video)).map(({ path }) => path);
  return { data: { ...data, videos: data.videos.filter((video) => video.split !== 'train' || labelled.has(video)) }, others };
}
