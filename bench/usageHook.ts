/** Preloaded (`node --import`): writes the process's resource usage to VMF_USAGE_FILE on exit. */

import { readFileSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const file = process.env['VMF_USAGE_FILE'];

if (isMainThread && file !== undefined) {
  delete process.env['VMF_USAGE_FILE'];
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime } = process.resourceUsage();
    writeFileSync(file, JSON.stringify({ 'CPU ms': (userCPUTime + systemCPUTime) / 1e3, 'peak MB': peakMb() }));
  });
}

/** On Linux `maxRSS` includes the parent's before exec. */
function peakMb(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS / 1024;
  const [, kB] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kB) / 1024;
}
