/** Streaming accuracy against clip accuracy: each test clip alone, and right after another one. */

import { FileClipReader } from '../src/dataset/clipReader.js';
import { readDataset } from '../src/dataset/dataset.js';
import { videosOf } from '../src/dataset/labelledVideos.js';
import { loadStreamRecogniser, type StreamRecogniser } from '../src/stream/streamRecogniser.js';
import type { RgbFrame } from '../src/video/ppmSplitter.js';
import { rounded } from './timing.js';

export interface StreamAccuracyRow {
  readonly what: string;
  readonly clips: number;
  readonly top1: number;
}

/** Top-1 over the test clips of a data set, in both ways. */
export async function streamAccuracy(data: string, weights: string, say: (line: string) => void): Promise<StreamAccuracyRow[]> {
  const probe = await loadStreamRecogniser(weights, { threads: 1 });
  const { frames, name } = probe.config;
  await probe.close();
  const recogniser = await loadStreamRecogniser(weights, { hop: frames, top: 1 });
  const reader = new FileClipReader(recogniser.preprocess);
  try {
    const videos = videosOf(await readDataset(data), 'test');
    const right = { alone: 0, after: 0 };
    let before: readonly RgbFrame[] = [];
    for (const { path, label } of videos) {
      const { stack } = await reader.stack(path, frames);
      const own = stack ? Array.from({ length: frames }, (_, t) => frameOf(stack, t)) : [];
      if ((await named(recogniser, own)) === label) right.alone++;
      if ((await named(recogniser, before, own)) === label) right.after++;
      before = own;
    }
    const share = (count: number) => rounded((100 * count) / videos.length);
    const rows = [
      { what: `${name}: each test clip on its own`, clips: videos.length, top1: share(right.alone) },
      { what: `${name}: each right after another clip`, clips: videos.length, top1: share(right.after) },
    ];
    for (const { what, top1 } of rows) say(`${what}: top-1 ${top1} %`);
    return rows;
  } finally {
    await Promise.all([recogniser.close(), reader.close()]);
  }
}

function frameOf({ width, height, rgb }: RgbFrame, t: number): RgbFrame {
  const bytes = width * height * 3;
  return { width, height, rgb: rgb.subarray(t * bytes, (t + 1) * bytes) };
}

async function named(recogniser: StreamRecogniser, ...clips: readonly (readonly RgbFrame[])[]): Promise<string | undefined> {
  await recogniser.clear();
  let label: string | undefined;
  for (const frame of clips.flat()) label = (await recogniser.push(frame))?.predictions[0]?.label ?? label;
  return label;
}
