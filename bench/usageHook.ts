/** Loaded before a program (`node --import`): writes what its process used to the file VMF_USAGE_FILE when it ends. */

import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const file = process.env['VMF_USAGE_FILE'];

if (isMainThread && file !== undefined) {
  // Child processes of the program are not meant.
  delete process.env['VMF_USAGE_FILE'];
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    writeFileSync(file, JSON.stringify({ 'CPU ms': (userCPUTime + systemCPUTime) / 1e3, 'peak MB': maxRSS / 1024 }));
  });
}
