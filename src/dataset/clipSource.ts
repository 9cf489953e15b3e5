/**
 * Single clips of videos: worker threads decode, keep strips (in memory, then on disk) and cut clips out of them. Knows nothing
 * of labels, epochs and batches: that is clipLoader.ts.
 */
import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { type Augment, defaultAugment } from '../clip/augment.js';
import type { ClipTensor } from '../clip/clipTensor.js';
import { type Preprocess, stripSize } from '../clip/preprocess.js';
import { VideoError } from '../errors.js';
import type { DecoderChoice, VideoLimits } from '../video/types.js';
import { WorkerPool } from '../workers/pool.js';
import type { ClipOutput, ClipTasks, ClipView, ClipWorkerData } from './clipTasks.js';
import { slotCount } from './cutClip.js';
import { DiskBudget, defaultCacheFolder } from './diskBudget.js';
import { MemoryCache } from './memoryCache.js';
import { keyName, type StripFacts, type StripKey } from './strip.js';

export type { ClipView } from './clipTasks.js';

export interface ClipSourceOptions {
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
  /** Told once per reason about things that cost time or quality: a truncated video, a cache that cannot be written. */
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

/** Whatever names a video to load. */
export type VideoPath = { readonly path: string };

export class ClipSource {
  readonly preprocess: Preprocess;
  readonly workers: number;
  readonly stats: SourceStats = { fromMemory: 0, fromDisk: 0, decoded: 0, damaged: 0 };
  private readonly candidates: number;
  private readonly pool: WorkerPool<ClipTasks>;
  private readonly memory: MemoryCache;
  private readonly budget: DiskBudget;
  private folder: string | undefined;
  private readonly warned = new Set<string>();

  constructor(private readonly options: ClipSourceOptions) {
    const { preprocess } = options;
    this.preprocess = preprocess;
    this.workers = options.workers ?? Math.min(availableParallelism(), 4);
    this.candidates = options.candidates ?? 4 * preprocess.frames;
    this.memory = new MemoryCache(options.memoryBytes ?? 256e6);
    this.folder = options.cacheFolder === false ? undefined : (options.cacheFolder ?? defaultCacheFolder());
    this.budget = new DiskBudget(this.folder ?? '', options.diskBytes ?? 8e9);
    const workerData: ClipWorkerData = {
      preprocess,
      augment: options.augment ?? defaultAugment,
      decoder: options.decoder ?? 'auto',
      limits: options.limits ?? {},
    };
    this.pool = new WorkerPool<ClipTasks>({
      url: new URL('./clipWorker.js', import.meta.url),
      size: this.workers,
      workerData,
      crashed: (path, reason) => new VideoError(`the worker thread that read it died: ${reason}`, { path, code: 'crashed' }),
    });
  }

  /** One clip. Rejects with a VideoError or LimitError when the video cannot be read. */
  async clip(video: VideoPath, view: ClipView, signal?: AbortSignal): Promise<ClipTensor> {
    const [clip] = await this.clips(video, [view], signal);
    return clip as ClipTensor;
  }

  /** Several clips of one video, which is read once; all of training or all with the same number of test clips. */
  async clips(video: VideoPath, views: readonly ClipView[], signal?: AbortSignal): Promise<ClipTensor[]> {
    return (await this.load(video, views, views, signal)).clips;
  }

  /** Makes a video's strip ready for `view` (cached, where there is room) and says what it is. Rejects as `clip`. */
  async ready(video: VideoPath, view: ClipView, signal?: AbortSignal): Promise<StripFacts> {
    return (await this.load(video, [view], [], signal)).facts;
  }

  /** Stops the workers. */
  async close(): Promise<void> {
    await this.pool.close();
    await this.budget.settled();
  }

  private async load(
    video: VideoPath,
    like: readonly ClipView[],
    views: readonly ClipView[],
    signal: AbortSignal | undefined,
  ): Promise<{ clips: ClipTensor[]; facts: StripFacts }> {
    const key = await this.keyOf(video.path, like);
    const name = keyName(key);
    const held = this.memory.get(name);
    if (held !== undefined && views.length === 0) return { clips: [], facts: held };
    const input = { key, strip: held, folder: this.folder, mayWrite: this.budget.mayWrite, views };
    const { timeoutSec = 300 } = this.options;
    const output = await this.pool.run('clips', input, { label: video.path, signal, timeoutSec });
    this.account(video.path, output);
    if (output.strip !== undefined) this.memory.set(name, output.strip);
    return { clips: output.clips, facts: held ?? (output.strip as StripFacts) };
  }

  private async keyOf(path: string, views: readonly ClipView[]): Promise<StripKey> {
    const { preprocess } = this;
    const counts = new Set(views.map((view) => slotCount(view, preprocess, this.candidates)));
    const [evenly] = counts;
    if (evenly === undefined || counts.size > 1) throw new RangeError('ClipSource: views of one call must share their strip');
    const file = await stat(path).catch((error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT';
      const details = { path, cause: error, ...(missing && { code: 'missing' as const }) };
      throw new VideoError(missing ? 'no such file' : error.message, details);
    });
    return {
      path,
      bytes: file.size,
      modifiedMs: file.mtimeMs,
      decoder: this.options.decoder ?? 'auto',
      colour: preprocess.colour,
      evenly,
      fromSec: preprocess.fromSec,
      size: stripSize(preprocess, views[0]?.mode ?? 'test'),
    };
  }

  private account(path: string, output: ClipOutput): void {
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
        `${path}: lasts ${strip.durationSec.toFixed(2)} s, too short to begin at ${this.preprocess.fromSec} s; all of it is used`,
      );
    }
  }

  private warn(message: string): void {
    if (this.warned.has(message)) return;
    this.warned.add(message);
    this.options.onWarning?.(message);
  }
}
