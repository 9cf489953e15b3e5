/**
 * Names the action in a video: weights with their labels and preprocessing, ready for use. Decoding and network run in threads of
 * their own and overlap when there are several videos. A short clip gets a label, a long video a timeline (see longVideo.ts).
 */
import { availableParallelism } from 'node:os';
import type { Preprocess } from '../clip/preprocess.js';
import { faultOf } from '../dataset/fault.js';
import { inOrder } from '../dataset/inOrder.js';
import { ConfigError, WeightsError } from '../errors.js';
import type { NetworkConfig } from '../models/config.js';
import { averageViews, topK } from '../scores/softmax.js';
import type { DecoderChoice, VideoInfo, VideoLimits } from '../video/types.js';
import { type Checkpoint, parseCheckpoint } from '../weights/checkpoint.js';
import { readSafetensors } from '../weights/files.js';
import { ClipReader, type ClipViews, type ViewOptions } from './clipReader.js';
import { Inference, joined } from './inference.js';
import { type LongVideoOptions, recogniseLong, type VideoTimeline } from './longVideo.js';

export interface RecogniserOptions {
  readonly decoder?: DecoderChoice;
  /** Threads of the network; half of the cores by default, at most 4. */
  readonly threads?: number;
  /** Videos decoded at once; the other cores by default, at most 4. Both together are best not more than there are cores. */
  readonly workers?: number;
  readonly limits?: Partial<VideoLimits>;
  /** A video that takes longer to decode is given up with a LimitError; 300 by default. */
  readonly timeoutSec?: number;
  /** Give the recogniser back before its network is loaded, so that the first video is decoded meanwhile; false by default. */
  readonly background?: boolean;
}

/** A label and its probability. */
export interface Prediction {
  readonly label: string;
  readonly score: number;
}

/** What a clip shows. */
export interface Recognised {
  readonly path: string;
  readonly durationSec: number;
  /** Best first, `top` of them. */
  readonly predictions: readonly Prediction[];
  /** [classes] probabilities in the order of the labels; the mean over the views. */
  readonly scores: readonly number[];
  /** Why the file is held to be cut off, when it is; what is there was used. */
  readonly truncated?: string;
}

/** A video that could not be read. */
export interface Unreadable {
  readonly path: string;
  /** A VideoError or LimitError that names the path. */
  readonly error: Error;
}

export interface RecogniseOptions extends ViewOptions {
  /** Predictions given back; 5 by default. */
  readonly top?: number;
}

/** Reads weights that `vmf train` wrote and makes them ready. Rejects with a WeightsError or ConfigError when they are not. */
export async function loadRecogniser(weightsPath: string, options: RecogniserOptions = {}): Promise<Recogniser> {
  const checkpoint = parseCheckpoint(await readSafetensors(weightsPath), weightsPath);
  return openRecogniser(checkpoint, options, weightsPath);
}

/** The same from a checkpoint in memory; `where` names it in errors. */
export async function openRecogniser(
  checkpoint: Checkpoint,
  options: RecogniserOptions = {},
  where = 'weights',
): Promise<Recogniser> {
  const { config, preprocess } = checkpoint;
  if (preprocess.frames !== config.frames || preprocess.size !== config.size) {
    const [made, takes] = [preprocess, config].map(({ frames, size }) => `${frames} frames of ${size} px`);
    throw new WeightsError(`${where}: its preprocessing makes ${made}, its network takes ${takes}`);
  }
  const recogniser = new Recogniser(checkpoint, options);
  const ready = recogniser.warmUp();
  try {
    if (options.background)
      ready.catch(() => {}); // told by the first clip that needs the network
    else await ready;
    return recogniser;
  } catch (error) {
    await recogniser.close();
    throw error;
  }
}

export class Recogniser {
  readonly config: NetworkConfig;
  /** One a class, in the order of the scores. */
  readonly labels: readonly string[];
  readonly preprocess: Preprocess;
  /** Facts stored with the weights: how they were trained. */
  readonly notes: Readonly<Record<string, string>>;
  private readonly reader: ClipReader;
  private readonly inference: Inference;
  private lastTimeline: Promise<unknown> = Promise.resolve();

  /** Use `loadRecogniser` or `openRecogniser`. */
  constructor(checkpoint: Checkpoint, options: RecogniserOptions) {
    const { config, labels, preprocess, notes } = checkpoint;
    [this.config, this.labels, this.preprocess, this.notes] = [config, labels, preprocess, notes];
    const cores = availableParallelism();
    const { threads = within(cores / 2, 1, 4), workers = within(cores - threads, 1, 4), ...reading } = options;
    this.reader = new ClipReader(preprocess, { ...reading, size: workers });
    const { parameters, statistics } = checkpoint;
    this.inference = new Inference(config, { parameters, statistics }, { threads });
  }

  /** Videos decoded at once. */
  get workers(): number {
    return this.reader.workers;
  }

  /** Loads the network before the first clip needs it. */
  warmUp(): Promise<void> {
    return this.inference.warmUp();
  }

  /** What one clip shows. Rejects with a VideoError or LimitError when it cannot be read, with the signal's reason when aborted. */
  async recognise(path: string, options: RecogniseOptions = {}): Promise<Recognised> {
    const views = await this.read(path, options);
    const scores = await this.score(views);
    options.signal?.throwIfAborted();
    return this.recognised(path, views.info, scores, options);
  }

  /**
   * Many clips, decoded ahead while the network works; results in the order of the paths. A video that cannot be read is told in
   * its place and does not end the others; anything else that fails (no decoder, diverged weights) is thrown. Small networks take
   * several videos at once, always the same ones of a list, so that a list gives the same scores again to the last digit.
   */
  async *recogniseMany(paths: Iterable<string>, options: RecogniseOptions = {}): AsyncGenerator<Recognised | Unreadable> {
    const { clips = 1, crops = 1 } = options;
    const size = clips * crops === 1 ? this.inference.groupSize : 1;
    const ahead = Math.ceil((2 * this.workers) / size) + 1;
    const together = (group: readonly string[], signal: AbortSignal) => this.recogniseGroup(group, { ...options, signal });
    for await (const [, outcome] of inOrder(inGroups(paths, size), ahead, together, options.signal)) {
      if ('error' in outcome) throw outcome.error;
      yield* outcome.value;
    }
  }

  private async recogniseGroup(paths: readonly string[], options: RecogniseOptions): Promise<(Recognised | Unreadable)[]> {
    const read = await Promise.all(paths.map((path) => this.tryToRead(path, options)));
    const views = read.flatMap((each) => ('error' in each ? [] : [each]));
    const total = views.reduce((sum, { count }) => sum + count, 0);
    const logits = await this.inference.logits(joined(views, this.config.frames), total);
    let used = 0;
    return read.map((each, i) => {
      if ('error' in each) return each;
      const own = logits.slice(used, used + each.count);
      used += each.count;
      return this.recognised(paths[i] ?? '', each.info, averageViews(own), options);
    });
  }

  private async tryToRead(path: string, options: ViewOptions): Promise<ClipViews | Unreadable> {
    try {
      return await this.read(path, options);
    } catch (error) {
      return { path, error: faultIn(path, error) };
    }
  }

  private recognised(
    path: string,
    { durationSec, truncated }: VideoInfo,
    scores: number[],
    { top = 5 }: RecogniseOptions,
  ): Recognised {
    const predictions = topK(scores, top).map(({ labelIndex, score }) => ({ label: this.labels[labelIndex] ?? '', score }));
    return { path, durationSec, predictions, scores, ...(truncated !== undefined && { truncated }) };
  }

  /**
   * What happens when in a long video. Memory does not grow with its length; several wait for each other, since one keeps decoding
   * and network busy. Rejects as `recognise`.
   */
  timeline(path: string, options: LongVideoOptions = {}): Promise<VideoTimeline> {
    const { labels, preprocess } = this;
    const run = () => recogniseLong(this.reader, this.inference, { path, labels, preprocess }, options);
    const result = this.lastTimeline.then(run);
    this.lastTimeline = result.catch(() => {});
    return result;
  }

  /** Facts about a video file; decodes nothing. */
  facts(path: string, signal?: AbortSignal): Promise<VideoInfo> {
    return this.reader.facts(path, signal);
  }

  /** The first half of `recognise`: a video's views as the network wants them. */
  async read(path: string, options: ViewOptions = {}): Promise<ClipViews> {
    const { clips = 1, crops = 1 } = options;
    if (!(Number.isInteger(clips) && clips >= 1 && clips <= 100))
      throw new ConfigError(`views: expected 1 to 100 clips, got ${clips}`);
    if (crops !== 1 && crops !== 3) throw new ConfigError(`views: expected 1 or 3 crops, got ${String(crops)}`);
    return this.reader.views(path, options);
  }

  /** The second half: views -> probabilities [classes], their mean. The views are given away. */
  async score({ clips, count }: ClipViews): Promise<number[]> {
    return averageViews(await this.inference.logits(clips, count));
  }

  /** Ends all threads. What is under way is rejected. */
  async close(): Promise<void> {
    await Promise.all([this.reader.close(), this.inference.close()]);
  }
}

function within(value: number, least: number, most: number): number {
  return Math.min(Math.max(Math.floor(value), least), most);
}

function* inGroups<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let group: T[] = [];
  for (const item of items) {
    group.push(item);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** The error, if it is this file's fault; else throws it. */
function faultIn(path: string, error: unknown): Error {
  if (error instanceof Error && faultOf(path, error) !== undefined) return error;
  throw error;
}
