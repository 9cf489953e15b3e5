import type { ClipTensor } from '../clip/clipTensor.js';
import type { Views } from '../clip/clipView.js';
import type { LimitError, VideoError } from '../errors.js';
import type { VideoInfo } from '../video/types.js';
import type { TimelineOptions, VideoTimeline } from './slidingWindow.js';

/** Views of a video: clips that interleave in time, and crops along the longer side; 1 and 1 by default. */
export interface ViewOptions extends Partial<Views> {
  readonly signal?: AbortSignal | undefined;
}

/** Views of one video, ready for the network. */
export interface ClipViews {
  /** One for each view, number clip * crops + crop. */
  readonly clips: ClipTensor;
  readonly info: VideoInfo;
}

/** A label and its probability. */
export interface Prediction {
  readonly label: string;
  readonly score: number;
}

/** What frames show. */
export interface FramesResult {
  /** Best first, `top` of them; with several labels at once also the others that are there. */
  readonly predictions: readonly Prediction[];
  /**
   * Weights of several labels at once only: all labels whose score reaches their threshold, the surest first; none where nothing
   * happens.
   */
  readonly labels?: readonly string[];
  /** [classes] probabilities in the order of the labels, the mean over the views; with several labels at once each its own. */
  readonly scores: readonly number[];
  /** The best score is below the threshold: what the video shows is better left open. */
  readonly unknown?: true;
  /** [views][classes] as the network gave them, without temperature; only on request. */
  readonly logits?: readonly Float32Array[];
}

/** What a clip shows. */
export interface ClipResult extends FramesResult {
  /** The file, or what its reader calls it. */
  readonly path: string;
  readonly durationSec: number;
  /** Why the file counts as truncated, if it does; the rest was used. */
  readonly truncated?: string;
}

/** A video that could not be read. */
export interface Unreadable {
  readonly path: string;
  /** A VideoError or LimitError that names the path. */
  readonly error: VideoError | LimitError;
}

export interface RecogniseOptions extends ViewOptions {
  /** Predictions given back; 5 by default. */
  readonly top?: number;
  /** Give the logits back too; false by default. */
  readonly logits?: boolean;
}

export interface ResultOptions extends RecogniseOptions {
  /** A video of this length or longer gets a timeline; none does by default. */
  readonly timelineFromSec?: number;
  /** Options of timelines. */
  readonly timeline?: Omit<TimelineOptions, 'signal'>;
}

/** Predictions for a clip, a timeline, or why the video cannot be read. */
export type Result = ClipResult | VideoTimeline | Unreadable;
