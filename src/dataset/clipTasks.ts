/** What the clip loader and its worker threads say to each other. */
import type { Augment } from '../clip/augment.js';
import type { ClipTensor } from '../clip/clipTensor.js';
import type { Preprocess } from '../clip/preprocess.js';
import type { RngKey } from '../rng.js';
import type { DecoderChoice, VideoLimits } from '../video/types.js';
import type { Strip, StripKey } from './strip.js';

/** Which clip of a video: a random one of training, named by the keys it is drawn from, or one of the fixed ones of testing. */
export type ClipView =
  | {
      readonly mode: 'train';
      readonly keys: readonly RngKey[];
      /** Other than the loader's. */
      readonly augment?: Augment;
    }
  | {
      readonly mode: 'test';
      /** Clip `clip` of `clips` that interleave in time; 0 of 1 by default. */
      readonly clip?: number;
      readonly clips?: number;
      /** Crop `crop` of `crops` along the longer side; 0 of 1 by default. */
      readonly crop?: number;
      readonly crops?: 1 | 3;
    };

export interface ClipWorkerData {
  readonly preprocess: Preprocess;
  readonly augment: Augment;
  readonly decoder: DecoderChoice;
  readonly limits: Partial<VideoLimits>;
}

export interface ClipInput {
  readonly key: StripKey;
  /** The strip, when the loader still has it in memory. */
  readonly strip: Strip | undefined;
  /** Folder to read from, and whether a strip may be added to it; undefined for no disk cache. */
  readonly folder: string | undefined;
  readonly mayWrite: boolean;
  /** The clips to cut out; none when the strip is only to be made ready. */
  readonly views: readonly ClipView[];
}

export interface ClipOutput {
  /** One for each view. */
  readonly clips: ClipTensor[];
  /** The strip, unless it was sent along. */
  readonly strip: Strip | undefined;
  readonly from: 'memory' | 'disk' | 'video';
  /** Bytes added to the folder. */
  readonly wroteBytes: number;
  readonly damaged: boolean;
  /** Why the folder could not be read or written; the clip is none the worse. */
  readonly diskProblem: string | undefined;
}

export type ClipTasks = { clips: { input: ClipInput; output: ClipOutput } };
