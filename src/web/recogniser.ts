/** Names the action in frames that are in memory already: a video that the page decoded, or a camera's. */
import { defaultAugment } from '../clip/augmentOptions.js';
import { testViews } from '../clip/clipView.js';
import type { Preprocess } from '../clip/preprocess.js';
import { type FrameStack, sampleClips } from '../clip/sampleClips.js';
import { Inference } from '../inference/inference.js';
import { averageViews, topK } from '../metrics/softmax.js';
import type { Platform } from '../platform/platform.js';
import { type Checkpoint, parseCheckpoint } from '../weights/checkpoint.js';
import { parseSafetensors } from '../weights/safetensors.js';
import { webPlatform } from './platform.js';

export interface FramePrediction {
  readonly label: string;
  readonly score: number;
}

export interface RecognisedFrames {
  /** Best first. */
  readonly predictions: readonly FramePrediction[];
  /** [classes] probabilities in the order of the labels. */
  readonly scores: readonly number[];
  /** [views][classes] */
  readonly logits: readonly Float32Array[];
}

export class FrameRecogniser {
  readonly labels: readonly string[];
  readonly preprocess: Preprocess;
  private readonly inference: Inference;

  constructor(
    private readonly checkpoint: Checkpoint,
    platform: Platform = webPlatform(),
  ) {
    const { config, labels, preprocess, parameters, statistics } = checkpoint;
    [this.labels, this.preprocess] = [labels, preprocess];
    this.inference = new Inference(config, { parameters, statistics }, platform);
  }

  /** Weights that `vmf train` wrote, as the bytes of their file. WeightsError or ConfigError where they are none. */
  static open(weights: Uint8Array, platform?: Platform): FrameRecogniser {
    return new FrameRecogniser(parseCheckpoint(parseSafetensors(weights, 'weights'), 'weights'), platform);
  }

  /** `stack` must have as many slots as the views look at, evenly spaced: T for one clip. */
  async recognise(stack: FrameStack, views = testViews(), top = 5): Promise<RecognisedFrames> {
    const logits = await this.inference.logits(sampleClips(stack, views, this.preprocess, defaultAugment));
    const scores = averageViews(logits, this.checkpoint.calibration?.temperature);
    const predictions = topK(scores, top).map(({ labelIndex, score }) => ({ label: this.labels[labelIndex] ?? '', score }));
    return { predictions, scores, logits };
  }

  close(): Promise<void> {
    return this.inference.close();
  }
}
