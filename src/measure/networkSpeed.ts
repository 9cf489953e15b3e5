import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { VmfError } from '../errors.js';
import { lower } from '../graph/lowering/lower.js';
import { sizeOf } from '../graph/shape.js';
import type { NetworkConfig } from '../models/config.js';
import { networkCost } from '../models/cost.js';
import { clipShape, type FlatWeights, inferenceGraph, inventoryOf } from '../models/network.js';
import { initialValues } from '../models/variables.js';
import { blockSize } from '../node/blockSize.js';
import { openRuntime } from '../node/graphRuntime.js';
import { WorkerPool } from '../node/workerPool.js';
import { Rng } from '../rng.js';
import { type MachinePeak, machinePeak } from './machinePeak.js';
import type { MeasureTasks } from './measureTasks.js';
import { type PartTime, roofline } from './roofline.js';

/** `blocked`: ONNX Runtime's own layout for this CPU; `plain`: standard operators, which run anywhere. */
export type Backend = 'blocked' | 'plain';

export interface SpeedOptions {
  /** Threads to measure with; by default 1, 2, 4 ... and all cores, at most 64. */
  readonly threads?: readonly number[];
  /** Clips at once; by default 1 and 4. */
  readonly batches?: readonly number[];
  /** Counted runs of each; 9 by default. */
  readonly runs?: number;
  readonly say?: (line: string) => void;
}

/** One way of running a network. */
export interface SpeedRow {
  readonly backend: Backend;
  /** Engines at work at the same time, each with its own session. */
  readonly engines: number;
  /** Threads of each. */
  readonly threads: number;
  readonly batch: number;
  /** From asking for a batch to having it: median and least. */
  readonly ms: number;
  readonly minMs: number;
  readonly clipsPerSec: number;
  readonly gflops: number;
  /** Of the matrix product's peak with as many threads. */
  readonly shareOfPeak: number;
}

export interface NetworkSpeed {
  readonly name: string;
  readonly macs: number;
  readonly rows: readonly SpeedRow[];
  /** On one thread, one clip, the fastest backend. */
  readonly parts: readonly PartTime[];
  /** Of a process that does nothing but this, one clip at a time; and of one that loads nothing. */
  readonly peakMb: number;
  readonly emptyMb: number;
}

export interface SpeedReport {
  /** By threads; the first is one thread. */
  readonly machine: readonly MachinePeak[];
  readonly networks: readonly NetworkSpeed[];
}

/** 1, 2, 4, ... and `cores`. */
export function threadCounts(cores: number = Math.min(availableParallelism(), 64)): number[] {
  const powers = Array.from({ length: 7 }, (_, i) => 2 ** i).filter((count) => count < cores);
  return [...powers, cores];
}

/** Measures the machine, then each network. Untrained weights take as long as trained ones. */
export async function measureSpeed(configs: readonly NetworkConfig[], options: SpeedOptions = {}): Promise<SpeedReport> {
  const { threads = threadCounts(), say = () => {} } = options;
  const measure = new WorkerPool<MeasureTasks>({ url: new URL('./measureWorker.js', import.meta.url), size: 1 });
  try {
    const machine: MachinePeak[] = [];
    for (const count of new Set([1, ...threads])) {
      say(`the machine on ${count} thread${count > 1 ? 's' : ''}`);
      machine.push(await machinePeak(measure, count));
    }
    const networks: NetworkSpeed[] = [];
    for (const config of configs) networks.push(await networkSpeed(measure, machine, config, { ...options, threads, say }));
    return { machine, networks };
  } finally {
    await measure.close();
  }
}

type Chosen = SpeedOptions & Required<Pick<SpeedOptions, 'threads' | 'say'>>;

async function networkSpeed(
  measure: WorkerPool<MeasureTasks>,
  machine: readonly MachinePeak[],
  config: NetworkConfig,
  options: Chosen,
): Promise<NetworkSpeed> {
  const { threads, batches = [1, 4], runs = 9, say } = options;
  const { macs } = networkCost(config);
  const weights = untrained(config);
  const rows: SpeedRow[] = [];
  const block = await blockSize();
  for (const way of waysOf(threads, batches, block)) {
    say(`${config.name}, ${way.backend}, ${way.engines} x ${way.threads} threads, batch ${way.batch}`);
    rows.push(await speedRow(config, weights, way, { runs, macs, machine }));
  }
  say(`${config.name}, block by block`);
  const [one] = machine;
  if (!one) throw new VmfError('the machine was not measured');
  const profiled = { config, weights, clips: 1, data: randomClips(config, 1), block, runs };
  const parts = await roofline(measure, one, profiled);
  say(`${config.name}, memory`);
  return { name: config.name, macs, rows, parts, peakMb: await peakMb(config), emptyMb: await peakMb() };
}

type Way = Pick<SpeedRow, 'backend' | 'engines' | 'threads' | 'batch'>;

/** One engine by threads and batch; engines of one thread, as many as threads; the plain backend on one thread. */
function waysOf(threads: readonly number[], batches: readonly number[], block: number): Way[] {
  const backend = block > 0 ? 'blocked' : 'plain';
  const single = threads.flatMap((count) => batches.map((batch) => ({ backend, engines: 1, threads: count, batch }) as Way));
  const most = Math.max(...threads);
  const many = most > 1 ? batches.map((batch): Way => ({ backend, engines: most, threads: 1, batch })) : [];
  const plain: Way[] = block > 0 ? [{ backend: 'plain', engines: 1, threads: 1, batch: 1 }] : [];
  return [...single, ...many, ...plain];
}

interface Measuring {
  readonly runs: number;
  readonly macs: number;
  readonly machine: readonly MachinePeak[];
}

async function speedRow(config: NetworkConfig, weights: FlatWeights, way: Way, measuring: Measuring): Promise<SpeedRow> {
  const { backend, engines: count, threads, batch } = way;
  const block = backend === 'plain' ? 0 : await blockSize();
  const model = lower({ outputs: { logits: inferenceGraph(config, weights, batch) } }, { block });
  const engines = Array.from({ length: count }, () => openRuntime({ threads }));
  try {
    const sessions = await Promise.all(engines.map((engine) => engine.load(model.slice(), config.name, 'inference')));
    const clips = { shape: clipShape(config, batch), data: randomClips(config, batch) };
    const round = async (): Promise<number> => {
      const start = performance.now();
      await Promise.all(sessions.map((session) => session.run({ clips })));
      return performance.now() - start;
    };
    const times: number[] = [];
    for (let i = -2; i < measuring.runs; i++) {
      const ms = await round();
      if (i >= 0) times.push(ms);
    }
    return { ...way, ...figures(times, count * batch, count * threads, measuring) };
  } finally {
    await Promise.all(engines.map((engine) => engine.close()));
  }
}

function figures(times: readonly number[], clips: number, threads: number, { macs, machine }: Measuring) {
  const sorted = times.toSorted((a, b) => a - b);
  const ms = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const gflops = (2 * macs * clips) / ms / 1e6;
  const peak = machine.find((each) => each.threads === threads)?.gflops ?? Number.NaN;
  return { ms, minMs: sorted[0] ?? Number.NaN, clipsPerSec: (clips * 1000) / ms, gflops, shareOfPeak: gflops / peak };
}

function untrained(config: NetworkConfig): FlatWeights {
  const { parameters, statistics } = inventoryOf(config);
  const values = (kind: string, specs: typeof parameters) => initialValues(specs, new Rng(['speed', kind]));
  return { parameters: values('parameters', parameters), statistics: values('statistics', statistics) };
}

function randomClips(config: NetworkConfig, clips: number): Float32Array {
  const rng = new Rng(['speed', 'clips']);
  return Float32Array.from({ length: sizeOf(clipShape(config, clips)) }, () => rng.normal());
}

/** Peak memory of a process of its own that runs the network, or only starts. */
async function peakMb(config?: NetworkConfig): Promise<number> {
  const child = fork(new URL('./peakMemoryChild.js', import.meta.url), [], { execArgv: [] });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const told = new Promise<number>((resolve) => child.once('message', (message) => resolve(Number(message))));
  child.send({ config });
  const mb = await Promise.race([told, ended.then(() => undefined)]);
  if (mb === undefined) throw new VmfError('the process whose memory was measured ended before it said anything');
  await ended;
  return mb;
}

/** What the child process does; here because it needs the same network. */
export async function runAlone(config: NetworkConfig): Promise<void> {
  const model = lower({ outputs: { logits: inferenceGraph(config, untrained(config), 1) } }, { block: await blockSize() });
  const engine = openRuntime({ threads: 1 });
  const session = await engine.load(model, config.name, 'inference');
  for (let i = 0; i < 3; i++) {
    await session.run({ clips: { shape: clipShape(config, 1), data: randomClips(config, 1) } }, { move: true });
  }
  await engine.close();
}
