/**
 * Videos -> clip tensors for a network in use: decoding runs in worker threads, several videos at once; nothing is kept, in memory
 * or on disk, since a video to be recognised is seen once. Which clips those are is clip/'s business, as in training and testing.
 */
import { type ClipTensor, emptyClips } from '../clip/clipTensor.js';
import { testTransform } from '../clip/crop.js';
import { type Preprocess, stripSize, testFrames, testRequest } from '../clip/preprocess.js';
import { type TimeWindow, usedWindow } from '../clip/segments.js';
import { writeClip } from '../clip/writeClip.js';
import { VideoPool, type VideoPoolOptions } from '../video/pool.js';
import type { DecodedVideo, DecodeRequest, FrameStrip, VideoInfo } from '../video/types.js';

/** Views of one video, ready for the network. */
export interface ClipViews {
  /** One for each view, number clip * crops + crop. */
  readonly clips: ClipTensor;
  readonly info: VideoInfo;
}

/** A video's frames from which its views are made. */
export interface ViewFrames extends DecodedVideo {
  readonly clips: number;
  readonly crops: number;
}

export interface ViewOptions {
  /** Clips that interleave in time; 1 by default. */
  readonly clips?: number;
  /** Crops along the longer side of each; 1 by default. */
  readonly crops?: 1 | 3;
  readonly signal?: AbortSignal | undefined;
}

/** Frames of a stretch of video, and where each window's frames are among them. */
export interface Film {
  readonly strip: FrameStrip;
  /** [windows][T] places in the strip. */
  readonly frames: readonly (readonly number[])[];
}

/** Frames asked for at times closer than this are one frame. */
const sameSec = 1e-6;

export class ClipReader {
  readonly workers: number;
  private readonly pool: VideoPool;

  constructor(
    private readonly preprocess: Preprocess,
    options: VideoPoolOptions,
  ) {
    this.pool = new VideoPool(options);
    this.workers = this.pool.size;
  }

  /** Facts about a video; decodes nothing. Rejects with a VideoError or LimitError, as all methods here. */
  facts(path: string, signal?: AbortSignal): Promise<VideoInfo> {
    return this.pool.probe(path, withSignal(signal));
  }

  /** The test views of a whole video. */
  async views(path: string, options: ViewOptions = {}): Promise<ClipViews> {
    return this.paint([await this.frames(path, options)]);
  }

  /** Just what the test views of a whole video need of it, 8 bits a channel. */
  async frames(path: string, { clips = 1, crops = 1, signal }: ViewOptions = {}): Promise<ViewFrames> {
    const { info, strip } = await this.pool.decode(path, await this.request(path, clips, signal), withSignal(signal));
    return { info, strip, clips, crops };
  }

  /** The views of some videos, side by side in one batch, the first video's first; `info` is the first video's. */
  paint(videos: readonly [ViewFrames, ...ViewFrames[]]): ClipViews {
    const { preprocess } = this;
    const count = videos.reduce((sum, { clips, crops }) => sum + clips * crops, 0);
    const out = emptyClips(count, preprocess);
    let place = 0;
    for (const { strip, clips, crops } of videos) {
      for (let view = 0; view < clips * crops; view++) {
        const frames = testFrames(preprocess, Math.floor(view / crops), clips);
        const transform = testTransform(strip, preprocess, view % crops, crops);
        writeClip(strip, frames, transform, preprocess, out, place++);
      }
    }
    return { clips: out, info: videos[0].info };
  }

  private async request(path: string, clips: number, signal: AbortSignal | undefined): Promise<DecodeRequest> {
    const { preprocess } = this;
    const { fromSec } = preprocess;
    if (fromSec === 0) return { times: { evenly: preprocess.frames * clips }, size: stripSize(preprocess, 'test') };
    const { durationSec, frameRate } = await this.facts(path, signal);
    const window = usedWindow(durationSec, fromSec, { frameRate });
    return testRequest(preprocess, { fromSec: window.fromSec, toSec: window.toSec }, clips);
  }

  /** Decodes the frames of some windows at once; a frame that several of them see is decoded once. */
  async film(path: string, windows: readonly TimeWindow[], signal?: AbortSignal): Promise<Film> {
    const times = windows.map((window) => this.timesOf(window));
    const timesSec = distinct(times.flat());
    const { strip }: DecodedVideo = await this.pool.decode(
      path,
      { times: { timesSec }, size: stripSize(this.preprocess, 'test') },
      withSignal(signal),
    );
    return { strip, frames: times.map((each) => each.map((timeSec) => placeOf(timesSec, timeSec))) };
  }

  /** The centres of T equal segments. */
  private timesOf({ fromSec, toSec }: TimeWindow): number[] {
    const { frames } = this.preprocess;
    return Array.from({ length: frames }, (_, t) => fromSec + ((t + 0.5) * (toSec - fromSec)) / frames);
  }

  /** Some windows of a film as one batch. */
  cut({ strip, frames }: Film, from: number, count: number): ClipTensor {
    const { preprocess } = this;
    const transform = testTransform(strip, preprocess);
    const out = emptyClips(count, preprocess);
    for (let b = 0; b < count; b++) writeClip(strip, frames[from + b] ?? [], transform, preprocess, out, b);
    return out;
  }

  close(): Promise<void> {
    return this.pool.close();
  }
}

function withSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** Sorted, each once. */
function distinct(timesSec: readonly number[]): number[] {
  const sorted = [...timesSec].sort((a, b) => a - b);
  return sorted.filter((timeSec, i) => i === 0 || timeSec - (sorted[i - 1] ?? 0) > sameSec);
}

/** Where a time is in a sorted list that holds it, or one that is the same but for rounding. */
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
