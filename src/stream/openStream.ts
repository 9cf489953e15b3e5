/**
 * A source and weights -> predictions over time. A live source drops and counts frames while the network is busy, so results stay
 * current.
 */
import { decodeSize } from '../clip/clipShape.js';
import { VideoError } from '../errors.js';
import type { Prediction } from '../inference/recogniser.js';
import { readFrames, type SourceFrame } from '../video/frameSource.js';
import { type SourceAddress, sourceAddress } from '../video/sourceAddress.js';
import type { VideoLimits } from '../video/types.js';
import { LatestValue } from './latestValue.js';
import { loadStreamRecogniser, type StreamRecogniser, type StreamRecogniserOptions } from './streamRecogniser.js';
import { ThroughputMonitor, type ThroughputReport } from './throughputMonitor.js';

export interface StreamOptions extends StreamRecogniserOptions {
  /** Frames a second given to the network; by default those it was trained on. */
  readonly fps?: number;
  /** A file at its own pace, frames dropped where the machine is too slow; cameras and addresses always are. */
  readonly live?: boolean;
  /** A file again and again. */
  readonly loop?: boolean;
  readonly limits?: Partial<VideoLimits>;
  /** Ends the stream in order. */
  readonly signal?: AbortSignal | undefined;
  /** Called every three seconds in which more than 5 % of frames were dropped. */
  readonly onBehind?: (report: ThroughputReport) => void;
}

export interface StreamResult {
  /** When the newest frame is shown, seconds from the stream's first. */
  readonly timeSec: number;
  /** Best first. */
  readonly predictions: readonly Prediction[];
  /** Weights of several labels at once only: all whose score reaches their threshold, the surest first. */
  readonly labels?: readonly string[];
  /** [classes] */
  readonly scores: readonly number[];
  /** The best score is below the threshold. */
  readonly unknown?: true;
  /** From the arrival of the newest frame to these scores. */
  readonly delayMs: number;
  /** Frames dropped since the stream began. */
  readonly dropped: number;
}

export interface StreamSummary {
  readonly source: string;
  readonly seconds: number;
  readonly fps: number;
  readonly framesUsed: number;
  readonly dropped: number;
  readonly results: number;
  /** Of the last thousand results; NaN without any. */
  readonly delayMs: { readonly median: number; readonly p95: number };
}

/**
 * Scores of a stream as they come; `source` is a path, `camera:0`, an address of rtsp(s) or http(s), or `-`. The iterator returns a
 * summary. Throws VideoError where the source cannot be read or breaks off, WeightsError and ConfigError as `loadRecogniser`.
 */
export async function* openStream(
  weightsPath: string,
  source: string,
  options: StreamOptions = {},
): AsyncGenerator<StreamResult, StreamSummary> {
  const address = sourceAddress(source);
  const recogniser = await loadStreamRecogniser(weightsPath, options);
  try {
    return yield* recogniseStream(recogniser, address, options);
  } finally {
    await recogniser.close();
  }
}

/** The same with a recogniser of one's own, which is left open. */
export async function* recogniseStream(
  recogniser: StreamRecogniser,
  address: SourceAddress,
  options: Omit<StreamOptions, keyof StreamRecogniserOptions> = {},
): AsyncGenerator<StreamResult, StreamSummary> {
  const { fps = recogniser.trainedFps, live = address.live, onBehind = () => {} } = options;
  const leaving = new AbortController();
  const leave = () => leaving.abort();
  if (options.signal?.aborted) leave();
  options.signal?.addEventListener('abort', leave);
  const { loop, limits } = options;
  const frames = readFrames(address, {
    fps,
    size: decodeSize(recogniser.preprocess, 'test'),
    ...(live && !address.live && { pace: true }),
    ...(loop && { loop }),
    ...(limits && { limits }),
    signal: leaving.signal,
  });
  const pace = new ThroughputMonitor();
  const counts = { used: 0, results: 0, startMs: performance.now() };
  const dropped = { count: 0 };
  try {
    for await (const frame of live ? newestOf(frames, pace, dropped) : frames) {
      const scores = await recogniser.push(frame);
      counts.used++;
      pace.frameUsed();
      const nowMs = performance.now();
      if (scores) {
        counts.results++;
        const delayMs = nowMs - frame.arrivedMs;
        pace.answered(delayMs);
        yield { timeSec: frame.index / fps, ...scores, delayMs, dropped: dropped.count };
      }
      const report = live ? pace.behind(nowMs) : undefined;
      if (report) onBehind(report);
    }
    if (address.live && address.kind !== 'network' && !leaving.signal.aborted)
      throw new VideoError('the source ended', { path: address.shown });
  } finally {
    options.signal?.removeEventListener('abort', leave);
    leave();
  }
  return {
    source: address.shown,
    seconds: (performance.now() - counts.startMs) / 1000,
    fps,
    framesUsed: counts.used,
    dropped: dropped.count,
    results: counts.results,
    delayMs: { median: pace.delayQuantile(0.5), p95: pace.delayQuantile(0.95) },
  };
}

/** Always the newest frame. */
async function* newestOf(
  frames: AsyncGenerator<SourceFrame>,
  pace: ThroughputMonitor,
  dropped: { count: number },
): AsyncGenerator<SourceFrame> {
  const latest = new LatestValue<SourceFrame>();
  const reading = (async () => {
    for await (const frame of frames) {
      pace.frameArrived();
      latest.put(frame);
      dropped.count = latest.dropped;
    }
  })();
  reading.then(
    () => latest.close(),
    (error) => latest.close(error ?? new VideoError('the source ended in an unknown way')),
  );
  for (let frame = await latest.take(); frame; frame = await latest.take()) yield frame;
}
