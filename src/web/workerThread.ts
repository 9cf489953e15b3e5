/** Threads of a browser (module workers), and the page itself where there are none. */
import type { OpenThread, ThreadPort } from '../platform/workerThread.js';

/** Starts a module worker. `settings` is its first message. */
export function webThread(start: () => Worker, settings: unknown): OpenThread {
  return (listener) => {
    const worker = start();
    worker.onmessage = ({ data }) => listener.message(data);
    worker.onerror = (event) => {
      listener.failed(event.message || 'it could not be started');
      worker.terminate();
      listener.ended(1);
    };
    worker.postMessage(settings);
    return {
      post: (message, transfer) => worker.postMessage(message, [...transfer]),
      terminate: async () => {
        worker.terminate();
        listener.ended(0);
      },
      hold: () => {},
    };
  };
}

/** The settings with which `webThread` started this worker, and its line to whoever did. */
export function workerStart<Settings>(): Promise<{ settings: Settings; port: ThreadPort }> {
  return new Promise((resolve) => {
    const early: unknown[] = [];
    let hear = (data: unknown): void => {
      early.push(data);
    };
    const port: ThreadPort = {
      post: (message, transfer) => self.postMessage(message, { transfer: [...transfer] }),
      listen: (onMessage) => {
        hear = onMessage;
        for (const data of early.splice(0)) onMessage(data);
      },
    };
    self.onmessage = ({ data: settings }: MessageEvent<Settings>) => {
      self.onmessage = ({ data }) => hear(data);
      resolve({ settings, port });
    };
  });
}

/** No thread: the work is done where it is asked for, between two turns of the event loop. */
export function sameThread(serve: (port: ThreadPort) => void): OpenThread {
  return (listener) => {
    let hear = (_data: unknown): void => {};
    const later = (work: () => void) => void Promise.resolve().then(work);
    serve({
      post: (message) => later(() => listener.message(message)),
      listen: (onMessage) => {
        hear = onMessage;
      },
    });
    return {
      post: (message, transfer) => {
        const moved = structuredClone(message, { transfer: [...transfer] });
        later(() => hear(moved));
      },
      terminate: async () => listener.ended(0),
      hold: () => {},
    };
  };
}
