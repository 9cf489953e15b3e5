/** Loaded before a program (`node --import`): writes what its process used to the file VMF_USAGE_FILE when it ends. */

import { readFileSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const file = process.env['VMF_USAGE_FILE'];

if (isMainThread && file !== undefined) {
  // Child processes of the program are not meant.
  delete process.env['VMF_USAGE_FILE'];
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime } = process.resourceUsage();
    writeFileSync(file, JSON.stringify({ 'CPU ms': (userCPUTime + systemCPUTime) / 1e3, 'peak MB': peakMb() }));
  });
}

/** Linux counts in `maxRSS` what the parent held before this program was loaded. */
function peakMb(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS / 1024;
  const [, kB] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kB) / 1024;
}
