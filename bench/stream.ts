/** Streaming: memory over an hour, cost of a new frame, latency with and without overload. Untrained networks cost the same. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { decodeSize } from '../src/clip/clipShape.js';
import { emptyClips } from '../src/clip/clipTensor.js';
import { Inference } from '../src/inference/inference.js';
import { openRuntime } from '../src/node/graphRuntime.js';
import { nodePlatform } from '../src/node/platform.js';
import { openFrameNetwork } from '../src/stream/frameNetwork.js';
import { recogniseStream } from '../src/stream/openStream.js';
import { StreamRecogniser } from '../src/stream/streamRecogniser.js';
import type { ThroughputReport } from '../src/stream/throughputMonitor.js';
import { readFrames, type SourceFrame } from '../src/video/frameSource.js';
import { sourceAddress } from '../src/video/sourceAddress.js';
import { drawActions, freshCheckpoint, withFolder } from './actions.js';
import { median, rounded, smallest, timed } from './timing.js';

export interface StreamBenchOptions {
  /** Name of a network of the family, without `-causal`. */
  readonly model: string;
  /** Frames pushed; an hour at 8 frames a second is 28800. */
  readonly frames: number;
  readonly rounds: number;
  readonly say: (line: string) => void;
}

type Row = Readonly<Record<string, unknown>> & { readonly what: string };

/** The clip's frames are at hand where memory and cost are measured, so that only the stream counts. */
export async function stream(options: StreamBenchOptions): Promise<Row[]> {
  return withFolder(async (folder) => {
    const actions = await drawActions(folder, { train: 0, val: 0, test: 12 });
    const video = firstVideo(actions);
    const rows: Row[] = await costRows(options);
    for (const name of [options.model, `${options.model}-causal`]) rows.push(await hourRow(name, video, options));
    for (const name of [options.model, `${options.model}-causal`]) {
      for (const fps of [20, 1000]) rows.push(await liveRow(name, video, fps, options));
    }
    return rows;
  });
}

function firstVideo(folder: string): string {
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((path) => path.endsWith('.mp4'));
  return join(folder, found ?? '');
}

async function costRows({ model, rounds, say }: StreamBenchOptions): Promise<Row[]> {
  const [plain, causal] = [freshCheckpoint(model, 12), freshCheckpoint(`${model}-causal`, 12)];
  const { frames, height, width } = plain.config;
  const image = 3 * height * width;
  const clips = [plain, causal].map(({ config, parameters, statistics }) => ({
    what: `${config.name}, clip / ${frames}`,
    frames,
    network: new Inference(config, { parameters, statistics }, nodePlatform, { threads: 1 }),
  }));
  const hops = [...new Set([1, 2, frames / 2])];
  const streams = await Promise.all(
    [plain, causal].flatMap(({ config, parameters, statistics }) =>
      hops.map(async (hop) => ({
        what: `${config.name}, new frame, hop ${hop}`,
        hop,
        network: await openFrameNetwork(config, { parameters, statistics }, hop, openRuntime({ threads: 1 })),
      })),
    ),
  );
  const picture = () => Float32Array.from({ length: image }, (_, i) => Math.sin(i));
  const times = new Map<string, number[]>([...clips, ...streams].map(({ what }) => [what, []]));
  for (let round = 0; round < rounds + 2; round++) {
    const measure = async (what: string, perRun: number, run: () => Promise<unknown>) => {
      const { ms } = await timed(run);
      if (round >= 2) times.get(what)?.push(ms / perRun);
    };
    for (const { what, network } of clips) {
      const clip = emptyClips(1, plain.config);
      clip.data.fill(0.5);
      await measure(what, frames, () => network.logits(clip));
    }
    for (const { what, hop, network } of streams) {
      const fresh = Array.from({ length: hop }, picture);
      await measure(what, hop, () => network.push(fresh));
    }
  }
  await Promise.all([...clips, ...streams].map(({ network }) => network.close()));
  const best = (what: string) => smallest(times.get(what) ?? []);
  const [plainClip = '', causalClip = ''] = clips.map(({ what }) => what);
  return [...times].map(([what, ms]): Row => {
    const row = { what, msPerFrame: rounded(smallest(ms)), medianMs: rounded(median(ms)) };
    say(`${what}: ${row.msPerFrame} ms`);
    const own = what.startsWith(`${model}-causal`) ? causalClip : plainClip;
    return { ...row, ofOwnClip: rounded(best(what) / best(own)), ofPlainClip: rounded(best(what) / best(plainClip)) };
  });
}

async function hourRow(name: string, video: string, { frames, say }: StreamBenchOptions): Promise<Row> {
  const recogniser = await StreamRecogniser.open(freshCheckpoint(name, 12), { threads: 1 });
  try {
    const clip: SourceFrame[] = [];
    for await (const frame of readFrames(sourceAddress(video), { fps: 8, size: decodeSize(recogniser.preprocess, 'test') }))
      clip.push(frame);
    const rssMb: { frames: number; mb: number }[] = [];
    const start = performance.now();
    for (let pushed = 1; pushed <= frames; pushed++) {
      const frame = clip[pushed % clip.length];
      if (frame) await recogniser.push(frame);
      if (pushed % Math.ceil(frames / 16) === 0) rssMb.push({ frames: pushed, mb: rounded(process.memoryUsage.rss() / 1e6) });
    }
    const seconds = (performance.now() - start) / 1000;
    const at = (i: number) => rssMb.at(i)?.mb ?? Number.NaN;
    const row = {
      what: `${name}, ${frames} frames (${rounded(frames / 8 / 60)} minutes at 8 a second), an answer every ${recogniser.hop}`,
      growthMb: rounded(at(-1) - at(3)),
      lastMb: at(-1),
      framesPerSec: rounded(frames / seconds),
      rssMb,
    };
    say(`${row.what}: ${row.framesPerSec} frames/s, memory ${row.growthMb} MB more at the end than after a quarter`);
    return row;
  } finally {
    await recogniser.close();
  }
}

async function liveRow(name: string, video: string, fps: number, { say }: StreamBenchOptions): Promise<Row> {
  const recogniser = await StreamRecogniser.open(freshCheckpoint(name, 12), { hop: 1, threads: 1 });
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), 10_000);
  const behind: ThroughputReport[] = [];
  try {
    const options = {
      fps,
      live: true,
      loop: true,
      signal: stop.signal,
      onBehind: (report: ThroughputReport) => behind.push(report),
    };
    const results = recogniseStream(recogniser, sourceAddress(video), options);
    let next = await results.next();
    while (!next.done) next = await results.next();
    const { framesUsed, dropped, delayMs } = next.value;
    const row = {
      what: `${name}, live at ${fps} frames/s for 10 s, an answer a frame`,
      framesUsed,
      dropped,
      delayMs: rounded(delayMs.median),
      delayMs95: rounded(delayMs.p95),
      twoFramesMs: rounded(2000 / fps),
      warnings: behind.length,
    };
    say(`${row.what}: ${framesUsed} used, ${dropped} dropped, delay ${row.delayMs} ms (95 %: ${row.delayMs95} ms)`);
    return row;
  } finally {
    clearTimeout(timer);
    await recogniser.close();
  }
}
