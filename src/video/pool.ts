/** Parallel decoding: one decoder per worker thread. Results are transferred, errors rethrown here. */
import { availableParallelism } from 'node:os';
import { VideoError } from '../errors.js';
import { WorkerPool } from '../node/workerPool.js';
import { defaultLimits } from './limits.js';
import type { DecodedVideo, DecodeRequest, DecoderChoice, TimeWindow, VideoInfo, VideoLimits } from './types.js';

/** Default number of videos decoded in parallel. */
export const defaultWorkers = (): number => Math.min(availableParallelism(), 4);
export const defaultTimeoutSec = 300;

export interface VideoPoolOptions {
  /** Worker threads; by default the number of cores, at most 4. */
  readonly size?: number;
  readonly decoder?: DecoderChoice;
  readonly limits?: Partial<VideoLimits>;
  /** Time limit per file, in seconds (LimitError); 300 by default. */
  readonly timeoutSec?: number;
}

export interface VideoCallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Only this part of the file is read, and its facts are as though it were all. */
  readonly part?: TimeWindow | undefined;
}

/** Start-up data of a worker. */
export interface VideoWorkerData {
  readonly choice: DecoderChoice;
  readonly limits: VideoLimits;
}

type OfFile = { readonly path: string } & Pick<VideoCallOptions, 'part'>;

export type VideoTasks = {
  probe: { input: OfFile; output: VideoInfo };
  decode: { input: OfFile & { request: DecodeRequest }; output: DecodedVideo };
};

export class VideoPool {
  readonly size: number;
  private readonly pool: WorkerPool<VideoTasks>;
  private readonly timeoutSec: number;

  constructor(options: VideoPoolOptions = {}) {
    this.size = options.size ?? defaultWorkers();
    this.timeoutSec = options.timeoutSec ?? defaultTimeoutSec;
    const workerData: VideoWorkerData = {
      choice: options.decoder ?? 'auto',
      limits: { ...defaultLimits, ...options.limits },
    };
    this.pool = new WorkerPool<VideoTasks>({
      url: new URL('./videoWorker.js', import.meta.url),
      size: this.size,
      workerData,
      crashed: (path, reason) => new VideoError(`the worker thread that read it died: ${reason}`, { path, code: 'crashed' }),
    });
  }

  /** Facts about a file. Rejects as `Decoder.probe` throws. */
  probe(path: string, { signal, part }: VideoCallOptions = {}): Promise<VideoInfo> {
    return this.pool.run('probe', { path, part }, { label: path, signal, timeoutSec: this.timeoutSec });
  }

  /** Frames of a file. Rejects as `Decoder.decode` throws. */
  decode(path: string, request: DecodeRequest, { signal, part }: VideoCallOptions = {}): Promise<DecodedVideo> {
    return this.pool.run('decode', { path, request, part }, { label: path, signal, timeoutSec: this.timeoutSec });
  }

  /** Stops the workers; what waits or runs is rejected. */
  close(): Promise<void> {
    return this.pool.close();
  }
}
