/** Clips of videos that are read once, in worker threads, without a cache. clipDataset.ts is the cached one. */
import { defaultAugment } from '../clip/augmentOptions.js';
import type { ClipReader, ReadClips, ReadOptions, ReadStack } from '../clip/clipReader.js';
import type { ClipTensor } from '../clip/clipTensor.js';
import type { ClipView } from '../clip/clipView.js';
import type { Preprocess } from '../clip/preprocess.js';
import { type FrameStack, sampleClips } from '../clip/sampleClips.js';
import { VideoError } from '../errors.js';
import { WorkerPool } from '../node/workerPool.js';
import { defaultTimeoutSec, defaultWorkers, type VideoPoolOptions } from '../video/pool.js';
import type { VideoInfo } from '../video/types.js';
import type { ClipTasks, ClipWorkerData } from './clipTasks.js';
import { type FileSource, partOf } from './videoPart.js';

/** Threads that read clips of files. */
export function clipPool(size: number, workerData: ClipWorkerData): WorkerPool<ClipTasks> {
  return new WorkerPool<ClipTasks>({
    url: new URL('./clipWorker.js', import.meta.url),
    size,
    workerData,
    crashed: (path, reason) => new VideoError(`the worker thread that read it died: ${reason}`, { path, code: 'crashed' }),
  });
}

export class FileClipReader implements ClipReader<FileSource> {
  readonly workers: number;
  private readonly pool: WorkerPool<ClipTasks>;
  private readonly timeoutSec: number;

  constructor(
    readonly preprocess: Preprocess,
    { size = defaultWorkers(), decoder = 'auto', limits = {}, timeoutSec = defaultTimeoutSec }: VideoPoolOptions = {},
  ) {
    const workerData = { preprocess, augment: defaultAugment, decoder, limits };
    this.workers = size;
    this.timeoutSec = timeoutSec;
    this.pool = clipPool(size, workerData);
  }

  nameOf(source: FileSource): string {
    return partOf(source).path;
  }

  facts(source: FileSource, signal?: AbortSignal): Promise<VideoInfo> {
    return this.pool.run('facts', partOf(source), this.task(source, signal));
  }

  clips(source: FileSource, views: readonly ClipView[], { signal, ...options }: ReadOptions = {}): Promise<ReadClips> {
    return this.pool.run('clips', { ...partOf(source), views, ...options }, this.task(source, signal));
  }

  stack(source: FileSource, frames: number | readonly number[], { signal, ...options }: ReadOptions = {}): Promise<ReadStack> {
    return this.pool.run('stack', { ...partOf(source), frames, ...options }, this.task(source, signal));
  }

  /** In this thread: milliseconds a clip, less than it costs to start and feed one more thread. */
  async sample(stack: FrameStack, views: readonly ClipView[], signal?: AbortSignal): Promise<ClipTensor> {
    signal?.throwIfAborted();
    return sampleClips(stack, views, this.preprocess, defaultAugment);
  }

  /** Stops the threads; what waits or runs is rejected. */
  close(): Promise<void> {
    return this.pool.close();
  }

  private task(source: FileSource, signal: AbortSignal | undefined) {
    return { label: this.nameOf(source), signal, timeoutSec: this.timeoutSec };
  }
}
