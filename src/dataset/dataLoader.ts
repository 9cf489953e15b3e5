/**
 * Epochs of batches with bounded prefetch. The output depends on videos, options and seed, never on workers. Unreadable videos
 * are skipped up to a stated share in training, and errors in testing.
 */
import { testViews, type Views } from '../clip/clipView.js';
import { ConfigError, DatasetError, type ErrorCode, isFaultOf } from '../errors.js';
import { ClipDataset, type ClipDatasetOptions } from './clipDataset.js';
import { type ClipBatch, type ClipItem, collate } from './collate.js';
import type { LabelledVideo } from './labelledVideos.js';
import { type Outcome, orderedMap } from './orderedMap.js';
import { type SamplerOptions, sampleEpoch } from './sampler.js';
import { partKey, type VideoPart } from './videoPart.js';

export type { ClipBatch } from './collate.js';

/** The least a loader needs to know of a video. */
export type BatchVideo = VideoPart & Pick<LabelledVideo, 'name' | 'labelIndex'>;

/** A training video that cannot be read. */
export interface LeftOutVideo extends VideoPart {
  readonly reason: string;
}

export interface DataLoaderOptions extends ClipDatasetOptions {
  /** More unreadable training videos than this share are a DatasetError; 0.05 by default. */
  readonly maxBadShare?: number;
  /** Called for each training video that is skipped; of several segments of a film with the same reason, for the first. */
  readonly onLeftOut?: (video: BatchVideo, reason: Error) => void;
}

/** `clips` and `crops` in testing only, one after another; 1 and 1 by default. */
export interface BatchOptions extends Partial<Views> {
  /** Clips in a batch, B. */
  readonly batch: number;
  /** Training: shuffled, random clips, unreadable videos left out. Otherwise in order, fixed clips, and any failure throws. */
  readonly train: boolean;
  /** Training only: which epoch of which seed; 0 and 0 by default. */
  readonly epoch?: number;
  readonly seed?: number;
  /** Training only: clips of each video, and whether small classes are shown more often; see sampleEpoch. */
  readonly repeats?: SamplerOptions['repeats'];
  readonly classBalanced?: SamplerOptions['classBalanced'];
  /** Leave out a last batch that is not full; by default in training only. */
  readonly dropLast?: boolean;
  /** Begin with this batch of the epoch, as if those before had been taken; 0 by default. */
  readonly firstBatch?: number;
  readonly signal?: AbortSignal;
}

export interface PrepareOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, of: number) => void;
}

export interface Prepared {
  /** Videos that can be used, and those left out. */
  readonly usable: number;
  readonly leftOut: number;
  /** Median length of the sampled stretch of the usable ones: what one clip spans. */
  readonly medianSec: number;
  /** Facts of the usable videos, in order, for confounds.ts. */
  readonly read: readonly {
    readonly label: number;
    readonly durationSec: number;
    readonly width: number;
    readonly height: number;
  }[];
}

type OrderOptions = Pick<BatchOptions, 'epoch' | 'seed' | 'repeats' | 'classBalanced'>;

/** One training clip: video, its index, and the repeat within this epoch. */
interface TrainItem {
  readonly video: BatchVideo;
  readonly index: number;
  readonly view: number;
}

/** Faults of a file that no other segment of it is spared, and that cost much to meet again. */
const wholeFile: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['missing', 'empty', 'soundOnly', 'timeout', 'crashed']);

export class DataLoader {
  /** Where clips come from. */
  readonly dataset: ClipDataset;
  /** By `partKey`. */
  private readonly unreadable = new Map<string, LeftOutVideo>();
  private readonly told = new Set<string>();

  constructor(private readonly options: DataLoaderOptions) {
    this.dataset = new ClipDataset(options);
  }

  /** Training videos left out so far. */
  get leftOut(): readonly LeftOutVideo[] {
    return [...this.unreadable.values()];
  }

  /** Whether a training video is not left out, as far as is known. */
  isUsable(video: VideoPart): boolean {
    return !this.unreadable.has(partKey(video));
  }

  /**
   * Reads every training video once, into the caches, and finds the unreadable ones: then `batchCount` is exact. Optional; else
   * the first epoch does the same. DatasetError when too many are unreadable.
   */
  async prepare(videos: readonly BatchVideo[], options: PrepareOptions = {}): Promise<Prepared> {
    const spansSec: number[] = [];
    const read: { label: number; durationSec: number; width: number; height: number }[] = [];
    let done = 0;
    for await (const [video, outcome] of this.eachReady(videos, options.signal)) {
      if (this.accept(video, outcome, videos)) {
        const { window, durationSec, width, height } = outcome.value;
        spansSec.push(window.endSec - window.startSec);
        read.push({ label: video.labelIndex, durationSec, width, height });
      }
      options.onProgress?.(++done, videos.length);
    }
    const medianSec = spansSec.sort((a, b) => a - b)[Math.floor(spansSec.length / 2)] ?? Number.NaN;
    return { usable: spansSec.length, leftOut: videos.length - spansSec.length, medianSec, read };
  }

  /** Training batches of an epoch, with what is known of unreadable videos so far. */
  batchCount(videos: readonly BatchVideo[], options: OrderOptions & Pick<BatchOptions, 'batch' | 'dropLast'>): number {
    const count = this.order(videos, options).length / options.batch;
    return (options.dropLast ?? true) ? Math.floor(count) : Math.ceil(count);
  }

  /**
   * The clips of an epoch without those of videos that are known to be unreadable, which must not change the order of the others.
   */
  private order(videos: readonly BatchVideo[], options: OrderOptions): TrainItem[] {
    const { epoch = 0, seed = 0, ...rest } = options;
    const labels = videos.map(({ labelIndex }) => labelIndex);
    return sampleEpoch(labels, { epoch, seed, ...rest }).flatMap(({ video: index, view }) => {
      const video = videos[index];
      return video === undefined || !this.isUsable(video) ? [] : [{ video, index, view }];
    });
  }

  /**
   * The batches of one epoch, or of one test. Throws while iterating: DatasetError when more than `maxBadShare` of the training
   * videos cannot be read or they do not fill a batch; in testing the VideoError or LimitError of the first video that fails;
   * the signal's reason when aborted. ConfigError at once for a batch size that is none.
   */
  batches(videos: readonly BatchVideo[], options: BatchOptions): AsyncGenerator<ClipBatch> {
    const { batch, firstBatch = 0, train, dropLast = train } = options;
    if (!(Number.isInteger(batch) && batch >= 1)) throw new ConfigError(`batch: expected a whole number from 1, got ${batch}`);
    const items = train ? this.trainItems(videos, options) : this.testItems(videos, options);
    return collate(items, { batch, firstNumber: firstBatch, dropLast });
  }

  private async *trainItems(videos: readonly BatchVideo[], options: BatchOptions): AsyncGenerator<ClipItem> {
    const { batch, epoch = 0, seed = 0, firstBatch = 0, dropLast = true, signal } = options;
    const order = this.order(videos, options);
    const rest = order.slice(await this.countSkipped(firstBatch * batch, order, videos, signal));
    const cut = ({ video, index, view }: TrainItem, leaving: AbortSignal) =>
      this.dataset.clip(video, { mode: 'train', keys: [seed, 'clip', epoch, index, view] }, leaving);
    for await (const [{ video, index, view }, outcome] of orderedMap(rest, batch + 2 * this.dataset.workers, cut, signal)) {
      if (!this.accept(video, outcome, videos)) continue;
      yield { clips: outcome.value, index: 0, label: video.labelIndex, video: index, view };
    }
    if (dropLast && this.batchCount(videos, options) === 0) {
      throw new DatasetError(
        `${videos.length - this.countLeftOut(videos)} training videos do not fill a batch of ${batch}; use a smaller batch`,
      );
    }
  }

  /** Number of videos of the order that yield `clips` clips; some may be unreadable. */
  private async countSkipped(
    clips: number,
    order: readonly TrainItem[],
    videos: readonly BatchVideo[],
    signal: AbortSignal | undefined,
  ): Promise<number> {
    let skipped = 0;
    let left = clips;
    if (left === 0) return 0;
    const inTurn = order.map(({ video }) => video);
    for await (const [video, outcome] of this.eachReady(inTurn, signal)) {
      skipped++;
      if (this.accept(video, outcome, videos) && --left === 0) break;
    }
    return skipped;
  }

  private eachReady(videos: readonly BatchVideo[], signal: AbortSignal | undefined) {
    const check = (video: BatchVideo, leaving: AbortSignal) => this.dataset.ready(video, { mode: 'train', keys: [] }, leaving);
    return orderedMap(videos, 2 * this.dataset.workers, check, signal);
  }

  /** Whether a training video is usable; if not, it is skipped from now on, unless there are too many. */
  private accept<O>(video: BatchVideo, outcome: Outcome<O>, videos: readonly BatchVideo[]): outcome is { value: O } {
    if ('value' in outcome) return true;
    const { error } = outcome;
    if (!isFaultOf(video.path, error)) throw error;
    if (!this.isUsable(video)) return false;
    this.leaveOut(wholeFile.has(error.code) ? videos.filter(({ path }) => path === video.path) : [video], error);
    const { maxBadShare = 0.05 } = this.options;
    const bad = this.countLeftOut(videos);
    if (bad <= maxBadShare * videos.length) return false;
    const share = `${bad} of ${videos.length} training videos cannot be read, more than ${100 * maxBadShare} %`;
    throw new DatasetError(`${share}; run the check on the data; the last one: ${error.message}`);
  }

  private leaveOut(videos: readonly BatchVideo[], error: Error): void {
    for (const { path, segment } of videos) {
      this.unreadable.set(partKey({ path, segment }), { path, ...(segment && { segment }), reason: error.message });
    }
    const [first] = videos;
    if (first === undefined || this.told.has(error.message)) return;
    this.told.add(error.message);
    this.options.onLeftOut?.(first, error);
  }

  private countLeftOut(videos: readonly BatchVideo[]): number {
    return videos.filter((video) => !this.isUsable(video)).length;
  }

  private async *testItems(videos: readonly BatchVideo[], options: BatchOptions): AsyncGenerator<ClipItem> {
    const { batch, firstBatch = 0, clips = 1, crops = 1, signal } = options;
    const views = testViews(clips, crops);
    const skipped = firstBatch * batch;
    const numbered = videos.map((video, index) => ({ video, index })).slice(Math.floor(skipped / views.length));
    const cut = ({ video }: { video: BatchVideo }, leaving: AbortSignal) => this.dataset.clips(video, views, leaving);
    const ahead = Math.ceil(batch / views.length) + 2 * this.dataset.workers;
    let skip = skipped % views.length;
    for await (const [{ video, index }, outcome] of orderedMap(numbered, ahead, cut, signal)) {
      if ('error' in outcome) throw outcome.error;
      for (; skip < views.length; skip++) {
        yield { clips: outcome.value, index: skip, label: video.labelIndex, video: index, view: skip };
      }
      skip = 0;
    }
  }

  /** Stops the dataset's workers. */
  close(): Promise<void> {
    return this.dataset.close();
  }
}
