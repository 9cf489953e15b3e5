/** Bulk throughput: decoding alone, network alone, and both under different thread allocations, interleaved. */

import { availableParallelism } from 'node:os';
import { sizeText } from '../src/clip/clipShape.js';
import { readDataset } from '../src/dataset/dataset.js';
import { orderedMap } from '../src/dataset/orderedMap.js';
import { openRecogniser, type RecogniserOptions } from '../src/inference/fileRecogniser.js';
import type { ClipViews, Recogniser } from '../src/inference/recogniser.js';
import { allocateThreads, decodersFor } from '../src/runtime/cores.js';
import { parseCheckpoint } from '../src/weights/checkpoint.js';
import { readSafetensors } from '../src/weights/files.js';
import { drawActions, freshCheckpoint, withFolder } from './actions.js';
import { CheckError } from './errors.js';
import { median, rounded, timed } from './timing.js';

export interface ThroughputOptions {
  /** A data set; synthetic actions are drawn without one. */
  readonly data?: string | undefined;
  /** Without weights an untrained vmf-0.1g is used, which takes as long as a trained one. */
  readonly weights?: string | undefined;
  readonly clips: number;
  readonly rounds: number;
  readonly say: (line: string) => void;
}

export interface ThroughputRow {
  readonly what: string;
  /** Decoding alone with one decoder, the network alone with one engine of one thread: a core each. */
  readonly decodeMs: number;
  readonly networkMs: number;
  readonly togetherMs: number;
  /** Together / the larger of the two alone. */
  readonly ratio: number;
  /** Both alone / together: how many cores were kept busy with them. */
  readonly coresBusy: number;
  readonly target: number;
  readonly clipsPerSec: number;
}

function shares(): RecogniserOptions[] {
  const cores = availableParallelism();
  const { engines, threads } = allocateThreads('throughput', availableParallelism());
  const product = { engines, threads: engines * threads, workers: decodersFor(availableParallelism()) };
  const half = Math.max(1, Math.floor(cores / 2));
  const others = [
    { engines: half, threads: half, workers: Math.max(1, cores - half) },
    { engines: 1, threads: cores, workers: cores },
  ];
  return [product, ...(cores > 1 ? others : [])];
}

export async function throughput(options: ThroughputOptions): Promise<ThroughputRow[]> {
  const { weights, clips, data } = options;
  const checkpoint = weights ? parseCheckpoint(await readSafetensors(weights), weights) : freshCheckpoint('vmf-0.1g', 12);
  const open = (share: RecogniserOptions) => openRecogniser(checkpoint, { ...share, mode: 'throughput' });
  const chosen = shares();
  const single = await openRecogniser(checkpoint, { threads: 1, engines: 1, workers: 1 });
  const recognisers = await Promise.all(chosen.map(open));
  try {
    const measure = async (folder: string) => measured(single, recognisers, chosen, await videosIn(folder, clips), options);
    if (data) return await measure(data);
    return await withFolder(async (folder) => measure(await drawActions(folder, { train: 0, val: 0, test: clips })));
  } finally {
    await Promise.all([single, ...recognisers].map((each) => each.close()));
  }
}

async function videosIn(folder: string, count: number): Promise<string[]> {
  const { videos } = await readDataset(folder);
  return Array.from({ length: count }, (_, i) => videos[i % videos.length]?.path ?? '');
}

async function measured(
  single: Recogniser,
  recognisers: readonly Recogniser[],
  shares: readonly RecogniserOptions[],
  paths: readonly string[],
  { rounds, say }: ThroughputOptions,
): Promise<ThroughputRow[]> {
  const times = { decode: [] as number[], network: [] as number[], together: recognisers.map((): number[] => []) };
  for (const recogniser of [single, ...recognisers]) await recogniseAll(recogniser, paths); // warm
  for (let round = 0; round < rounds; round++) {
    const decoded = await timed(() => decodeAll(single, paths));
    const network = await timed(() => scoreAll(single, decoded.result));
    times.decode.push(decoded.ms);
    times.network.push(network.ms);
    for (const [i, recogniser] of recognisers.entries()) {
      times.together[i]?.push((await timed(() => recogniseAll(recogniser, paths))).ms);
    }
    const both = times.together.map((own) => rounded(own.at(-1) ?? 0)).join(', ');
    say(`round ${round + 1}: decoding ${rounded(decoded.ms)} ms, network ${rounded(network.ms)} ms, both ${both} ms`);
  }
  const alone = { decodeMs: rounded(median(times.decode)), networkMs: rounded(median(times.network)) };
  return shares.map((share, i) => row(single, paths.length, share, alone, median(times.together[i] ?? [])));
}

function row(
  { config }: Recogniser,
  clips: number,
  { engines = 1, threads = 1, workers = 1 }: RecogniserOptions,
  alone: Pick<ThroughputRow, 'decodeMs' | 'networkMs'>,
  togetherMs: number,
): ThroughputRow {
  const { name, frames } = config;
  const share = `${engines} engine(s) x ${Math.max(1, Math.floor(threads / engines))} thread(s), ${workers} decoder(s)`;
  return {
    what: `video to label, ${clips} clips, ${name} (${frames} frames x ${sizeText(config)} px), ${share}`,
    ...alone,
    togetherMs: rounded(togetherMs),
    ratio: rounded(togetherMs / Math.max(alone.decodeMs, alone.networkMs)),
    coresBusy: rounded((alone.decodeMs + alone.networkMs) / togetherMs),
    target: 1.2,
    clipsPerSec: rounded((clips * 1000) / togetherMs),
  };
}

async function decodeAll(recogniser: Recogniser, paths: readonly string[]): Promise<ClipViews[]> {
  const views: ClipViews[] = [];
  for await (const [path, outcome] of orderedMap(paths, 2 * recogniser.workers + 1, (each) => recogniser.read(each))) {
    if (!('value' in outcome)) throw new CheckError(`${path}: ${String(outcome.error)}`);
    views.push(outcome.value);
  }
  return views;
}

async function scoreAll(recogniser: Recogniser, views: readonly ClipViews[]): Promise<void> {
  for (const view of views) await recogniser.score(view);
}

async function recogniseAll(recogniser: Recogniser, paths: readonly string[]): Promise<void> {
  for await (const result of recogniser.recogniseMany(paths)) {
    if ('error' in result) throw new CheckError(result.error.message);
  }
}
