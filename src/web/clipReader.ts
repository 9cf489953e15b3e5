/** Clips of videos that the page has, read with mediabunny (containers) and WebCodecs (frames), which are loaded with the first one. */
import { defaultAugment } from '../clip/augmentOptions.js';
import type { ClipReader, ReadClips, ReadOptions, ReadStack } from '../clip/clipReader.js';
import type { ClipTensor } from '../clip/clipTensor.js';
import { type ClipView, stackLength } from '../clip/clipView.js';
import type { Preprocess } from '../clip/preprocess.js';
import { type FrameStack, sampleClips, stackOf, testStackRequest } from '../clip/sampleClips.js';
import { ConfigError, messageOf, VideoError, VmfError } from '../errors.js';
import { defaultLimits } from '../video/limits.js';
import type { VideoInfo, VideoLimits } from '../video/types.js';
import type { DemuxedVideo, VideoIndex } from './demux.js';
import { nameOf, seekable, unlessAborted, type VideoSource } from './videoSource.js';

export interface WebReaderOptions {
  /** Videos decoded at once; 2 by default. */
  readonly workers?: number;
  readonly limits?: Partial<VideoLimits>;
}

export class WebClipReader implements ClipReader<VideoSource> {
  readonly workers: number;
  private readonly limits: VideoLimits;
  private readonly closing = new AbortController();
  private readonly waiting: (() => void)[] = [];
  private free: number;
  /** Of the last video, since a long one is read stretch by stretch. */
  private known: { readonly source: VideoSource; readonly index: VideoIndex } | undefined;

  constructor(
    readonly preprocess: Preprocess,
    { workers = 2, limits = {} }: WebReaderOptions = {},
  ) {
    if (!(Number.isInteger(workers) && workers >= 1)) throw new ConfigError(`workers: expected at least 1, got ${workers}`);
    [this.workers, this.free] = [workers, workers];
    this.limits = { ...defaultLimits, ...limits };
  }

  nameOf(source: VideoSource): string {
    return nameOf(source);
  }

  facts(source: VideoSource, signal?: AbortSignal): Promise<VideoInfo> {
    return this.read(source, signal, async (_, { info }) => info);
  }

  async clips(source: VideoSource, views: readonly ClipView[], options: ReadOptions = {}): Promise<ReadClips> {
    const evenly = stackLength(views[0] ?? { mode: 'test' }, this.preprocess, 0);
    const { info, stack, timesSec } = await this.frames(source, evenly, options);
    return { info, timesSec, clips: stack && (await this.sample(stack, views)) };
  }

  async stack(source: VideoSource, frames: number | readonly number[], options: ReadOptions = {}): Promise<ReadStack> {
    const { info, stack } = await this.frames(source, frames, options);
    return { info, stack };
  }

  async sample(stack: FrameStack, views: readonly ClipView[], signal?: AbortSignal): Promise<ClipTensor> {
    signal?.throwIfAborted();
    return sampleClips(stack, views, this.preprocess, defaultAugment);
  }

  /** What is under way or waits is rejected. */
  async close(): Promise<void> {
    this.closing.abort(new VmfError('the reader of videos is closed'));
  }

  private frames(source: VideoSource, frames: number | readonly number[], { belowSec = Infinity, signal }: ReadOptions) {
    return this.read(source, signal, async (video, index, leaving) => {
      const { info } = index;
      if (info.durationSec >= belowSec) return { info, stack: undefined, timesSec: [] };
      const { request, window } = testStackRequest(info, frames, this.preprocess);
      const { decodeFrames } = await import('./decodeFrames.js');
      const strip = await decodeFrames(video, index, request, leaving);
      return { info, stack: stackOf(strip, window), timesSec: [...strip.timesSec] };
    });
  }

  /** Opens a video for one use, when fewer than `workers` are open. All that goes wrong is a VideoError that names it. */
  private async read<T>(
    source: VideoSource,
    signal: AbortSignal | undefined,
    use: (video: DemuxedVideo, index: VideoIndex, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const leaving = signal === undefined ? this.closing.signal : AbortSignal.any([signal, this.closing.signal]);
    await this.turn();
    let video: DemuxedVideo | undefined;
    try {
      leaving.throwIfAborted();
      const { DemuxedVideo } = await import('./demux.js');
      video = await DemuxedVideo.open(nameOf(source), await unlessAborted(seekable(source), leaving));
      return await use(video, await this.indexOf(source, video, leaving), leaving);
    } catch (error) {
      leaving.throwIfAborted();
      throw error instanceof VmfError
        ? error
        : new VideoError(`cannot be read: ${messageOf(error)}`, { path: nameOf(source), cause: error });
    } finally {
      video?.close();
      this.free++;
      this.waiting.shift()?.();
    }
  }

  private async turn(): Promise<void> {
    while (this.free === 0) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.free--;
  }

  private async indexOf(source: VideoSource, video: DemuxedVideo, signal: AbortSignal): Promise<VideoIndex> {
    if (this.known?.source === source) return this.known.index;
    const index = await video.index(this.limits, signal);
    this.known = { source, index };
    return index;
  }
}
