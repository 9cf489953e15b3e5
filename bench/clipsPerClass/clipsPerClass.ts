/** Accuracy against the number of labelled clips of each class: from scratch, frozen, and tuned from the same weights. */

import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { readDataset } from '../../src/dataset/dataset.js';
import { type LabelledVideo, type LabelledVideos, videosOf } from '../../src/dataset/labelledVideos.js';
import { percent } from '../../src/metrics/percent.js';
import type { NetworkConfig } from '../../src/models/config.js';
import { defaultNetwork, networkNames } from '../../src/models/registry.js';
import { dataDigest } from '../../src/train/progress.js';
import type { TrainChoices } from '../../src/train/recipe/options.js';
import { readRecipe, recipeNames } from '../../src/train/recipe/recipe.js';
import { writeFileAtomically } from '../../src/weights/files.js';
import { UsageError } from '../errors.js';
import { machineSlug, setting } from '../machine.js';
import { sideBySide } from '../trainAndTest.js';
import { type CurvePoint, curvePoints, curveTable } from './curves.js';
import { curvesSvg } from './curvesSvg.js';
import { type Count, Draws } from './draws.js';
import { oneRun } from './oneRun.js';
import { type Kind, kinds, ResultsFile, type RunKey } from './resultsFile.js';
import { type StartWeights, startWeights } from './startWeights.js';

export interface ClipsPerClassOptions {
  readonly data: string;
  readonly draws: number;
  readonly counts: readonly Count[];
  readonly only: readonly Kind[];
  /** A name of pretrained weights, a file, or `default`. */
  readonly init: string;
  readonly startSec: number;
  /** The videos that are tested. */
  readonly split: 'test' | 'val';
  /** Where results are kept, and finished runs found again. */
  readonly out: string;
  readonly say: (line: string) => void;
  /** The network from scratch; by default that of the weights. */
  readonly model?: string | NetworkConfig;
  /** Options of training other than `vmf train`'s own. */
  readonly choices?: TrainChoices;
  /** Runs at once, a thread each; as many as cores by default. */
  readonly lanes?: number;
  readonly cacheFolder?: string | false;
}

export interface ClipsPerClass {
  readonly rows: readonly CurvePoint[];
  readonly table: string;
}

export async function clipsPerClass(options: ClipsPerClassOptions): Promise<ClipsPerClass> {
  const study = await plan(options);
  const { out, split, startSec, say } = options;
  const file = ResultsFile.open(out, { data: dataDigest(study.data), split, startSec, recipes: recipesDigest() });
  try {
    await finish(study, file);
    const results = resultsOf(study, file);
    await file.write(results);
    const picture = join(out, 'clips-per-class.svg');
    await writeFileAtomically(picture, [new TextEncoder().encode(curvesSvg(results))]);
    say(`kept in ${file.path} and ${picture}`);
    return { rows: results.rows, table: curveTable(results.rows) };
  } finally {
    file.close();
  }
}

function recipesDigest(): string {
  const hash = createHash('sha256');
  for (const name of recipeNames()) hash.update(JSON.stringify([name, readRecipe(name)]));
  return hash.digest('hex');
}

interface Study {
  readonly options: ClipsPerClassOptions;
  readonly data: LabelledVideos;
  readonly test: readonly LabelledVideo[];
  readonly draws: Draws;
  readonly weights: StartWeights | undefined;
  /** The network from scratch. */
  readonly model: string | NetworkConfig;
  readonly counts: readonly Count[];
  readonly keys: readonly RunKey[];
}

async function plan(options: ClipsPerClassOptions): Promise<Study> {
  // No validation videos: what is drawn holds its own. The same test videos as `vmf train` and `vmf eval` keep where there is no split.
  const data = await readDataset(options.data, { valShare: 0, shares: { train: 0.9, val: 0, test: 0.1 } });
  const test = videosOf(data, options.split);
  const draws = new Draws(data);
  const weights = await weightsFor(options);
  const counts = usefulCounts(options.counts, draws.largest);
  const { model = networkFor(weights) } = options;
  return { options, data, test, draws, weights, model, counts, keys: keysOf(options, counts, model, weights) };
}

/** Undefined where nothing but scratch is wanted. */
async function weightsFor({ only, init }: ClipsPerClassOptions): Promise<StartWeights | undefined> {
  if (only.every((kind) => kind === 'scratch')) return undefined;
  const weights = await startWeights(init);
  if (weights.network === undefined && only.includes('tuned'))
    throw new UsageError(`${init}: an ONNX network cannot be tuned; leave tuned out with --only frozen,scratch`);
  return weights;
}

const networkFor = (weights: StartWeights | undefined): string =>
  networkNames.find((name) => name === weights?.network) ?? defaultNetwork;

/** The smallest first; counts that are all clips of every class say so. */
export function usefulCounts(counts: readonly Count[], largest: number): Count[] {
  const wanted = [...new Set(counts)];
  const few = wanted.filter((count): count is number => count !== 'all' && count < largest).sort((a, b) => a - b);
  return few.length < wanted.length ? [...few, 'all'] : few;
}

/** A draw is finished before the next one begins, so that there are curves early. All clips give a frozen network one answer only. */
function keysOf(
  { only, draws }: ClipsPerClassOptions,
  counts: readonly Count[],
  model: string | NetworkConfig,
  weights: StartWeights | undefined,
): RunKey[] {
  const fromWeights = { weights: weights?.sha256 ?? null, network: weights?.network ?? 'onnx' };
  const fresh = { weights: null, network: typeof model === 'string' ? model : model.name };
  return Array.from({ length: draws }, (_, draw) => draw).flatMap((draw) =>
    counts.flatMap((count) =>
      kinds
        .filter((kind) => only.includes(kind) && !(kind === 'frozen' && count === 'all' && draw > 0))
        .map((kind) => ({ kind, count, draw, ...(kind === 'scratch' ? fresh : fromWeights) })),
    ),
  );
}

/** Does the runs that are not in the file yet. */
async function finish(study: Study, file: ResultsFile): Promise<void> {
  const { options, draws, test, weights, model, keys } = study;
  const { say, startSec, choices, cacheFolder, lanes = availableParallelism() } = options;
  const missing = keys.filter((key) => !file.find(key));
  let done = keys.length - missing.length;
  say(`${keys.length} runs, ${done} finished before; clips drawn ${drawnBy(draws)}`);
  const more = { ...(choices && { choices }), ...(cacheFolder !== undefined && { cacheFolder }) };
  const parts = { draws, test, startSec, init: weights?.init, model, ...more };
  const tasks = missing.map((key) => async () => {
    const figures = await oneRun(key, parts);
    const run = { ...key, ...figures, machine: machineSlug(setting().machine), date: new Date().toISOString() };
    await file.add(run, () => resultsOf(study, file));
    const { correct, testClips, seconds } = figures;
    const top1 = `top-1 ${percent(correct / testClips)} of ${testClips}, ${seconds.toFixed(0)} s`;
    say(`${key.kind}, ${key.count} of each class, draw ${key.draw}: ${top1} (${++done} of ${keys.length})`);
  });
  await sideBySide(tasks, lanes);
}

const drawnBy = ({ by }: Draws): string => (by === undefined ? 'one by one' : `from as many recordings as there are (${by})`);

function resultsOf({ options, data, test, draws, weights, counts, keys }: Study, file: ResultsFile) {
  const { labels, root, splitBy } = data;
  const most = Math.max(...labels.map((label) => test.filter((video) => video.label === label).length));
  const facts = { classes: labels.length, largestClass: most / test.length };
  const runs = keys.flatMap((key) => file.find(key) ?? []);
  return {
    ...setting(),
    data: { name: basename(root), classes: labels.length, splitBy, drawn: drawnBy(draws) },
    test: { split: options.split, videos: test.length, largestClass: facts.largestClass },
    ...(weights && { weights: { name: weights.name, sha256: weights.sha256, network: weights.network ?? 'onnx' } }),
    rows: curvePoints(runs, counts, facts),
  };
}
