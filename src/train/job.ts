import type { FrameShape } from '../clip/clipShape.js';
import type { Preprocess } from '../clip/preprocess.js';
import type { LeftOutVideo } from '../dataset/dataLoader.js';
import type { DatasetOptions } from '../dataset/dataset.js';
import type { LabelledVideos } from '../dataset/labelledVideos.js';
import type { PixelRange } from '../inference/onnxPixels.js';
import type { NetworkConfig } from '../models/config.js';
import type { TemporalPlan } from '../models/model.js';
import type { PlatformOptions } from '../platform/platform.js';
import type { DecoderChoice } from '../video/types.js';
import type { TestedWeights } from './finetune/keptWeights.js';
import type { TrainChoices } from './recipe/options.js';
import type { TrainEvent, TrainOutcome } from './trainer.js';

export interface TrainJob extends PlatformOptions {
  /** A folder or list of labelled videos, or what was read of one. */
  readonly data: string | LabelledVideos;
  /** Where checkpoints and metrics go; made if missing. */
  readonly out: string;
  /** A name of `networkNames`, or a configuration of one's own; its classes are replaced by the data's. Default: the recipe's. */
  readonly model?: string | NetworkConfig;
  /** Blocks of a named network whose kernels are 3 long in time, other than the network's own. */
  readonly temporal?: TemporalPlan;
  /**
   * Weights to start from: a file, a name of pretrained weights, `default` for the pretrained ones of the network, or `none` for random
   * ones. A last layer for other classes is begun anew.
   */
  readonly init?: string;
  /** A folder of videos without labels to learn from as well, or a list of videos and segments. */
  readonly unlabelled?: string;
  /** A trained network to learn from, of these or other classes or of features: weights of this program, or an ONNX file (see onnxTeacher.ts for which ones). */
  readonly teacher?: string;
  /** How a network of other origin (an ONNX file) scales its pixels; by default what its metadata says, else ImageNet's mean and deviation. */
  readonly pixels?: PixelRange;
  /** The output or intermediate value of an ONNX file that holds its features; by default chosen by name. */
  readonly features?: string;
  /** Pixels at which an ONNX teacher sees the clips, where its graph leaves them open; the student's by default. */
  readonly teacherSize?: FrameShape;
  readonly resume?: boolean;
  /** A recipe by name or file; by default one is chosen by the data's size; false for the options' own defaults. */
  readonly recipe?: string | false;
  /** Options that go before those of the recipe. */
  readonly options?: TrainChoices;
  /**
   * Frames, height and width, resize and sampling other than the defaults. Without height and width a named network's frames get the shape
   * that suits the training videos (see pictureSize.ts), with about as many pixels as its own; with `recipe: false` they stay its own.
   */
  readonly preprocess?: Partial<Preprocess>;
  readonly dataset?: DatasetOptions;
  readonly threads?: number;
  readonly workers?: number;
  readonly decoder?: DecoderChoice;
  /** Where decoded clips are kept between epochs and runs; false for memory only. */
  readonly cacheFolder?: string | false;
  /** Arguments as they were typed, for the record of the run. */
  readonly command?: readonly string[];
  readonly onEvent?: (event: TrainJobEvent) => void;
  /** Ends the run after the present step; `last` then continues it. */
  readonly signal?: AbortSignal;
}

export type TrainJobEvent =
  | TrainEvent
  | { readonly kind: 'note' | 'warning'; readonly message: string }
  | { readonly kind: 'reading'; readonly done: number; readonly of: number };

export interface TrainSummary extends TrainOutcome {
  readonly config: NetworkConfig;
  readonly labels: readonly string[];
  readonly trainVideos: number;
  readonly valVideos: number;
  /** Training videos that could not be read, with the reason. */
  readonly leftOut: readonly LeftOutVideo[];
  readonly lastPath: string;
  readonly bestPath: string;
  /** The first answer of a run that started from a linear probe. */
  readonly probePath?: string;
  /** Share of the tuned weights in `best`, an average with the probe's; undefined for an epoch as it is. */
  readonly tunedShare?: number | undefined;
  /** Weights that fine-tuning chose from, the probe first. */
  readonly candidates?: readonly TestedWeights[];
}
