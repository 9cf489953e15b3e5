/**
 * Clips of videos that are read repeatedly: workers decode, cache frame stacks in memory and on disk, and sample. No labels,
 * epochs or batches.
 */
import { type Augment, defaultAugment } from '../clip/augmentOptions.js';
import { decodeSize } from '../clip/clipShape.js';
import { type ClipTensor, emptyClips } from '../clip/clipTensor.js';
import { type ClipView, stackLength } from '../clip/clipView.js';
import type { Preprocess } from '../clip/preprocess.js';
import type { WorkerPool } from '../node/workerPool.js';
import { defaultTimeoutSec, defaultWorkers } from '../video/pool.js';
import type { DecoderChoice, VideoLimits } from '../video/types.js';
import { clipPool } from './clipReader.js';
import type { ClipTasks, StripOutput, StripPlace } from './clipTasks.js';
import { DiskBudget, defaultCacheFolder } from './diskBudget.js';
import type { FrameStackFacts, FrameStackRequest } from './frameStack.js';
import { MemoryCache } from './memoryCache.js';
import { partKey, segmentName, type VideoPart } from './videoPart.js';

export interface ClipDatasetOptions {
  readonly preprocess: Preprocess;
  /** Of training clips; `defaultAugment` by default. */
  readonly augment?: Augment;
  /** Frames kept of each video for training, evenly spaced; 4 T by default. More is finer jitter and a larger cache. */
  readonly candidates?: number;
  /** Worker threads; by default the number of cores, at most 4. */
  readonly workers?: number;
  readonly decoder?: DecoderChoice;
  readonly limits?: Partial<VideoLimits>;
  /** A video that keeps a worker busy for longer counts as unreadable; 300 by default. */
  readonly timeoutSec?: number;
  /** Pixels kept in memory; 256 MB by default. */
  readonly memoryBytes?: number;
  /** Folder for strips on disk, by default the system's place for caches; false for none. */
  readonly cacheFolder?: string | false;
  /** Bound of that folder; 8 GB by default. */
  readonly diskBytes?: number;
  /** Called once per problem that costs time or quality: a truncated video, a cache that cannot be written. */
  readonly onWarning?: (message: string) => void;
}

/** What happened so far, counted per strip. */
export interface SourceStats {
  fromMemory: number;
  fromDisk: number;
  decoded: number;
  /** Damaged files of the disk cache, decoded again. */
  damaged: number;
}

export class ClipDataset {
  readonly preprocess: Preprocess;
  readonly workers: number;
  readonly stats: SourceStats = { fromMemory: 0, fromDisk: 0, decoded: 0, damaged: 0 };
  private readonly candidates: number;
  private readonly pool: WorkerPool<ClipTasks>;
  private readonly memory: MemoryCache;
  private readonly budget: DiskBudget;
  private folder: string | undefined;
  private readonly warned = new Set<string>();
  /** Places of strips on disk, found once a run, not once an epoch. */
  private readonly places = new Map<string, StripPlace>();

  constructor(private readonly options: ClipDatasetOptions) {
    const { preprocess } = options;
    this.preprocess = preprocess;
    this.workers = options.workers ?? defaultWorkers();
    this.candidates = options.candidates ?? 4 * preprocess.frames;
    this.memory = new MemoryCache(options.memoryBytes ?? 256e6);
    this.folder = options.cacheFolder === false ? undefined : (options.cacheFolder ?? defaultCacheFolder());
    this.budget = new DiskBudget(this.folder ?? '', options.diskBytes ?? 8e9);
    const { augment = defaultAugment, decoder = 'auto', limits = {} } = options;
    this.pool = clipPool(this.workers, { preprocess, augment, decoder, limits });
  }

  /** One clip. Rejects with a VideoError or LimitError when the video cannot be read. */
  clip(video: VideoPart, view: ClipView, signal?: AbortSignal): Promise<ClipTensor> {
    return this.clips(video, [view], signal);
  }

  /** Several clips of one video, which is read once; all of training or all with the same number of test clips. */
  async clips(video: VideoPart, views: readonly ClipView[], signal?: AbortSignal): Promise<ClipTensor> {
    return (await this.load(video, views, views, signal)).clips;
  }

  /** Prepares a video's strip for `view` (cached, where there is room) and describes it. Rejects as `clip`. */
  async ready(video: VideoPart, view: ClipView, signal?: AbortSignal): Promise<FrameStackFacts> {
    return (await this.load(video, [view], [], signal)).facts;
  }

  /** Stops the workers. */
  async close(): Promise<void> {
    await this.pool.close();
    await this.budget.settled();
  }

  private async load(
    video: VideoPart,
    like: readonly ClipView[],
    views: readonly ClipView[],
    signal: AbortSignal | undefined,
  ): Promise<{ clips: ClipTensor; facts: FrameStackFacts }> {
    const request = this.requestFor(video, like);
    const name = `${request.evenly} ${Object.values(request.size).join('x')} ${partKey(video)}`;
    const strip = this.memory.get(name);
    if (strip !== undefined && views.length === 0) return { clips: emptyClips(0, this.preprocess), facts: strip };
    const { folder, budget } = this;
    const input = { request, strip, folder, place: this.places.get(name), mayWrite: budget.mayWrite, views };
    const { timeoutSec = defaultTimeoutSec } = this.options;
    const output = await this.pool.run('strip', input, { label: video.path, signal, timeoutSec });
    this.account(video, output);
    if (output.place !== undefined) this.places.set(name, output.place);
    if (output.strip !== undefined) this.memory.set(name, output.strip);
    return { clips: output.clips, facts: strip ?? (output.strip as FrameStackFacts) };
  }

  private requestFor({ path, segment }: VideoPart, views: readonly ClipView[]): FrameStackRequest {
    const { preprocess } = this;
    const counts = new Set(views.map((view) => stackLength(view, preprocess, this.candidates)));
    const [evenly] = counts;
    if (evenly === undefined || counts.size > 1) throw new RangeError('ClipDataset: views of one call must share their strip');
    const { colour, startSec } = preprocess;
    const size = decodeSize(preprocess, views[0]?.mode === 'train' ? 'train' : 'test');
    const part = { path, ...(segment && { segment }) };
    return { ...part, decoder: this.options.decoder ?? 'auto', colour, evenly, startSec, size };
  }

  private account({ path, segment }: VideoPart, output: StripOutput): void {
    const { stats } = this;
    if (output.from === 'memory') stats.fromMemory++;
    else if (output.from === 'disk') stats.fromDisk++;
    else stats.decoded++;
    if (output.damaged) stats.damaged++;
    if (output.wroteBytes > 0) this.budget.wrote(output.wroteBytes);
    if (output.diskProblem !== undefined) {
      this.warn(`clips are not cached on disk any more: ${output.diskProblem}`);
      this.folder = undefined;
    }
    const strip = output.strip;
    if (strip?.truncated !== undefined) this.warn(`${path}: truncated: ${strip.truncated}; what is there is used`);
    if (strip?.window.whole === true) {
      this.warn(
        `${segmentName(path, segment)}: lasts ${strip.durationSec.toFixed(2)} s, too short to begin at ${this.preprocess.startSec} s; all of it is used`,
      );
    }
  }

  private warn(message: string): void {
    if (this.warned.has(message)) return;
    this.warned.add(message);
    this.options.onWarning?.(message);
  }
}
