/**
 * A pool of threads that run typed tasks, first come first served, started on demand, at most `size`. It does not know the tasks
 * (messages.ts is the workers' half).
 */
import { LimitError, VmfError } from '../errors.js';
import type { OpenThread, WorkerThread } from '../platform/workerThread.js';
import { type ReplyMessage, type TaskKinds, type TaskMessage, unpackError } from './messages.js';

export interface TaskPoolOptions {
  /** Starts a thread that calls `serveTasks`. */
  readonly open: OpenThread;
  readonly size: number;
  /** The error for a task whose worker died under it; by default a VmfError with the label and the reason. */
  readonly crashed?: (label: string, reason: string) => Error;
}

export interface TaskOptions {
  /** The task's subject (a path), for messages about crashes and time-outs. */
  readonly label: string;
  /**
   * Aborting rejects at once with the signal's reason; a task already running is finished by its worker and its result dropped.
   */
  readonly signal?: AbortSignal | undefined;
  /** Past this many seconds of running the worker is stopped, and the task rejects with a LimitError. */
  readonly timeoutSec?: number | undefined;
  /** Buffers of the input to move instead of copy. */
  readonly transfer?: readonly ArrayBuffer[];
}

interface Task {
  readonly message: TaskMessage;
  readonly options: TaskOptions;
  readonly settle: (error: Error | undefined, output?: unknown) => void;
}

interface WorkerSlot {
  readonly worker: WorkerThread;
  task: Task | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
  failure: Error | undefined;
  readonly ended: Deferred;
}

interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function deferred(): Deferred {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

export class TaskPool<Kinds extends TaskKinds> {
  private readonly queue: Task[] = [];
  private readonly slots = new Set<WorkerSlot>();
  private nextId = 1;
  private closed = false;

  constructor(private readonly options: TaskPoolOptions) {
    if (!Number.isInteger(options.size) || options.size < 1) {
      throw new RangeError(`TaskPool: size must be a whole number from 1, got ${options.size}`);
    }
  }

  /** Tasks that wait for a worker. */
  get waiting(): number {
    return this.queue.length;
  }

  /** Runs one task on the next free worker. Rejects with the task's own error, or as `TaskOptions` says. */
  run<K extends keyof Kinds & string>(kind: K, input: Kinds[K]['input'], options: TaskOptions): Promise<Kinds[K]['output']> {
    return new Promise((resolve, reject) => {
      const { signal } = options;
      if (signal?.aborted === true) return reject(signal.reason);
      if (this.closed) return reject(new VmfError(`${options.label}: the worker pool is closed`));
      const abort = () => {
        const place = this.queue.indexOf(task);
        if (place >= 0) this.queue.splice(place, 1);
        reject(signal?.reason);
      };
      const task: Task = {
        message: { id: this.nextId++, kind, input },
        options,
        settle: (error, output) => {
          signal?.removeEventListener('abort', abort);
          if (error === undefined) resolve(output as Kinds[K]['output']);
          else reject(error);
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.queue.push(task);
      this.dispatch();
    });
  }

  /** Stops all workers, those at work after their task. Tasks that wait or run are rejected at once. Safe to call twice. */
  async close(): Promise<void> {
    this.closed = true;
    for (const task of this.queue.splice(0)) task.settle(new VmfError(`${task.options.label}: the worker pool was closed`));
    await Promise.all([...this.slots].map((slot) => this.stop(slot)));
  }

  /** A worker stopped inside native code takes the whole process with it (node-av fails fatally there): wait for its reply. */
  private async stop(slot: WorkerSlot): Promise<void> {
    const { task, worker, ended } = slot;
    task?.settle(new VmfError(`${task.options.label}: the worker pool was closed`));
    if (task === undefined) await worker.terminate();
    else await ended.promise;
  }

  private dispatch(): void {
    while (this.queue.length > 0 && !this.closed) {
      const slot = this.freeSlot();
      if (slot === undefined) return;
      const task = this.queue.shift();
      if (task !== undefined) this.start(slot, task);
    }
  }

  private freeSlot(): WorkerSlot | undefined {
    for (const slot of this.slots) if (slot.task === undefined && slot.failure === undefined) return slot;
    return this.slots.size < this.options.size ? this.addSlot() : undefined;
  }

  private addSlot(): WorkerSlot {
    const worker = this.options.open({
      message: (reply) => this.finish(slot, reply as ReplyMessage),
      failed: (reason) => this.crash(slot, reason),
      ended: (code) => this.remove(slot, code),
    });
    const slot: WorkerSlot = { worker, ended: deferred(), task: undefined, timer: undefined, failure: undefined };
    this.slots.add(slot);
    return slot;
  }

  private start(slot: WorkerSlot, task: Task): void {
    try {
      slot.worker.post(task.message, task.options.transfer ?? []);
    } catch (error) {
      task.settle(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    slot.task = task;
    slot.worker.hold(true);
    const { timeoutSec, label } = task.options;
    if (timeoutSec === undefined) return;
    slot.timer = setTimeout(() => {
      slot.failure = new LimitError(`gave no result within ${timeoutSec} s and was stopped`, { path: label, code: 'timeout' });
      void slot.worker.terminate();
    }, timeoutSec * 1000);
  }

  private finish(slot: WorkerSlot, reply: ReplyMessage): void {
    const task = this.vacate(slot);
    if (this.closed) {
      void slot.worker.terminate();
      return;
    }
    slot.worker.hold(false);
    if (task === undefined || task.message.id !== reply.id) return;
    if ('error' in reply) task.settle(unpackError(reply.error));
    else task.settle(undefined, reply.output);
    this.dispatch();
  }

  private vacate(slot: WorkerSlot): Task | undefined {
    const { task } = slot;
    clearTimeout(slot.timer);
    slot.timer = undefined;
    slot.task = undefined;
    return task;
  }

  private crash(slot: WorkerSlot, reason: string): void {
    const label = slot.task?.options.label ?? 'worker';
    const make = this.options.crashed ?? ((what: string, why: string) => new VmfError(`${what}: its worker died: ${why}`));
    slot.failure ??= make(label, reason.split('\n')[0] ?? reason);
  }

  /** The task of a crashed worker fails with the reason, and a new worker takes over the queue. */
  private remove(slot: WorkerSlot, code: number): void {
    this.slots.delete(slot);
    slot.ended.resolve();
    this.crash(slot, `exit code ${code}`);
    this.vacate(slot)?.settle(slot.failure);
    this.dispatch();
  }
}
