/** Child of scaling.ts: time and peak memory of one network. */

import { networkCost } from '../src/models/cost.js';
import { inventoryOf } from '../src/models/network.js';
import { networkConfig, parseNetworkConfig } from '../src/models/registry.js';
import { initialValues } from '../src/models/variables.js';
import { Rng } from '../src/rng.js';
import { ours, ourTraining, weightDecay } from './backends.js';
import { randomClips, randomTargets } from './network.js';
import { forget, statusMb } from './processMemory.js';
import type { ScalingPoint } from './scaling.js';
import { median } from './timing.js';

const { use, frames, size, batch, tokens, threads, runs } = JSON.parse(process.argv[2] ?? '{}') as ScalingPoint;
const named = networkConfig('mobile-former-52m', { frames, height: size, width: size, temporal: 'all', classes: 400 });
const config = parseNetworkConfig({ ...named, tokens }, 'scaling');
const { parameters, statistics } = inventoryOf(config);
const rng = new Rng(['scaling']);
const weights = { parameters: initialValues(parameters, rng), statistics: initialValues(statistics, rng) };
const data = { clips: randomClips(config, batch, 'scaling'), targets: randomTargets(config, batch, 'scaling') };
const task = { config, weights, ...data, rate: 1e-5, weightDecay, threads };
forget();
const side = use === 'training' ? await ourTraining(task) : await ours(task);
const times: number[] = [];
for (let i = -2; i < runs; i++) {
  const { ms } = await side.run();
  if (i >= 0) times.push(ms);
}
const peakMb = statusMb('VmHWM');
await side.close();
console.log(JSON.stringify({ ms: median(times), peakMb, macs: networkCost(config).macs }));
