/** Child of scaling.ts: time and peak memory of one network. */

import { networkCost } from '../src/models/cost.js';
import { networkConfig, parseNetworkConfig } from '../src/models/registry.js';
import { ours, ourTraining, untrainedTask } from './backends.js';
import { forget, statusMb } from './processMemory.js';
import type { ScalingPoint } from './scaling.js';
import { median } from './timing.js';

const { use, frames, size, batch, tokens, threads, runs } = JSON.parse(process.argv[2] ?? '{}') as ScalingPoint;
const named = networkConfig('mobile-former-52m', { frames, height: size, width: size, temporal: 'all', classes: 400 });
const config = parseNetworkConfig({ ...named, tokens }, 'scaling');
const task = untrainedTask(config, batch, threads);
forget();
const backend = use === 'training' ? await ourTraining(task) : await ours(task);
const times: number[] = [];
for (let i = -2; i < runs; i++) {
  const { ms } = await backend.run();
  if (i >= 0) times.push(ms);
}
const peakMb = statusMb('VmHWM');
await backend.close();
console.log(JSON.stringify({ ms: median(times), peakMb, macs: networkCost(config).macs }));
