/** The port through which videos become clips. Which frames and pixels is decided in sampleClips.ts. */
import type { TimeWindow, VideoInfo } from '../video/types.js';
import type { ClipTensor } from './clipTensor.js';
import type { ClipView } from './clipView.js';
import type { Preprocess } from './preprocess.js';
import type { FrameStack } from './sampleClips.js';

export interface ReadOptions {
  /** Only the facts of a video of this length or longer: nothing of it is decoded. */
  readonly belowSec?: number;
  /** The stretch in which all of it lies: what is outside need not be read. */
  readonly segment?: TimeWindow;
  readonly signal?: AbortSignal | undefined;
}

export interface ReadClips {
  readonly info: VideoInfo;
  /** One for each view; undefined for a video that was too long. */
  readonly clips: ClipTensor | undefined;
  /** When each frame of the stack that the clips were sampled from is shown, seconds of a player's clock. */
  readonly timesSec: readonly number[];
}

export interface ReadStack {
  readonly info: VideoInfo;
  readonly stack: FrameStack | undefined;
}

/**
 * `Source` names a video: a path, or what else the adapter reads. All methods reject with a VideoError or LimitError for a bad one.
 */
export interface ClipReader<Source = string> {
  readonly preprocess: Preprocess;
  /** Videos read at once. */
  readonly workers: number;
  /** What results and errors call a video: its path, for example. */
  nameOf(source: Source): string;
  /** Facts about a video; decodes nothing. */
  facts(source: Source, signal?: AbortSignal): Promise<VideoInfo>;
  /** Clips of a video, all of them fixed views of a test. */
  clips(source: Source, views: readonly ClipView[], options?: ReadOptions): Promise<ReadClips>;
  /** Frames of a video for clips sampled later: these many evenly spaced ones, or those on screen at these times. */
  stack(source: Source, frames: number | readonly number[], options?: ReadOptions): Promise<ReadStack>;
  /** Clips of a stack. */
  sample(stack: FrameStack, views: readonly ClipView[], signal?: AbortSignal): Promise<ClipTensor>;
  close(): Promise<void>;
}
