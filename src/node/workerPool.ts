import { serveTasks as serve, type TaskHandlers, type TaskKinds } from '../workers/messages.js';
import { TaskPool, type TaskPoolOptions } from '../workers/taskPool.js';
import { nodeThread, threadPort } from './workerThread.js';

export interface WorkerPoolOptions extends Omit<TaskPoolOptions, 'open'> {
  /** The worker file: `new URL('./somethingWorker.js', import.meta.url)`; it calls `serveTasks`. */
  readonly url: URL;
  /** Handed to each worker as `workerData`. */
  readonly workerData?: unknown;
}

export class WorkerPool<Kinds extends TaskKinds> extends TaskPool<Kinds> {
  constructor({ url, workerData, ...options }: WorkerPoolOptions) {
    super({ ...options, open: nodeThread(url, workerData) });
  }
}

/** Answers the pool's tasks, one at a time, for the life of this worker thread. */
export const serveTasks = <Kinds extends TaskKinds>(handlers: TaskHandlers<Kinds>): void => serve(threadPort(), handlers);
