/**
 * UT-Interaction (Ryoo and Aggarwal 2010) from scratch: by `split` column, and by the standard leave-one-sequence-out protocol.
 * Clips start at 0.5 s, as the first 15 frames stand still. Size and length alone give 65 / 55 / 62 % (split / set 1 / set 2); a
 * centre crop hides both.
 */

import { availableParallelism } from 'node:os';
import type { Preprocess } from '../src/clip/preprocess.js';
import { readDataset } from '../src/dataset/dataset.js';
import { foldSplit, foldsOf } from '../src/dataset/folds.js';
import type { LabelledVideo, LabelledVideos } from '../src/dataset/labelledVideos.js';
import { meanInterval } from '../src/metrics/meanInterval.js';
import { wilsonInterval } from '../src/metrics/metrics.js';
import { mean, sideBySide, trainAndTest } from './trainAndTest.js';

export interface AccuracyRow {
  readonly what: string;
  readonly top1: number;
  readonly low?: number;
  readonly high?: number;
  readonly testClips: number;
  readonly trainSeconds: number;
  /** Of the rows with folds: top-1 of each sequence left out. */
  readonly folds?: readonly number[];
}

export interface UtInteractionOptions {
  /** The list of clips, `path,label,split,set,fold`. */
  readonly list: string;
  readonly seeds: readonly number[];
  /** Names of the parts to run: split, whole, set1, set2; all by default. */
  readonly only?: readonly string[];
  /** Weights to start from, a name or file; from scratch by default. */
  readonly init?: string;
  readonly say: (line: string) => void;
}

export async function utInteraction(options: UtInteractionOptions): Promise<AccuracyRow[]> {
  const { list, seeds, only } = options;
  const wanted = (name: string) => only === undefined || only.includes(name);
  const rows: AccuracyRow[] = [];
  if (wanted('split')) rows.push(...(await bySplit('split column', await readDataset(list), options, square)));
  if (wanted('whole')) rows.push(...(await bySplit('split column, whole frames', await readDataset(list), options, {})));
  for (const set of ['set1', 'set2']) if (wanted(set)) rows.push(await leaveOneOut(options, set, seeds[0] ?? 0));
  return rows;
}

const square = { height: 112, width: 112, resize: 'crop' } as const;

type Run = Pick<UtInteractionOptions, 'init' | 'say'>;

/** From trained weights the probe chooses how frames are seen. */
function run(
  { init = 'none' }: Run,
  data: LabelledVideos,
  test: readonly LabelledVideo[],
  seed: number,
  cut: Partial<Preprocess> = square,
) {
  const preprocess = { startSec: 0.5, ...(init === 'none' && cut) };
  return trainAndTest({ data, init, options: { seed }, preprocess, threads: 1, workers: 1 }, [test], views);
}

const views = { clips: 3, crops: 1 } as const;

async function bySplit(
  what: string,
  data: LabelledVideos,
  options: UtInteractionOptions,
  cut: Partial<Preprocess>,
): Promise<AccuracyRow[]> {
  const { seeds, say } = options;
  const test = data.videos.filter(({ split }) => split === 'test');
  const rows = await sideBySide(
    seeds.map((seed) => async () => {
      const { top1, trainSeconds } = await run(options, data, test, seed, cut);
      const row = { what: `${what}, seed ${seed}`, top1: top1[0] ?? Number.NaN, testClips: test.length, trainSeconds };
      say(`${row.what}: top-1 ${(100 * row.top1).toFixed(1)} % of ${test.length}, ${trainSeconds.toFixed(0)} s of training`);
      return row;
    }),
    availableParallelism(),
  );
  const average = { top1: mean(rows.map(({ top1 }) => top1)), trainSeconds: mean(rows.map((row) => row.trainSeconds)) };
  return [...rows, { what: `${what}, mean of ${seeds.length} seeds`, ...average, testClips: test.length }];
}

/** Leave one sequence out; Wilson interval. */
async function leaveOneOut(options: UtInteractionOptions, set: string, seed: number): Promise<AccuracyRow> {
  const { list, say } = options;
  const data = await readDataset(list, { filter: [{ column: 'set', values: [set] }], ignoreSplits: true });
  const column = 'fold';
  const folds = foldsOf(data, column, seed);
  const results = await sideBySide(
    folds.map((fold) => async () => {
      const test = [...fold.tested];
      const { top1, trainSeconds } = await run(options, foldSplit(data, column, fold), test, seed);
      say(`${set}, sequence ${fold.name} left out: ${(100 * (top1[0] ?? 0)).toFixed(1)} %, ${trainSeconds.toFixed(0)} s`);
      return { top1: top1[0] ?? Number.NaN, clips: test.length, trainSeconds };
    }),
    availableParallelism(),
  );
  const count = results.reduce((sum, { clips }) => sum + clips, 0);
  const correct = Math.round(results.reduce((sum, { top1, clips }) => sum + top1 * clips, 0));
  const overFolds = meanInterval(results.map(({ top1 }) => top1));
  say(`${set}: mean over sequences ${(100 * overFolds.mean).toFixed(1)} %`);
  return {
    what: `${set}, leave one sequence out, seed ${seed}`,
    ...{ top1: correct / count, ...wilsonInterval(correct, count), testClips: count },
    trainSeconds: mean(results.map((result) => result.trainSeconds)),
    folds: results.map(({ top1 }) => top1),
  };
}
