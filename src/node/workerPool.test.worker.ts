/** The worker thread of workerPool.test.ts: answers, fails and dies on demand. */
import { ConfigError } from '../errors.js';
import { Transferring } from '../workers/messages.js';
import { serveTasks } from './workerPool.js';
import type { TestTasks } from './workerPool.test.js';

serveTasks<TestTasks>({
  double: (value) => value * 2,
  fill: (length) => {
    const bytes = new Uint8Array(length).fill(7);
    return new Transferring(bytes, [bytes.buffer]);
  },
  fail: (message) => {
    throw new ConfigError(message);
  },
  die: (code) => process.exit(code),
  wait: (ms) => new Promise((resolve) => setTimeout(() => resolve(ms), ms)),
});
