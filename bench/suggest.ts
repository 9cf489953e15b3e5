/**
 * Labelling in the order of `vmf suggest` against random order: how many labels reach the accuracy of random order. After each round
 * a linear probe on frozen features is fitted to what is labelled and tested on the test split, which nothing is chosen on.
 */

import { DataLoader } from '../src/dataset/dataLoader.js';
import { readDataset } from '../src/dataset/dataset.js';
import { type LabelledVideo, videosOf } from '../src/dataset/labelledVideos.js';
import { shapesOf } from '../src/dataset/videoShapes.js';
import { softmax } from '../src/metrics/softmax.js';
import { nodePlatform } from '../src/node/platform.js';
import { Rng } from '../src/rng.js';
import { joined } from '../src/runtime/joined.js';
import { FrozenWeights } from '../src/suggest/frozenWeights.js';
import { informative } from '../src/suggest/informative.js';
import { withWholeView } from '../src/suggest/wholeView.js';
import { fitProbe, type ProbeFit } from '../src/train/linearProbe/fitProbe.js';
import { logitsOf, resultOf } from '../src/train/linearProbe/probeResult.js';
import { parseCheckpoint } from '../src/weights/checkpoint.js';
import { readSafetensors } from '../src/weights/files.js';
import { locateWeights } from '../src/weights/locateWeights.js';
import { UsageError } from './errors.js';

export interface SuggestStudy {
  readonly data: string;
  /** Weights or their name, whose features are used. */
  readonly init: string;
  readonly seeds: readonly number[];
  readonly say: (line: string) => void;
}

export interface SuggestRow {
  readonly what: string;
  readonly seed: number;
  /** Labels after each round, and top-1 on the test videos. */
  readonly labels: readonly number[];
  readonly top1: readonly number[];
}

/** Labels needed for the top-1 of random order (mean over the seeds) at the end of its rounds. */
export interface SuggestSummary {
  readonly what: string;
  readonly randomLabels: number;
  readonly randomTop1: number;
  readonly suggestedLabels: number | null;
  readonly share: number | null;
}

/** What the simulated user labelled before the first suggestion, of each class. */
const before = 2;
/** Labelling ends with this share of the videos: with all of them every order is the same. */
const lastShare = 0.75;

export async function suggestStudy({ data: path, init, seeds, say }: SuggestStudy): Promise<(SuggestRow | SuggestSummary)[]> {
  const data = await readDataset(path);
  const pool = data.videos.filter(({ split }) => split !== 'test');
  const all = await featuresOf([...pool, ...videosOf(data, 'test')], init, say);
  const parts = { all, pool: pool.length, classes: data.labels.length };
  const rows: SuggestRow[] = [];
  for (const seed of seeds) {
    for (const order of ['random', 'suggested'] as const) {
      const row = { what: `${order} order, seed ${seed}`, seed, ...labelled(parts, order, seed) };
      say(`${row.what}: ${row.labels.map((labels, i) => `${labels} ${(100 * (row.top1[i] ?? 0)).toFixed(1)} %`).join(', ')}`);
      rows.push(row);
    }
  }
  const of = (order: string) => rows.filter(({ what }) => what.startsWith(order));
  return [...rows, ...summaries(of('random'), of('suggested'))];
}

interface Features {
  readonly features: Float32Array;
  readonly labels: Int32Array;
  readonly width: number;
  readonly blocks: readonly number[];
}

async function featuresOf(videos: readonly LabelledVideo[], init: string, say: SuggestStudy['say']): Promise<Features> {
  const where = await locateWeights(init);
  const stored = parseCheckpoint(await readSafetensors(where), where);
  const checkpoint = init === where ? stored : withWholeView(stored, await shapesOf(videos));
  const engine = nodePlatform.openRuntime({});
  const loader = new DataLoader({ preprocess: checkpoint.preprocess });
  try {
    const network = await FrozenWeights.load(engine, checkpoint, where);
    const rows: Float32Array[] = [];
    for await (const { clips } of loader.batches(videos, { batch: network.batch, train: false, dropLast: false })) {
      rows.push((await network.of(clips)).features);
    }
    const features = joined(rows);
    say(`features of ${videos.length} videos by ${init}`);
    const labels = Int32Array.from(videos, ({ labelIndex }) => labelIndex);
    return { features, labels, width: features.length / videos.length, blocks: network.blocks };
  } finally {
    await Promise.all([engine.close(), loader.close()]);
  }
}

interface Parts {
  readonly all: Features;
  /** The first so many videos may be labelled; the others are for testing. */
  readonly pool: number;
  readonly classes: number;
}

function labelled(parts: Parts, order: 'random' | 'suggested', seed: number): Pick<SuggestRow, 'labels' | 'top1'> {
  const { all, pool, classes } = parts;
  const rng = new Rng([seed, 'suggest']);
  const test = chosenOf(all, range(pool, all.labels.length));
  const known = firstLabels(parts, rng.fork('first'));
  const [labels, top1]: [number[], number[]] = [[], []];
  for (;;) {
    const fit = fitProbe(chosenOf(all, known), classes, { blocks: all.blocks });
    labels.push(known.length);
    top1.push(resultOf(test, fit).top1 ?? 0);
    const open = range(0, pool).filter((i) => !known.includes(i));
    if (open.length < classes || known.length > lastShare * pool) return { labels, top1 };
    known.push(...(order === 'random' ? rng.shuffle(open).slice(0, classes) : suggested(all, open, known, fit, classes)));
  }
}

function firstLabels({ all, pool, classes }: Parts, rng: Rng): number[] {
  const order = rng.shuffle(range(0, pool));
  return range(0, classes).flatMap((label) => order.filter((i) => all.labels[i] === label).slice(0, before));
}

function suggested(all: Features, open: readonly number[], known: readonly number[], fit: ProbeFit, count: number): number[] {
  const candidates = chosenOf(all, open);
  const logits = logitsOf(candidates, fit);
  const classes = fit.bias.length;
  const scores = open.map((_, i) => softmax(logits.subarray(i * classes, (i + 1) * classes)));
  const given = { features: candidates.features, scores, labelled: chosenOf(all, known).features, blocks: all.blocks };
  return informative(given, count).map(({ index }) => open[index] as number);
}

function chosenOf({ features, labels, width }: Features, indices: readonly number[]) {
  return {
    features: joined(indices.map((i) => features.subarray(i * width, (i + 1) * width))),
    labels: Int32Array.from(indices, (i) => labels[i] as number),
  };
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

function summaries(random: readonly SuggestRow[], suggested: readonly SuggestRow[]): SuggestSummary[] {
  const [first] = random;
  if (!first) throw new UsageError('suggest: give at least one seed');
  const best = (rows: readonly SuggestRow[]) => running(first.labels.map((_, i) => mean(rows.map(({ top1 }) => top1[i] ?? 0))));
  const [byRandom, bySuggestion] = [best(random), best(suggested)];
  return [0.5, 0.75, 1].map((part) => {
    const at = Math.max(1, Math.round(part * (first.labels.length - 1)));
    const randomTop1 = byRandom[at] as number;
    const randomLabels = first.labels[at] as number;
    const needed = labelsFor(randomTop1, first.labels, bySuggestion);
    return {
      what: `labels for the accuracy of ${randomLabels} in random order`,
      ...{
        randomLabels,
        randomTop1,
        suggestedLabels: needed ?? null,
        share: needed === undefined ? null : needed / randomLabels,
      },
    };
  });
}

/** The best so far: a labeller stops where it was best. */
const running = (values: readonly number[]): number[] => values.map((_, i) => Math.max(...values.slice(0, i + 1)));

/** The first number of labels with which a curve reaches a value; between rounds by a straight line. */
function labelsFor(value: number, labels: readonly number[], curve: readonly number[]): number | undefined {
  const at = curve.findIndex((top1) => top1 >= value);
  if (at < 0) return undefined;
  if (at === 0) return labels[0];
  const [low, high] = [curve[at - 1] as number, curve[at] as number];
  const [from, to] = [labels[at - 1] as number, labels[at] as number];
  return from + ((value - low) / (high - low)) * (to - from);
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
