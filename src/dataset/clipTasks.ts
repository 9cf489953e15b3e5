import type { Augment } from '../clip/augmentOptions.js';
import type { ReadClips, ReadOptions, ReadStack } from '../clip/clipReader.js';
import type { ClipTensor } from '../clip/clipTensor.js';
import type { ClipView } from '../clip/clipView.js';
import type { Preprocess } from '../clip/preprocess.js';
import type { DecoderChoice, VideoInfo, VideoLimits } from '../video/types.js';
import type { FrameStackKey, FrameStackRequest, VideoFrameStack } from './frameStack.js';
import type { VideoPart } from './videoPart.js';

export interface ClipWorkerData {
  readonly preprocess: Preprocess;
  readonly augment: Augment;
  readonly decoder: DecoderChoice;
  readonly limits: Partial<VideoLimits>;
}

/** A strip's place on disk, and its key. */
export interface StripPlace {
  readonly file: string;
  readonly key: FrameStackKey;
}

export interface StripInput {
  readonly request: FrameStackRequest;
  /** The strip, when the reader still has it in memory. */
  readonly strip: VideoFrameStack | undefined;
  /** Folder to read from, and whether a strip may be added to it; undefined for no disk cache. */
  readonly folder: string | undefined;
  /** Where it lies there, when the reader knows. */
  readonly place: StripPlace | undefined;
  readonly mayWrite: boolean;
  /** The clips to sample; none when the strip is only to be made ready. */
  readonly views: readonly ClipView[];
}

export interface StripOutput {
  /** One for each view. */
  readonly clips: ClipTensor;
  /** The strip, unless it was sent along. */
  readonly strip: VideoFrameStack | undefined;
  readonly from: 'memory' | 'disk' | 'video';
  readonly place: StripPlace | undefined;
  /** Bytes added to the folder. */
  readonly wroteBytes: number;
  readonly damaged: boolean;
  /** Why the folder could not be read or written; the clip is none the worse. */
  readonly diskProblem: string | undefined;
}

type OfVideo = VideoPart & Pick<ReadOptions, 'belowSec'>;

export type ClipTasks = {
  facts: { input: VideoPart; output: VideoInfo };
  /** Clips of a video that is seen once: nothing is kept. */
  clips: { input: OfVideo & { views: readonly ClipView[] }; output: ReadClips };
  stack: { input: OfVideo & { frames: number | readonly number[] }; output: ReadStack };
  /** Clips of a video that is seen again: its frames are kept. */
  strip: { input: StripInput; output: StripOutput };
};
