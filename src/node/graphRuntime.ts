import './noTelemetry.js';
import { availableParallelism } from 'node:os';
import type { GraphRuntime, RuntimeOptions } from '../platform/graphRuntime.js';
import type { RuntimeSettings } from '../runtime/runtimeTasks.js';
import { TaskRuntime } from '../runtime/taskRuntime.js';
import { blockSize, refuseOtherBlock } from './blockSize.js';
import { nodeThread } from './workerThread.js';

export function openRuntime(options: RuntimeOptions = {}): GraphRuntime {
  const settings: RuntimeSettings = {
    threads: options.threads ?? Math.min(availableParallelism(), 8),
    spin: options.spin ?? false,
  };
  return new TaskRuntime({
    open: nodeThread(new URL('./runtimeWorker.js', import.meta.url), settings),
    threads: settings.threads,
    target: async () => ({ block: await blockSize() }),
    check: refuseOtherBlock,
  });
}
