/** The port through which work is done elsewhere: a thread that answers messages. Adapters: node/workerThread.ts, web/workerThread.ts. */

export interface ThreadListener {
  message(data: unknown): void;
  /** The thread crashed; `ended` follows. */
  failed(reason: string): void;
  ended(code: number): void;
}

export interface WorkerThread {
  post(message: unknown, transfer: readonly ArrayBuffer[]): void;
  /** Terminates it; `ended` is called. */
  terminate(): Promise<void>;
  /** Whether it keeps the process alive. */
  hold(working: boolean): void;
}

export type OpenThread = (listener: ThreadListener) => WorkerThread;

/** The thread's own end of the line. */
export interface ThreadPort {
  post(message: unknown, transfer: readonly ArrayBuffer[]): void;
  listen(onMessage: (data: unknown) => void): void;
}
