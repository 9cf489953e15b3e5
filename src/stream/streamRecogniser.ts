/** Frames one at a time -> network -> smoothed scores, in constant memory. Independent of the source. */

import { sameClips } from '../clip/clipShape.js';
import { emptyClips } from '../clip/clipTensor.js';
import { clipToTensor } from '../clip/clipToTensor.js';
import { testTransform } from '../clip/crop.js';
import type { Preprocess } from '../clip/preprocess.js';
import { ConfigError } from '../errors.js';
import { checkedThreshold, type Prediction, thresholdsOf } from '../inference/recogniser.js';
import { acceptedOf } from '../metrics/multiLabel.js';
import { RecentMean } from '../metrics/recentMean.js';
import { sigmoid } from '../metrics/sigmoid.js';
import { softmax, topK } from '../metrics/softmax.js';
import type { NetworkConfig } from '../models/config.js';
import { networkCost, newFrameMacs } from '../models/cost.js';
import { platformOf } from '../node/platform.js';
import type { PlatformOptions } from '../platform/platform.js';
import { threadsFor } from '../runtime/cores.js';
import type { RgbFrame } from '../video/ppmSplitter.js';
import { type Checkpoint, parseCheckpoint } from '../weights/checkpoint.js';
import { readSafetensors } from '../weights/files.js';
import { locateWeights } from '../weights/locateWeights.js';
import { isOnnxFile } from '../weights/onnxFile.js';
import { type FrameNetwork, openFrameNetwork } from './frameNetwork.js';

export interface StreamRecogniserOptions extends PlatformOptions {
  /** Scores after every `hop` frames; half a window by default. */
  readonly hop?: number;
  /** Number of scores averaged; 1 by default. */
  readonly smooth?: number;
  /** Predictions given back; 5 by default. */
  readonly top?: number;
  /**
   * Predictions with a lower top score are `unknown`; by default the threshold stored with the weights, if any. 0 disables it.
   */
  readonly rejectThreshold?: number;
  /** Weights of several labels at once: the score from which any class is there; by default those stored with them, else 0.5. */
  readonly threshold?: number;
  /** Threads of the network; by default one for a small network, all cores for a large one. */
  readonly threads?: number;
}

export interface FrameScores {
  /** Best first. */
  readonly predictions: readonly Prediction[];
  /** Weights of several labels at once only: all whose score reaches their threshold, the surest first. */
  readonly labels?: readonly string[];
  /** [classes] probabilities, smoothed, in the order of the labels. */
  readonly scores: readonly number[];
  /** The best score is below the threshold. */
  readonly unknown?: true;
}

/** Reads weights that `vmf train` wrote, by path or name. Rejects with a WeightsError or ConfigError when they cannot be used. */
export async function loadStreamRecogniser(weights: string, options: StreamRecogniserOptions = {}): Promise<StreamRecogniser> {
  const weightsPath = await locateWeights(weights);
  if (await isOnnxFile(weightsPath))
    throw new ConfigError('is a model for whole clips; a stream needs the weights that `vmf train` wrote', { path: weightsPath });
  return StreamRecogniser.open(parseCheckpoint(await readSafetensors(weightsPath), weightsPath), options);
}

export class StreamRecogniser {
  readonly config: NetworkConfig;
  readonly labels: readonly string[];
  readonly preprocess: Preprocess;
  /** Any number of labels is true at once. */
  readonly multiLabel: boolean;
  /** Score from which each class is there [classes], with several labels at once; else empty. */
  readonly thresholds: readonly number[];
  /** Frames between predictions. */
  readonly hop: number;
  readonly rejectThreshold: number;
  private readonly temperature: number;
  private readonly recent: RecentMean;
  private readonly top: number;
  private waiting: Float32Array[] = [];
  private frames = 0;

  private constructor(
    checkpoint: Checkpoint,
    private readonly network: FrameNetwork,
    options: StreamRecogniserOptions,
  ) {
    const { config, labels, preprocess, calibration } = checkpoint;
    this.multiLabel = checkpoint.multiLabel === true;
    this.thresholds = thresholdsOf(checkpoint, options);
    [this.config, this.labels, this.preprocess] = [config, labels, preprocess];
    this.hop = hopOf(config, options);
    this.rejectThreshold = checkedThreshold(options.rejectThreshold ?? calibration?.rejectThreshold ?? 0);
    this.temperature = calibration?.temperature ?? 1;
    this.recent = new RecentMean(wholeFrom1('smooth', options.smooth ?? 1));
    this.top = wholeFrom1('top', options.top ?? 5);
  }

  static async open(checkpoint: Checkpoint, options: StreamRecogniserOptions = {}): Promise<StreamRecogniser> {
    const { config, parameters, statistics, preprocess } = checkpoint;
    if (!sameClips(preprocess, config)) throw new ConfigError(`preprocessing makes clips that ${config.name} does not take`);
    const hop = hopOf(config, options);
    const platform = platformOf(options);
    const threads =
      options.threads ?? threadsFor(config.causal ? newFrameMacs(config) * hop : networkCost(config).macs, platform.cores);
    const network = await openFrameNetwork(config, { parameters, statistics }, hop, platform.openRuntime({ threads }));
    return new StreamRecogniser(checkpoint, network, options);
  }

  /** Frame rate of the training clips; 4 windows of 2 s where the weights record no clip duration. */
  get trainedFps(): number {
    return this.config.frames / (this.preprocess.windowSec ?? 2);
  }

  /**
   * Pushes one frame of any size; best at `trainedFps`. Returns scores after every `hop` frames, from the first whole window on.
   * Calls are answered in order.
   */
  async push(frame: RgbFrame): Promise<FrameScores | undefined> {
    const { height, width } = this.config;
    const input = emptyClips(1, { frames: 1, height, width });
    clipToTensor(frame, [0], testTransform(frame, this.preprocess), this.preprocess, input, 0);
    this.waiting.push(input.data);
    this.frames++;
    if (this.waiting.length < this.hop) return undefined;
    const [frames, whole] = [this.waiting, this.frames >= this.config.frames];
    this.waiting = [];
    const logits = await this.network.push(frames);
    if (!whole) return undefined;
    const scores = this.recent.add((this.multiLabel ? sigmoid : softmax)(logits, this.temperature));
    const there = this.multiLabel ? acceptedOf(scores, this.thresholds) : [];
    const ranked = topK(scores, scores.length).filter(({ labelIndex }, i) => i < this.top || there.includes(labelIndex));
    const predictions = ranked.map(({ labelIndex, score }) => ({ label: this.labels[labelIndex] ?? '', score }));
    const more = this.multiLabel && { labels: there.map((k) => this.labels[k] ?? '') };
    return { predictions, scores, ...more, ...(Math.max(...scores) < this.rejectThreshold && { unknown: true as const }) };
  }

  /** Forgets all frames, as between two videos. */
  async clear(): Promise<void> {
    this.frames = 0;
    this.waiting = [];
    this.recent.clear();
    await this.network.clear();
  }

  close(): Promise<void> {
    return this.network.close();
  }
}

function hopOf({ frames }: NetworkConfig, { hop = Math.max(Math.floor(frames / 2), 1) }: StreamRecogniserOptions): number {
  return wholeFrom1('hop', hop);
}

function wholeFrom1(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 1) return value;
  throw new ConfigError(`${name}: expected a whole number from 1, got ${value}`);
}
