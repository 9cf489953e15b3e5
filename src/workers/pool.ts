/**
 * A pool of worker threads that run typed tasks, first come first served, started when there is work and never more than `size`. It
 * knows nothing of what they do: video, dataset, synth and runtime give it a worker file (messages.ts is that half).
 */
import { Worker } from 'node:worker_threads';
import { LimitError, VmfError } from '../errors.js';
import { type ReplyMessage, type TaskKinds, type TaskMessage, unpackError } from './messages.js';

export interface WorkerPoolOptions {
  /** The worker file: `new URL('./somethingWorker.js', import.meta.url)`; it calls `serveTasks`. */
  readonly url: URL;
  readonly size: number;
  /** Handed to each worker as `workerData`. */
  readonly workerData?: unknown;
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
  readonly worker: Worker;
  task: Task | undefined;
  timer: NodeJS.Timeout | undefined;
  failure: Error | undefined;
}

export class WorkerPool<Kinds extends TaskKinds> {
  private readonly queue: Task[] = [];
  private readonly seats = new Set<Seat>();
  private nextId = 1;
  private closed = false;

  constructor(private readonly options: WorkerPoolOptions) {
    if (!Number.isInteger(options.size) || options.size < 1) {
      throw new RangeError(`WorkerPool: size must be a whole number from 1, got ${options.size}`);
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
    const { task, worker } = seat;
    task?.settle(new VmfError(`${task.options.label}: the worker pool was closed`));
    if (task === undefined) await worker.terminate();
    else await new Promise((resolve) => worker.once('exit', resolve));
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
    const worker = new Worker(this.options.url, { workerData: this.options.workerData, ...workerArguments() });
    const seat: Seat = { worker, task: undefined, timer: undefined, failure: undefined };
    worker.unref();
    worker.on('message', (reply: ReplyMessage) => this.finish(seat, reply));
    worker.on('error', (error: Error) => this.crash(seat, error.message));
    worker.on('exit', (code) => this.remove(seat, code));
    this.seats.add(seat);
    return seat;
  }

  private start(seat: Seat, task: Task): void {
    try {
      seat.worker.postMessage(task.message, task.options.transfer ?? []);
    } catch (error) {
      task.settle(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    seat.task = task;
    seat.worker.ref();
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
    seat.worker.unref();
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
    this.crash(seat, `exit code ${code}`);
    this.vacate(seat)?.settle(seat.failure);
    this.dispatch();
  }
}

/** Options are inherited, but Node refuses a worker file with `--input-type`; passed explicitly, Node 24 refuses those of its own test runner. */
function workerArguments(): { execArgv?: string[] } {
  const isInput = (option: string) => option.startsWith('--input-type');
  return process.execArgv.some(isInput) ? { execArgv: process.execArgv.filter((option) => !isInput(option)) } : {};
}
