/**
 * Video to label, warm: how well decoding and network overlap. Decoding alone, the network alone, and both as `recogniseMany` runs
 * them, in turn over the same clips; both together should take hardly longer than the larger of the two.
 */

import { inOrder } from '../src/dataset/inOrder.js';
import { readDataset } from '../src/dataset/list.js';
import type { ClipViews } from '../src/recognise/clipReader.js';
import { loadRecogniser, openRecogniser, type Recogniser } from '../src/recognise/recogniser.js';
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
  readonly decodeMs: number;
  readonly networkMs: number;
  readonly togetherMs: number;
  /** Together / the larger of the two alone. */
  readonly ratio: number;
  readonly target: number;
  readonly clipsPerSec: number;
}

export async function throughput(options: ThroughputOptions): Promise<ThroughputRow[]> {
  const { weights, clips, data } = options;
  const recogniser = weights ? await loadRecogniser(weights) : await openRecogniser(freshCheckpoint('vmf-0.1g', 12));
  try {
    const measure = (folder: string) => measured(recogniser, videosIn(folder, clips), options);
    if (data) return [await measure(data)];
    return [await withFolder(async (folder) => measure(await drawActions(folder, { train: 0, val: 0, test: clips })))];
  } finally {
    await recogniser.close();
  }
}

/** The first videos of a data set, from the beginning again if there are too few. */
function videosIn(folder: string, count: number): string[] {
  const { videos } = readDataset(folder);
  return Array.from({ length: count }, (_, i) => videos[i % videos.length]?.path ?? '');
}

async function measured(recogniser: Recogniser, paths: readonly string[], options: ThroughputOptions): Promise<ThroughputRow> {
  const times = { decode: [] as number[], network: [] as number[], together: [] as number[] };
  await recogniseAll(recogniser, paths); // warm
  for (let round = 0; round < options.rounds; round++) {
    const decoded = await timed(() => decodeAll(recogniser, paths));
    const network = await timed(() => scoreAll(recogniser, decoded.result));
    const together = await timed(() => recogniseAll(recogniser, paths));
    times.decode.push(decoded.ms);
    times.network.push(network.ms);
    times.together.push(together.ms);
    options.say(
      `round ${round + 1}: decoding ${rounded(decoded.ms)} ms, network ${rounded(network.ms)} ms, both ${rounded(together.ms)} ms`,
    );
  }
  const [decodeMs, networkMs, togetherMs] = [median(times.decode), median(times.network), median(times.together)];
  const { name, frames, size } = recogniser.config;
  return {
    what: `video to label, ${paths.length} clips, ${name} (${frames} frames x ${size} px), ${recogniser.workers} decoding thread(s)`,
    decodeMs: rounded(decodeMs),
    networkMs: rounded(networkMs),
    togetherMs: rounded(togetherMs),
    ratio: rounded(togetherMs / Math.max(decodeMs, networkMs)),
    target: 1.2,
    clipsPerSec: rounded((paths.length * 1000) / togetherMs),
  };
}

async function decodeAll(recogniser: Recogniser, paths: readonly string[]): Promise<ClipViews[]> {
  const views: ClipViews[] = [];
  for await (const [path, outcome] of inOrder(paths, 2 * recogniser.workers + 1, (each) => recogniser.read(each))) {
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
