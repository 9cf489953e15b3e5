/** Graphs on onnxruntime-web (WebAssembly), in a module worker or where the caller is. */
import type { GraphRuntime, RuntimeOptions } from '../platform/graphRuntime.js';
import { runtimeTasks } from '../runtime/sessionTable.js';
import { TaskRuntime } from '../runtime/taskRuntime.js';
import { serveTasks } from '../workers/messages.js';
import { type WasmSettings, wasmBackend } from './wasmBackend.js';
import { sameThread, webThread } from './workerThread.js';

export interface WebRuntimeOptions extends Omit<RuntimeOptions, 'spin'> {
  /** Folder of onnxruntime-web's .wasm and .mjs files, with a slash at its end; by default left to the bundler. */
  readonly wasmPaths?: string;
  /** Starts the worker; by default the file beside this one. `page` runs in the calling thread. */
  readonly worker?: (() => Worker) | 'page';
}

/** Threads need cross-origin isolation, and pay only on idle cores. */
export const webThreads = (): number =>
  globalThis.crossOriginIsolated ? Math.max(Math.min((globalThis.navigator?.hardwareConcurrency ?? 1) - 1, 4), 1) : 1;

export function openWebRuntime(options: WebRuntimeOptions = {}): GraphRuntime {
  const { threads = webThreads(), wasmPaths, worker = besideThis } = options;
  const settings: WasmSettings = { threads, ...(wasmPaths !== undefined && { wasmPaths }) };
  const here = () => sameThread((port) => serveTasks(port, runtimeTasks(wasmBackend(settings))));
  return new TaskRuntime({
    open: worker === 'page' ? here() : webThread(worker, settings),
    threads,
    target: async () => ({ block: 0 }),
  });
}

const besideThis = () => new Worker(new URL('./runtimeWorker.js', import.meta.url), { type: 'module' });
