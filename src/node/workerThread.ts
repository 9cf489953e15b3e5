import { parentPort, Worker, workerData } from 'node:worker_threads';
import type { OpenThread, ThreadPort } from '../platform/workerThread.js';

/** Starts a worker file with `data` as what `threadData` gives there. */
export function nodeThread(url: URL, data?: unknown): OpenThread {
  return (listener) => {
    const worker = new Worker(url, { workerData: data, ...workerArguments() });
    worker.unref();
    worker.on('message', (message) => listener.message(message));
    worker.on('error', (error: Error) => listener.failed(error.message));
    worker.on('exit', (code) => listener.ended(code));
    return {
      post: (message, transfer) => worker.postMessage(message, [...transfer]),
      terminate: async () => void (await worker.terminate()),
      hold: (working) => (working ? worker.ref() : worker.unref()),
    };
  };
}

/**
 * Options are inherited, but Node refuses a worker file with `--input-type`; passed explicitly, Node 24 refuses those of its own
 * test runner.
 */
function workerArguments(): { execArgv?: string[] } {
  const isInput = (option: string) => option.startsWith('--input-type');
  return process.execArgv.some(isInput) ? { execArgv: process.execArgv.filter((option) => !isInput(option)) } : {};
}

/** What this thread was started with. */
export const threadData: unknown = workerData;

/** This worker file's line to whoever started it. */
export function threadPort(): ThreadPort {
  const port = parentPort;
  if (port === null) throw new Error('threadPort: this file is a worker thread; start it through a WorkerPool');
  return {
    post: (message, transfer) => port.postMessage(message, [...transfer]),
    listen: (onMessage) => void port.on('message', onMessage),
  };
}
