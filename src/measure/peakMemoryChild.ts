/** A process that runs one network, or none, and prints its peak memory in MB. Started by networkSpeed.ts. */

import { readFileSync } from 'node:fs';
import { parseNetworkConfig } from '../models/registry.js';
import { blockSize } from '../node/blockSize.js';
import { runAlone } from './networkSpeed.js';

process.once('message', async ({ config }: { readonly config?: unknown }) => {
  if (config === undefined) await blockSize();
  else await runAlone(parseNetworkConfig(config, 'memory'));
  process.send?.(peakMb(), () => process.exit(0));
});

/** On Linux `maxRSS` is inherited from the parent; its own is in /proc. */
function peakMb(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS / 1e3;
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1e3;
}
