/** The machine's limits as ONNX Runtime reaches them: multiply-adds of a large matrix product, bandwidth of an addition at several sizes, overhead of a node. */

import { type OnnxNode, type OnnxTensor, writeOnnx } from '../graph/onnx.js';
import type { WorkerPool } from '../node/workerPool.js';
import { Rng } from '../rng.js';
import type { MeasureTasks, TimedInput } from './measureTasks.js';

export interface MachinePeak {
  readonly threads: number;
  /** Of the best matrix product, two a multiply-add. */
  readonly gflops: number;
  /** By the bytes that an addition touches, two operands and the result: small ones live in caches, the last in memory. */
  readonly bandwidths: readonly { readonly bytes: number; readonly gbPerSec: number }[];
  /** A node's own cost, microseconds. */
  readonly nodeMicros: number;
}

type Measure = WorkerPool<MeasureTasks>;

const products = [512, 1024, 1536];
/** Elements of one operand, and additions in a row: enough for the call not to count. */
const additions = [
  [4096, 400],
  [32_768, 100],
  [262_144, 16],
  [1 << 20, 8],
  [1 << 24, 4],
] as const;

export async function machinePeak(measure: Measure, threads: number): Promise<MachinePeak> {
  const gflops: number[] = [];
  for (const size of products) gflops.push((2 * size ** 3) / (await best(measure, product(size), threads, 7)) / 1e6);
  const bandwidths: { bytes: number; gbPerSec: number }[] = [];
  for (const [count, times] of additions) {
    const bytes = 3 * 4 * count;
    bandwidths.push({ bytes, gbPerSec: bytes / (await additionMs(measure, count, times, threads)) / 1e6 });
  }
  return { threads, gflops: Math.max(...gflops), bandwidths, nodeMicros: (await additionMs(measure, 64, 400, threads)) * 1000 };
}

/**
 * Time of one addition: what more of them in a row take longer; on a busy machine at least half of their mean with all overhead.
 */
async function additionMs(measure: Measure, count: number, times: number, threads: number): Promise<number> {
  const runs = count > 1e6 ? 5 : 20;
  const few = await best(measure, sums(count, 2), threads, runs);
  const many = await best(measure, sums(count, times + 2), threads, runs);
  return Math.max((many - few) / times, many / (times + 2) / 2);
}

/** The bandwidth for a node that touches so many bytes, between the measured ones by the logarithm of their sizes. */
export function bandwidthFor({ bandwidths }: Pick<MachinePeak, 'bandwidths'>, bytes: number): number {
  const after = bandwidths.findIndex((point) => point.bytes >= bytes);
  const [low, high] = [bandwidths[after - 1], bandwidths[after]];
  if (!high) return bandwidths.at(-1)?.gbPerSec ?? Number.NaN;
  if (!low) return high.gbPerSec;
  const share = Math.log(bytes / low.bytes) / Math.log(high.bytes / low.bytes);
  return low.gbPerSec + share * (high.gbPerSec - low.gbPerSec);
}

interface Probe {
  readonly model: Uint8Array<ArrayBuffer>;
  readonly feeds: Readonly<Record<string, TimedInput>>;
}

async function best(measure: Measure, { model, feeds }: Probe, threads: number, runs: number): Promise<number> {
  return Math.min(...(await measure.run('time', { model, feeds, threads, runs }, { label: 'measuring the machine' })));
}

const random = (count: number): Float32Array => {
  const rng = new Rng(['machine', count]);
  return Float32Array.from({ length: count }, () => rng.uniform(-1, 1));
};

/** [n, n] x [n, n], the second a constant as weights are. */
function product(size: number): Probe {
  const weights = random(size * size);
  const constant: OnnxTensor = { name: 'w', type: 'float32', shape: [size, size], bytes: new Uint8Array(weights.buffer) };
  const model = probe([{ type: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }], [constant], ['x'], [size, size]);
  return { model, feeds: { x: { shape: [size, size], data: random(size * size) } } };
}

/** x + w + w + w ..., so many times. */
function sums(count: number, times: number): Probe {
  const nodes = Array.from({ length: times }, (_, i): OnnxNode => {
    return { type: 'Add', inputs: [i === 0 ? 'x' : `s${i}`, 'w'], outputs: [i === times - 1 ? 'y' : `s${i + 1}`] };
  });
  const value = { shape: [count], data: random(count) };
  return { model: probe(nodes, [], ['x', 'w'], [count]), feeds: { x: value, w: value } };
}

function probe(
  nodes: readonly OnnxNode[],
  initializers: readonly OnnxTensor[],
  inputs: readonly string[],
  shape: readonly number[],
): Uint8Array<ArrayBuffer> {
  const value = (name: string) => ({ name, type: 'float32' as const, shape });
  return writeOnnx({ opsets: { '': 17 }, nodes, initializers, inputs: inputs.map(value), outputs: [value('y')] });
}
