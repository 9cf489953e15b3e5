/** Sliding-window scores equal those of the same frames as one clip. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Graph } from '../src/graph/graph.js';
import { lower } from '../src/graph/lowering/lower.js';
import type { NetworkConfig } from '../src/models/config.js';
import { inferenceGraph } from '../src/models/network.js';
import { networkConfig, parseNetworkConfig } from '../src/models/registry.js';
import { slidingGraphs } from '../src/models/slidingWindow.js';
import { openRuntime } from '../src/node/graphRuntime.js';
import type { GraphRuntime } from '../src/platform/graphRuntime.js';
import { Rng } from '../src/rng.js';
import { blockOf, layouts } from './support/layouts.js';
import { randomWeights, tinyConfig } from './support/randomWeights.js';

const layout = (frames: number, temporal: 1 | 3): NetworkConfig =>
  networkConfig('mobile-former-26m', { frames, height: 32, width: 32, classes: 6, temporal: temporal === 3 ? 'all' : 'none' });

const tiny = tinyConfig({ frames: 4 });
const networks: Readonly<Record<string, NetworkConfig>> = {
  'a lite block with a kernel in time': layout(4, 3),
  'a lite block without': layout(4, 1),
  'two frames': layout(2, 3),
  'one frame': layout(1, 3),
  'a rectangle': tinyConfig({ frames: 4, height: 48, width: 32 }),
  'no lite block': parseNetworkConfig({ ...tiny, blocks: tiny.blocks.slice(1) }, 'test'),
};

for (const [name, config] of Object.entries(networks)) {
  for (const kind of layouts) {
    test(`${name}, ${kind}: every window's logits are its clip's`, async (t) => {
      const block = await blockOf(t, kind);
      if (block === undefined) return;
      const engine = openRuntime({ threads: 1 });
      try {
        await compare(engine, config, block);
      } finally {
        await engine.close();
      }
    });
  }
}

async function compare(engine: GraphRuntime, config: NetworkConfig, block: number): Promise<void> {
  const weights = randomWeights(config);
  const graphs = slidingGraphs(config, weights);
  const load = (graph: Graph) => engine.load(lower(graph, { block }), 'test', 'inference');
  const [front, window, clip] = [
    await load(graphs.front),
    await load(graphs.window),
    await load({ outputs: { logits: inferenceGraph(config, weights, 1) } }),
  ];
  const { frames: length, height, width } = config;
  const image = 3 * height * width;
  const rng = new Rng(['frames']);
  const frames = Array.from({ length: 3 * length + 10 }, () => Float32Array.from({ length: image }, () => rng.normal()));
  await front.clear();
  for (const [i, data] of frames.entries()) {
    await front.run({ frame: { shape: [3, height, width], data } });
    if (i + 1 < length || (i % 2 === 0 && i > 6)) continue; // a hop of one at first, then of two
    const { logits } = await window.run<'logits'>({});
    const clips = new Float32Array(length * image);
    frames.slice(i + 1 - length, i + 1).forEach((frame, k) => {
      clips.set(frame, k * image);
    });
    const expected = await clip.run<'logits'>({ clips: { shape: [length, 3, height, width], data: clips } });
    const apart = Math.max(...Array.from(logits.data, (v, k) => Math.abs(v - (expected.logits.data[k] ?? Number.NaN))));
    assert.ok(apart < 1e-5, `window that ends with frame ${i}: logits differ by ${apart}`);
  }
}
