import { availableParallelism } from 'node:os';
import { ConfigError } from '../errors.js';
import { WorkerPool } from '../node/workerPool.js';
import type { SynthTasks } from './synthWorker.js';

/** Threads for drawing: by default as many as there are processors, at most 8. */
export function threadsFor(workers: number | undefined): number {
  const threads = workers ?? Math.min(availableParallelism(), 8);
  if (Number.isInteger(threads) && threads >= 1) return threads;
  throw new ConfigError(`synth: workers must be a whole number from 1, got ${threads}`);
}

export interface Drawing<Task> {
  readonly threads: number;
  readonly signal: AbortSignal | undefined;
  /** The file, in messages. */
  readonly labelOf: (task: Task) => string;
}

/** Has files drawn and encoded in worker threads; `onDone` is called after each. */
export async function drawInWorkers<Kind extends keyof SynthTasks>(
  kind: Kind,
  tasks: readonly SynthTasks[Kind]['input'][],
  { threads, signal, labelOf }: Drawing<SynthTasks[Kind]['input']>,
  onDone: (done: number) => void,
): Promise<void> {
  if (tasks.length === 0) return;
  const size = Math.min(threads, tasks.length);
  const pool = new WorkerPool<SynthTasks>({ url: new URL('./synthWorker.js', import.meta.url), size });
  let done = 0;
  const queue = tasks.values();
  const draw = async () => {
    for (const task of queue) {
      await pool.run(kind, task, { label: labelOf(task), signal });
      onDone(++done);
    }
  };
  try {
    await Promise.all(Array.from({ length: size }, draw));
  } finally {
    await pool.close();
  }
}
