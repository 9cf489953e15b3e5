/**
 * Bounds of each part of a network: its time in ONNX Runtime's profile beside the least time of its multiply-adds, bytes and
 * nodes on this machine. Bytes are all that nodes read and write, at the bandwidth of that size.
 */

import { lower } from '../graph/lowering/lower.js';
import type { NetworkConfig } from '../models/config.js';
import { networkCost } from '../models/cost.js';
import type { Intermediates } from '../models/network.js';
import { clipShape, type FlatWeights, inferenceGraph } from '../models/network.js';
import { partsOf } from '../models/parts.js';
import type { WorkerPool } from '../node/workerPool.js';
import { bandwidthFor, type MachinePeak } from './machinePeak.js';
import type { MeasureTasks, NodeTime } from './measureTasks.js';

export interface PartTime {
  /** As the network calls it; `other` for what ONNX Runtime added without a name. */
  readonly name: string;
  readonly nodes: number;
  readonly macs: number;
  readonly bytes: number;
  /** Of one run, under the profiler. */
  readonly ms: number;
  readonly share: number;
  /** The least that each resource takes. */
  readonly computeMs: number;
  readonly memoryMs: number;
  readonly nodesMs: number;
  /** The largest of the three. */
  readonly bound: 'compute' | 'memory' | 'nodes';
  /** The largest of the three over the time: 1 is all that the machine has. */
  readonly reached: number;
}

interface Profiled {
  readonly config: NetworkConfig;
  readonly weights: FlatWeights;
  readonly clips: number;
  readonly data: Float32Array;
  readonly block: number;
  readonly runs: number;
}

/** A row a part, in the order of the network. */
export async function roofline(measure: WorkerPool<MeasureTasks>, peak: MachinePeak, profiled: Profiled): Promise<PartTime[]> {
  const { config, weights, clips, data, block, runs } = profiled;
  const keep: Intermediates = new Map();
  const logits = inferenceGraph(config, weights, clips, { keep });
  const parts = partsOf(config, keep);
  const model = lower({ outputs: { logits } }, { block, partOf: (node) => parts.get(node) ?? '' });
  const feeds = { clips: { shape: clipShape(config, clips), data } };
  const { threads } = peak;
  const times = await measure.run('profile', { model, feeds, threads, runs }, { label: `profiling ${config.name}` });
  return summed(times, runs, config, clips, peak);
}

const partNamed = (node: string, parts: readonly { readonly name: string }[]): string | undefined =>
  parts.find(({ name }) => node.startsWith(`${name}/`) || node.includes(`/${name}/`))?.name;

function summed(times: readonly NodeTime[], runs: number, config: NetworkConfig, clips: number, peak: MachinePeak): PartTime[] {
  const costs = networkCost(config).layers.filter(({ kind }) => kind !== 'table');
  const all = times.reduce((sum, { micros }) => sum + micros, 0);
  return [...costs.map(({ name }) => name), 'other'].flatMap((name) => {
    const own = times.filter((time) => (partNamed(time.name, costs) ?? 'other') === name);
    if (own.length === 0) return [];
    const macs = (costs.find((cost) => cost.name === name)?.macs ?? 0) * clips;
    return [partTime(name, own, macs, runs, all, peak)];
  });
}

function partTime(
  name: string,
  own: readonly NodeTime[],
  macs: number,
  runs: number,
  allMicros: number,
  peak: MachinePeak,
): PartTime {
  const sum = (value: (time: NodeTime) => number) => own.reduce((total, time) => total + value(time), 0) / runs;
  const ms = sum(({ micros }) => micros) / 1000;
  const least = {
    compute: (2 * macs) / peak.gflops / 1e6,
    memory: sum(({ bytes }) => bytes / bandwidthFor(peak, bytes)) / 1e6,
    nodes: (sum(() => 1) * peak.nodeMicros) / 1000,
  };
  const [bound, most] = Object.entries(least).reduce((a, b) => (b[1] > a[1] ? b : a)) as [PartTime['bound'], number];
  return {
    ...{ name, nodes: sum(() => 1), macs, bytes: sum(({ bytes }) => bytes), ms, share: (ms * 1000 * runs) / allMicros },
    ...{ computeMs: least.compute, memoryMs: least.memory, nodesMs: least.nodes, bound, reached: most / ms },
  };
}
