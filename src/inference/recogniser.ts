/**
 * Names the action in a video: weights with their labels and preprocessing, ready for use. Decoding and network overlap when there
 * are several videos. A short clip gets a label, a long video a timeline (slidingWindow.ts). Opened in Node by fileRecogniser.ts, in
 * a tab by web/recogniser.ts.
 */

import { defaultAugment } from '../clip/augmentOptions.js';
import type { ClipReader } from '../clip/clipReader.js';
import { sameClips, sizeText } from '../clip/clipShape.js';
import { type ClipTensor, joinClips } from '../clip/clipTensor.js';
import { type ClipView, stackLength, testViews } from '../clip/clipView.js';
import type { Preprocess } from '../clip/preprocess.js';
import { type FrameStack, sampleClips } from '../clip/sampleClips.js';
import { orderedMap } from '../dataset/orderedMap.js';
import type { FileSource } from '../dataset/videoPart.js';
import { ConfigError, isFaultOf, type LimitError, type VideoError, WeightsError } from '../errors.js';
import { acceptedOf, averageSigmoids, usualThreshold } from '../metrics/multiLabel.js';
import { averageViews, topK } from '../metrics/softmax.js';
import type { NetworkConfig } from '../models/config.js';
import type { Platform } from '../platform/platform.js';
import type { Mode } from '../runtime/cores.js';
import type { VideoInfo } from '../video/types.js';
import type { BoutSettings } from '../weights/boutSettings.js';
import type { Calibration } from '../weights/calibration.js';
import type { Checkpoint } from '../weights/checkpoint.js';
import type { OnnxWeights } from '../weights/onnxWeights.js';
import { Inference } from './inference.js';
import type {
  ClipResult,
  ClipViews,
  FramesResult,
  RecogniseOptions,
  Result,
  ResultOptions,
  Unreadable,
  ViewOptions,
} from './results.js';
import { recogniseWindows, type TimelineOptions, type VideoTimeline } from './slidingWindow.js';

export type * from './results.js';

/** What a recogniser works with, wherever it is. */
export interface RecogniserSettings {
  /** Threads of the network in all; as many as there are cores by default (see runtime/cores.ts). */
  readonly threads?: number;
  /** For many videos: engines that share the threads; one a thread by default, at most 16. */
  readonly engines?: number;
  /** What is made ready before the first video: one answer at a time (`latency`, the default) or many (`throughput`). */
  readonly mode?: Mode;
  /** An answer whose best score is lower is `unknown`; by default what is stored with the weights, if anything. 0 for none. */
  readonly rejectThreshold?: number;
  /** Weights of several labels at once: the score from which any class is there; by default the thresholds stored with them, else 0.5. */
  readonly threshold?: number;
  /** Give the recogniser back before its network is loaded, so that the first video is decoded meanwhile; false by default. */
  readonly background?: boolean;
}

/** Where it is: what reads its videos and runs its network. */
export interface RecogniserPlace<Source> {
  readonly reader: ClipReader<Source>;
  readonly platform: Platform;
}

/** A video in progress: read, unreadable, or not decoded because it gets a timeline. */
type Read<Source> = Ready | Unreadable | Long<Source>;

interface Ready {
  readonly path: string;
  readonly info: VideoInfo;
  /** Bytes, a quarter of the clips: many videos wait for the network. */
  readonly frames: FrameStack;
  readonly views: readonly ClipView[];
}

interface Long<Source> {
  readonly path: string;
  readonly source: Source;
  /** When known already. */
  readonly info?: VideoInfo;
}

/**
 * A recogniser, ready for its first video. WeightsError, with the name `where`, for weights whose parts do not fit each other.
 */
export async function startRecogniser<Source>(
  weights: Checkpoint | OnnxWeights,
  place: (preprocess: Preprocess) => RecogniserPlace<Source>,
  settings: RecogniserSettings,
  where: string,
): Promise<Recogniser<Source>> {
  const { config, preprocess } = weights;
  if (!sameClips(preprocess, config)) {
    const [made, takes] = [preprocess, config].map((clip) => `${clip.frames} frames of ${sizeText(clip)} px`);
    throw new WeightsError(`its preprocessing makes ${made}, its network takes ${takes}`, { path: where });
  }
  const recogniser = new Recogniser(weights, place(preprocess), settings);
  const ready = recogniser.warmUp();
  try {
    if (settings.background)
      ready.catch(() => {}); // thrown to the first clip that needs the network
    else await ready;
    return recogniser;
  } catch (error) {
    await recogniser.close();
    throw error;
  }
}

/** `Source` names a video: a path or a part of a file in Node, a Blob or bytes in a tab. */
export class Recogniser<Source = FileSource> {
  readonly config: NetworkConfig;
  /** One a class, in the order of the scores. */
  readonly labels: readonly string[];
  readonly preprocess: Preprocess;
  /** Facts stored with the weights: how they were trained. */
  readonly notes: Readonly<Record<string, string>>;
  /** Any number of labels is true of a clip. */
  readonly multiLabel: boolean;
  /** Score from which each class is there [classes], with several labels at once; else empty. */
  readonly thresholds: readonly number[];
  /** How the weights were calibrated, where they were. */
  readonly calibration: Calibration | undefined;
  /** Answers with a lower best score are unknown; 0 for none. */
  readonly rejectThreshold: number;
  /** How windows of films become bouts, where that was chosen. */
  readonly bouts: BoutSettings | undefined;
  private readonly reader: ClipReader<Source>;
  private readonly inference: Inference;
  private readonly mode: Mode;
  private lastTimeline: Promise<unknown> = Promise.resolve();

  /** Use `loadRecogniser` or `openRecogniser`. */
  constructor(weights: Checkpoint | OnnxWeights, { reader, platform }: RecogniserPlace<Source>, settings: RecogniserSettings) {
    const { config, labels, preprocess, notes, calibration, bouts } = weights;
    this.bouts = bouts;
    [this.config, this.labels, this.preprocess, this.notes] = [config, labels, preprocess, notes];
    const { threads, engines, mode = 'latency', rejectThreshold = calibration?.rejectThreshold ?? 0 } = settings;
    this.multiLabel = weights.multiLabel === true;
    this.thresholds = thresholdsOf(weights, settings);
    [this.calibration, this.rejectThreshold] = [calibration, checkedThreshold(rejectThreshold)];
    [this.reader, this.mode] = [reader, mode];
    const values = 'model' in weights ? weights : { parameters: weights.parameters, statistics: weights.statistics };
    this.inference = new Inference(config, values, platform, { threads, engines }); // without the moments of training
  }

  /** Videos decoded at once. */
  get workers(): number {
    return this.reader.workers;
  }

  /** Loads the network before the first clip needs it. */
  warmUp(): Promise<void> {
    return this.inference.warmUp(this.mode);
  }

  /**
   * What one clip shows. Rejects with a VideoError or LimitError when it cannot be read, with the signal's reason when aborted.
   */
  async recognise(source: Source, options: RecogniseOptions = {}): Promise<ClipResult> {
    const views = await this.read(source, options);
    const logits = await this.inference.logits(views.clips);
    options.signal?.throwIfAborted();
    return this.recognised(this.reader.nameOf(source), views.info, logits, options);
  }

  /** What frames in memory show, a camera's for instance: evenly spaced, T of them for each clip that the views look at. */
  async recogniseFrames(stack: FrameStack, options: RecogniseOptions = {}): Promise<FramesResult> {
    const logits = await this.inference.logits(sampleClips(stack, viewsOf(options), this.preprocess, defaultAugment));
    options.signal?.throwIfAborted();
    return this.shown(logits, options);
  }

  /**
   * Many clips, decoded ahead while the network works; results in their order. A video that cannot be read is told in
   * its place and does not end the others; anything else that fails (no decoder, diverged weights) is thrown. Small networks take
   * several videos at once, always the same ones of a list, so that a list gives the same scores again to the last digit.
   */
  async *recogniseMany(sources: Iterable<Source>, options: RecogniseOptions = {}): AsyncGenerator<ClipResult | Unreadable> {
    for await (const answer of this.results(sources, options)) {
      if ('segments' in answer) throw new TypeError(`${answer.path}: a timeline that nobody asked for`);
      yield answer;
    }
  }

  /**
   * As `recogniseMany`, but videos of `timelineFromSec` and longer get a timeline (and with 0 all do). Memory does not grow with
   * the number of videos.
   */
  async *results(sources: Iterable<Source>, options: ResultOptions = {}): AsyncGenerator<Result> {
    const ahead = this.inference.atOnce('throughput') + 1;
    const answer = (group: readonly Read<Source>[], signal: AbortSignal) => this.answerGroup(group, { ...options, signal });
    for await (const [, outcome] of orderedMap(this.groups(sources, options), ahead, answer, options.signal)) {
      if ('error' in outcome) throw outcome.error;
      yield* outcome.value;
    }
  }

  /** Videos in their order, read ahead, as many together as the network takes at once. */
  private async *groups(sources: Iterable<Source>, options: ResultOptions): AsyncGenerator<Read<Source>[]> {
    const { clips = 1, crops = 1, signal } = options;
    const size = clips * crops === 1 ? this.inference.groupSize : 1;
    const read = (source: Source, leaving: AbortSignal) => this.tryToRead(source, { ...options, signal: leaving });
    let group: Read<Source>[] = [];
    let short = 0;
    for await (const [, outcome] of orderedMap(sources, 2 * this.workers + size, read, signal)) {
      if ('error' in outcome) throw outcome.error;
      group.push(outcome.value);
      if ('frames' in outcome.value) short++;
      if (short < size && group.length < 4 * size) continue;
      yield group;
      group = [];
      short = 0;
    }
    if (group.length > 0) yield group;
  }

  private async answerGroup(group: readonly Read<Source>[], options: ResultOptions): Promise<Result[]> {
    const logits = await this.logitsOf(
      group.filter((read) => 'frames' in read),
      options.signal,
    );
    const answers: Result[] = [];
    for (const read of group) {
      if ('error' in read) answers.push(read);
      else if (!('frames' in read)) answers.push(await this.tryTimeline(read, options));
      else answers.push(this.recognised(read.path, read.info, logits.splice(0, read.views.length), options));
    }
    return answers;
  }

  /** Videos of one view go through the network together; the views of one with several in groups. */
  private async logitsOf(videos: readonly Ready[], signal: AbortSignal | undefined): Promise<Float32Array[]> {
    const single = videos.filter(({ views }) => views.length === 1);
    const out = single.length === 0 ? [] : await this.inference.logits(await this.clipsOf(single), 'throughput');
    for (const { frames, views } of videos) {
      if (views.length > 1) out.push(...(await this.logitsOfViews(frames, views, signal)));
    }
    return out;
  }

  private async clipsOf(videos: readonly Ready[]): Promise<ClipTensor> {
    return joinClips(await Promise.all(videos.map(({ frames, views }) => this.reader.sample(frames, views))));
  }

  private async logitsOfViews(stack: FrameStack, views: readonly ClipView[], signal: AbortSignal | undefined) {
    const size = this.inference.groupSize;
    const groups = Array.from({ length: Math.ceil(views.length / size) }, (_, i) => views.slice(i * size, (i + 1) * size));
    const out: Float32Array[] = [];
    const sample = (part: readonly ClipView[], leaving: AbortSignal) => this.reader.sample(stack, part, leaving);
    for await (const [, outcome] of orderedMap(groups, 2, sample, signal)) {
      if ('error' in outcome) throw outcome.error;
      out.push(...(await this.inference.logits(outcome.value, 'throughput')));
    }
    return out;
  }

  private async tryToRead(source: Source, options: ResultOptions): Promise<Read<Source>> {
    const path = this.reader.nameOf(source);
    const { timelineFromSec: belowSec = Infinity, signal } = options;
    const views = viewsOf(options);
    if (belowSec <= 0) return { path, source }; // the timeline reads it
    try {
      const evenly = stackLength(views[0] as ClipView, this.preprocess, 0);
      const { info, stack: frames } = await this.reader.stack(source, evenly, { belowSec, signal });
      return frames === undefined ? { path, source, info } : { path, info, frames, views };
    } catch (error) {
      return { path, error: faultIn(path, error) };
    }
  }

  private async tryTimeline(video: Long<Source>, { timeline, signal }: ResultOptions): Promise<VideoTimeline | Unreadable> {
    try {
      return await this.timelineOf(video, { ...timeline, signal });
    } catch (error) {
      return { path: video.path, error: faultIn(video.path, error) };
    }
  }

  private recognised(
    path: string,
    { durationSec, truncated }: VideoInfo,
    logits: readonly Float32Array[],
    options: RecogniseOptions,
  ): ClipResult {
    const shown = this.shown(logits, options);
    return { path, durationSec, ...shown, ...(truncated !== undefined && { truncated }) };
  }

  private shown(logits: readonly Float32Array[], { top = 5, logits: wanted = false }: RecogniseOptions): FramesResult {
    const scores = this.scoresOf(logits);
    const there = this.multiLabel ? acceptedOf(scores, this.thresholds) : [];
    const ranked = topK(scores, scores.length).filter(({ labelIndex }, i) => i < top || there.includes(labelIndex));
    const predictions = ranked.map(({ labelIndex, score }) => ({ label: this.labels[labelIndex] ?? '', score }));
    return {
      ...{ predictions, scores },
      ...(this.multiLabel && { labels: there.map((k) => this.labels[k] ?? '') }),
      ...(Math.max(...scores) < this.rejectThreshold && { unknown: true as const }),
      ...(wanted && { logits }),
    };
  }

  /**
   * What happens when in a long video. Memory does not grow with its length; several wait for each other, since one keeps decoding
   * and network busy. Rejects as `recognise`.
   */
  timeline(source: Source, options: TimelineOptions = {}): Promise<VideoTimeline> {
    return this.timelineOf({ path: this.reader.nameOf(source), source }, options);
  }

  private timelineOf(video: Long<Source>, options: TimelineOptions): Promise<VideoTimeline> {
    const { labels, preprocess, thresholds, bouts, rejectThreshold } = this;
    const scoresOf = (logits: Float32Array) => this.scoresOf([logits]);
    const run = () =>
      recogniseWindows(
        this.reader,
        this.inference,
        { ...video, labels, preprocess, thresholds, bouts, rejectThreshold, scoresOf },
        options,
      );
    const result = this.lastTimeline.then(run);
    this.lastTimeline = result.catch(() => {});
    return result;
  }

  /** Facts about a video; decodes nothing. */
  facts(source: Source, signal?: AbortSignal): Promise<VideoInfo> {
    return this.reader.facts(source, signal);
  }

  /** The first half of `recognise`: a video's views as the network wants them. */
  async read(source: Source, options: ViewOptions = {}): Promise<ClipViews> {
    const { info, clips } = await this.reader.clips(source, viewsOf(options), { signal: options.signal });
    if (clips === undefined) throw new RangeError(`${this.reader.nameOf(source)}: nothing was decoded`);
    return { info, clips };
  }

  /** The second half: views -> probabilities [classes], their mean. The views are given away. */
  async score({ clips }: Pick<ClipViews, 'clips'>): Promise<number[]> {
    return this.scoresOf(await this.inference.logits(clips));
  }

  /** Logits of views -> probabilities: all that this recogniser says of scores goes through here. */
  private scoresOf(logits: readonly Float32Array[]): number[] {
    const average = this.multiLabel ? averageSigmoids : averageViews;
    return average(logits, this.calibration?.temperature);
  }

  /** Ends all threads. What is under way is rejected. */
  async close(): Promise<void> {
    await Promise.all([this.reader.close(), this.inference.close()]);
  }
}

/**
 * Score from which each class of weights is there [classes], with several labels at once; else empty. Also used by streams. ConfigError for
 * a threshold of the other kind of weights.
 */
export function thresholdsOf(
  { multiLabel, labels, calibration }: Pick<Checkpoint, 'multiLabel' | 'labels' | 'calibration'>,
  { threshold, rejectThreshold }: Pick<RecogniserSettings, 'threshold' | 'rejectThreshold'>,
): number[] {
  if (!multiLabel && threshold !== undefined)
    throw new ConfigError('threshold: is for weights of several labels at once; for one label use rejectThreshold');
  if (multiLabel && rejectThreshold)
    throw new ConfigError('rejectThreshold: is for weights of one label; with several at once each has a threshold');
  if (!multiLabel) return [];
  if (threshold !== undefined) return labels.map(() => checkedThreshold(threshold));
  return labels.map((_, k) => calibration?.thresholds?.[k] ?? usualThreshold);
}

/** Also used by streams. */
export function checkedThreshold(rejectThreshold: number): number {
  if (rejectThreshold >= 0 && rejectThreshold <= 1) return rejectThreshold;
  throw new ConfigError(`rejectThreshold: expected a score from 0 to 1, got ${rejectThreshold}`);
}

function viewsOf({ clips = 1, crops = 1 }: ViewOptions): ClipView[] {
  if (!(Number.isInteger(clips) && clips >= 1 && clips <= 100))
    throw new ConfigError(`views: expected 1 to 100 clips, got ${clips}`);
  if (crops !== 1 && crops !== 3) throw new ConfigError(`views: expected 1 or 3 crops, got ${String(crops)}`);
  return testViews(clips, crops);
}

/** The error if this file is at fault; else throws it. */
function faultIn(path: string, error: unknown): VideoError | LimitError {
  if (isFaultOf(path, error)) return error;
  throw error;
}
