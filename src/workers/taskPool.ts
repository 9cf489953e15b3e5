/**
 * A pool of threads that run typed tasks, first come first served, started when there is work and never more than `size`. It
 * knows nothing of what they do: video, dataset, synth and runtime start threads for it (messages.ts is that half).
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
  /** What the task works on (a path), for messages about crashes and time-outs. */
  readonly label: string;
  /** Aborting rejects at once with the signal's reason; a task already running is finished by its worker and its result dropped. */
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

interface Seat {
  readonly worker: WorkerThread;
  task: Task | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
  failure: Error | undefined;
  readonly ended: Deferred;
}

/** A promise that is kept from outside. */
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
  private readonly seats = new Set<Seat>();
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
    await Promise.all([...this.seats].map((seat) => this.stop(seat)));
  }

  /** A worker stopped inside native code takes the whole process with it (node-av fails fatally there): wait for its reply. */
  private async stop(seat: Seat): Promise<void> {
    const { task, worker, ended } = seat;
    task?.settle(new VmfError(`${task.options.label}: the worker pool was closed`));
    if (task === undefined) await worker.terminate();
    else await ended.promise;
  }

  private dispatch(): void {
    while (this.queue.length > 0 && !this.closed) {
      const seat = this.freeSeat();
      if (seat === undefined) return;
      const task = this.queue.shift();
      if (task !== undefined) this.start(seat, task);
    }
  }

  private freeSeat(): Seat | undefined {
    for (const seat of this.seats) if (seat.task === undefined && seat.failure === undefined) return seat;
    return this.seats.size < this.options.size ? this.addSeat() : undefined;
  }

  private addSeat(): Seat {
    const worker = this.options.open({
      message: (reply) => this.finish(seat, reply as ReplyMessage),
      failed: (reason) => this.crash(seat, reason),
      ended: (code) => this.remove(seat, code),
    });
    const seat: Seat = { worker, ended: deferred(), task: undefined, timer: undefined, failure: undefined };
    this.seats.add(seat);
    return seat;
  }

  private start(seat: Seat, task: Task): void {
    try {
      seat.worker.post(task.message, task.options.transfer ?? []);
    } catch (error) {
      task.settle(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    seat.task = task;
    seat.worker.hold(true);
    const { timeoutSec, label } = task.options;
    if (timeoutSec === undefined) return;
    seat.timer = setTimeout(() => {
      seat.failure = new LimitError(`gave no result within ${timeoutSec} s and was stopped`, { path: label, code: 'timeout' });
      void seat.worker.terminate();
    }, timeoutSec * 1000);
  }

  private finish(seat: Seat, reply: ReplyMessage): void {
    const task = this.vacate(seat);
    if (this.closed) {
      void seat.worker.terminate();
      return;
    }
    seat.worker.hold(false);
    if (task === undefined || task.message.id !== reply.id) return;
    if ('error' in reply) task.settle(unpackError(reply.error));
    else task.settle(undefined, reply.output);
    this.dispatch();
  }

  private vacate(seat: Seat): Task | undefined {
    const { task } = seat;
    clearTimeout(seat.timer);
    seat.timer = undefined;
    seat.task = undefined;
    return task;
  }

  private crash(seat: Seat, reason: string): void {
    const label = seat.task?.options.label ?? 'worker';
    const make = this.options.crashed ?? ((what: string, why: string) => new VmfError(`${what}: its worker died: ${why}`));
    seat.failure ??= make(label, reason.split('\n')[0] ?? reason);
  }

  /** After a worker is gone its task fails with the reason, and a new worker takes over the queue. */
  private remove(seat: Seat, code: number): void {
    this.seats.delete(seat);
    seat.ended.resolve();
    this.crash(seat, `exit code ${code}`);
    this.vacate(seat)?.settle(seat.failure);
    this.dispatch();
  }
}
