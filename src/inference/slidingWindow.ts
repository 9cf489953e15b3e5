/**
 * Timelines of long videos: dense windows, decoded a bounded stretch at a time while the network works on the one before, joined
 * into segments by metrics/timeline.ts. Memory does not grow with the video.
 */
import type { ClipReader } from '../clip/clipReader.js';
import { decodeSize } from '../clip/clipShape.js';
import type { ClipView } from '../clip/clipView.js';
import type { Preprocess } from '../clip/preprocess.js';
import type { FrameStack } from '../clip/sampleClips.js';
import { denseWindows, type TimeWindow } from '../clip/temporalSampling.js';
import { orderedMap } from '../dataset/orderedMap.js';
import { type Bout, type BoutOptions, boutsOf } from '../metrics/bouts.js';
import { defaultBouts } from '../metrics/chooseBouts.js';
import { type Segment, timeline, type WindowScores } from '../metrics/timeline.js';
import { frameSize } from '../video/geometry.js';
import type { VideoInfo } from '../video/types.js';
import type { BoutSettings } from '../weights/boutSettings.js';

import type { Inference } from './inference.js';

export interface TimelineOptions {
  /** Length of a window; by default what one clip spanned in training, or 2 s where the weights do not say. */
  readonly windowSec?: number;
  /** From one window to the next; by default as bouts were chosen with, a quarter of a window for bouts and else half of one. */
  readonly strideSec?: number;
  /**
   * A shorter segment goes to its better neighbour; one and a half strides by default, so that no single moment stands alone. A shorter
   * bout is dropped.
   */
  readonly minDurationSec?: number;
  /** How windows become bouts, by default as chosen with the weights. */
  readonly bouts?: Partial<BoutOptions>;
  /** The class that means that nothing is done; by default that of the weights, or "background" if they have it. */
  readonly background?: string;
  /** Give the windows and their scores back too; false by default. */
  readonly windows?: boolean;
  /** Pixels of a stretch, of which a worker each and one more are decoded ahead, at most 5; 64 MB by default, and at most a minute. */
  readonly stretchBytes?: number;
  /** Keeps what was scored, so that a run that was killed goes on. */
  readonly log?: TimelineLog;
  readonly onProgress?: (doneSec: number, ofSec: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** The windows of one timeline. */
export interface TimelineWindows {
  readonly path: string;
  /** When what is looked at begins: a film may be, or a segment of it. */
  readonly startSec: number;
  readonly durationSec: number;
  readonly windowSec: number;
  readonly strideSec: number;
  readonly count: number;
}

export interface TimelineLog {
  /** Scores of the first of these windows, in order, as they are known from a run before. */
  begin(windows: TimelineWindows): readonly ArrayLike<number>[];
  /** Scores of the windows that come next. */
  add(scores: readonly ArrayLike<number>[]): void;
}

export interface VideoTimeline {
  readonly path: string;
  readonly durationSec: number;
  readonly windowSec: number;
  readonly strideSec: number;
  /** In order of time. */
  readonly segments: readonly TimelineSegment[];
  /** How the segments were made, where they are bouts: stretches with nothing between. */
  readonly bouts?: BoutOptions;
  readonly windows?: readonly WindowScores[];
  readonly truncated?: string;
}

/** `unknown` where its score is below the recogniser's threshold. */
export type TimelineSegment = Segment & Partial<Pick<Bout, 'startsIn' | 'endsIn'>> & { readonly unknown?: true };

interface LongVideo<Source> {
  readonly path: string;
  readonly source: Source;
  /** When known already. */
  readonly info?: VideoInfo | undefined;
  readonly labels: readonly string[];
  readonly preprocess: Preprocess;
  /** Score from which each class is there, where several can be at once. */
  readonly thresholds?: readonly number[];
  /** How windows become bouts, where that was chosen with the weights. */
  readonly bouts?: BoutSettings | undefined;
  /** Segments with a lower score are unknown. */
  readonly rejectThreshold: number;
  /** Logits of one window -> probabilities. */
  readonly scoresOf: (logits: Float32Array) => number[];
}

/** The window that weights were trained for. */
export const windowOf = (preprocess: Preprocess): number => preprocess.windowSec ?? 2;

export async function recogniseWindows<Source>(
  reader: ClipReader<Source>,
  inference: Inference,
  video: LongVideo<Source>,
  options: TimelineOptions,
): Promise<VideoTimeline> {
  const { path, source, preprocess, scoresOf } = video;
  const making = boutMaking(video, options);
  const { signal, windowSec = windowOf(preprocess) } = options;
  const { strideSec = video.bouts?.strideSec ?? windowSec / (making ? 4 : 2) } = options;
  const info = video.info ?? (await reader.facts(source, signal));
  const { firstFrameSec, durationSec, truncated } = info;
  const windows = denseWindows({ firstFrameSec, durationSec, windowSec, strideSec, startSec: preprocess.startSec });
  const known =
    options.log?.begin({ path, startSec: firstFrameSec, durationSec, windowSec, strideSec, count: windows.length }) ?? [];
  const scored: WindowScores[] = known.map((scores, i) => ({ ...(windows[i] as TimeWindow), scores }));
  const most = framesAtOnce(preprocess, info, options.stretchBytes ?? 64e6);
  const stretches = inStretches(windows.slice(known.length), most, preprocess.frames);
  const decode = (part: readonly TimeWindow[], leaving: AbortSignal) => decodeStretch(reader, source, part, leaving);
  for await (const [part, outcome] of orderedMap(stretches, Math.min(reader.workers, 4) + 1, decode, signal)) {
    if ('error' in outcome) throw outcome.error;
    const found = await scoreWindows(reader, inference, outcome.value, part, scoresOf, signal);
    options.log?.add(found.map(({ scores }) => scores));
    scored.push(...found);
    options.onProgress?.((part.at(-1)?.endSec ?? Number.NaN) - firstFrameSec, durationSec);
  }
  return {
    ...{ path, durationSec, windowSec, strideSec },
    ...(making ? boutsMade(scored, video, making) : segmentsMade(scored, video, options.minDurationSec ?? strideSec * 1.5)),
    ...(options.windows && { windows: scored }),
    ...(truncated !== undefined && { truncated }),
  };
}

type Named = Pick<LongVideo<never>, 'labels' | 'thresholds' | 'rejectThreshold' | 'preprocess' | 'bouts'>;

interface BoutMaking extends BoutOptions {
  readonly background: string | undefined;
}

/** How windows become bouts; undefined where every moment has a label, since no class or threshold means that nothing is done. */
function boutMaking({ labels, thresholds = [], preprocess, bouts }: Named, options: TimelineOptions): BoutMaking | undefined {
  const background = backgroundIn(labels, options.background ?? bouts?.background);
  if (background === undefined && thresholds.length === 0 && !bouts && !options.bouts) return undefined;
  const { windowSec = windowOf(preprocess), minDurationSec } = options;
  const chosen = { ...defaultBouts(windowSec), ...(bouts && boutOptionsOf(bouts)), ...options.bouts };
  return { ...chosen, ...(minDurationSec !== undefined && { minDurationSec }), background };
}

/** The class that means that nothing is done, if there is one. */
export const backgroundIn = (labels: readonly string[], name = 'background'): string | undefined =>
  labels.includes(name) ? name : undefined;

const boutOptionsOf = ({ smoothSec, on, off, minDurationSec, bridgeSec }: BoutOptions): BoutOptions => ({
  ...{ smoothSec, on, off, minDurationSec, bridgeSec },
});

function boutsMade(scored: readonly WindowScores[], { labels, thresholds = [], rejectThreshold }: Named, making: BoutMaking) {
  const many = thresholds.length > 0;
  const what = { labels, many, background: making.background, ...(many && { thresholds }) };
  const bouts = boutOptionsOf(making);
  const segments = boutsOf(scored, what, bouts).filter(({ score }) => score >= rejectThreshold);
  return { segments, bouts };
}

function segmentsMade(scored: readonly WindowScores[], { labels, rejectThreshold }: Named, minDurationSec: number) {
  const segments = timeline(scored, labels, { minDurationSec }).map(
    (segment): TimelineSegment => (segment.score < rejectThreshold ? { ...segment, unknown: true } : segment),
  );
  return { segments };
}

/** Frames of a stretch of video, and a view of each window. */
interface Film {
  readonly stack: FrameStack;
  readonly views: readonly ClipView[];
}

/** Decodes the frames of several windows at once, shared ones once. */
async function decodeStretch<Source>(
  reader: ClipReader<Source>,
  source: Source,
  windows: readonly TimeWindow[],
  signal: AbortSignal,
): Promise<Film> {
  const times = windows.map((window) => timesOf(window, reader.preprocess.frames));
  const timesSec = distinct(times.flat());
  const segment = { startSec: Math.max(timesSec[0] ?? 0, 0), endSec: (timesSec.at(-1) ?? 0) + sameSec };
  const { stack } = await reader.stack(source, timesSec, { signal, segment });
  if (stack === undefined) throw new RangeError(`${reader.nameOf(source)}: a stretch without frames`);
  const places = times.map((each) => each.map((timeSec) => placeOf(timesSec, timeSec)));
  return { stack, views: places.map((frames) => ({ mode: 'frames', frames })) };
}

/** Samples one batch while the network works on the one before. */
async function scoreWindows(
  reader: Pick<ClipReader, 'sample'>,
  inference: Inference,
  { stack, views }: Film,
  windows: readonly TimeWindow[],
  scoresOf: LongVideo<never>['scoresOf'],
  signal: AbortSignal | undefined,
): Promise<WindowScores[]> {
  const batch = inference.groupSize;
  const starts = Array.from({ length: Math.ceil(windows.length / batch) }, (_, i) => i * batch);
  const run = async (from: number, leaving: AbortSignal) =>
    inference.logits(await reader.sample(stack, views.slice(from, from + batch), leaving), 'throughput');
  const out: WindowScores[] = [];
  for await (const [from, outcome] of orderedMap(starts, inference.atOnce('throughput') + 1, run, signal)) {
    if ('error' in outcome) throw outcome.error;
    outcome.value.forEach((logits, i) => {
      const { startSec, endSec } = windows[from + i] as TimeWindow;
      out.push({ startSec, endSec, scores: scoresOf(logits) });
    });
  }
  return out;
}

const timesOf = ({ startSec, endSec }: TimeWindow, frames: number): number[] =>
  Array.from({ length: frames }, (_, t) => startSec + ((t + 0.5) * (endSec - startSec)) / frames);

/** Times closer than this are one frame. */
const sameSec = 1e-6;

/** Sorted, each once. */
function distinct(timesSec: readonly number[]): number[] {
  const sorted = [...timesSec].sort((a, b) => a - b);
  return sorted.filter((timeSec, i) => i === 0 || timeSec - (sorted[i - 1] ?? 0) > sameSec);
}

/** Index of a time in a sorted list that holds it, up to rounding. */
function placeOf(timesSec: readonly number[], timeSec: number): number {
  let low = 0;
  let high = timesSec.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((timesSec[middle] ?? 0) <= timeSec + sameSec / 2) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Frames that fill `stretchBytes`. */
function framesAtOnce(preprocess: Preprocess, info: VideoInfo, stretchBytes: number): number {
  const { width, height } = frameSize(info, decodeSize(preprocess, 'test'));
  return Math.max(Math.floor(stretchBytes / (3 * width * height)), preprocess.frames);
}

/** What a kill may lose, of the film. */
const maxStretchSec = 60;

/** Consecutive windows whose frames, if all different, are at most so many, and that span a minute at most. */
function inStretches(windows: readonly TimeWindow[], maxFrames: number, frames: number): TimeWindow[][] {
  const [first, second] = windows;
  const strideSec = first && second ? second.startSec - first.startSec : maxStretchSec;
  const count = Math.max(Math.min(Math.floor(maxFrames / frames), Math.floor(maxStretchSec / strideSec)), 1);
  return Array.from({ length: Math.ceil(windows.length / count) }, (_, i) => windows.slice(i * count, (i + 1) * count));
}
