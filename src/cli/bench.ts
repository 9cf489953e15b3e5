/** `vmf bench [MODEL...]`: inference speed and its bottlenecks. The comparison with PyTorch is `npm run bench` in a checkout. */

import { cpus } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { ConfigError } from '../errors.js';
import type { MachinePeak } from '../measure/machinePeak.js';
import { measureSpeed, type NetworkSpeed, type SpeedReport } from '../measure/networkSpeed.js';
import { percent } from '../metrics/percent.js';
import { defaultNetwork, networkConfig } from '../models/registry.js';
import { blockSize } from '../node/blockSize.js';
import { whole } from './arguments.js';
import { readConfig } from './info.js';
import { ProgressLine } from './progressLine.js';
import { jsonText, textTable } from './textTable.js';

interface Flags {
  readonly json?: boolean;
  readonly threads?: readonly number[];
  readonly batch?: readonly number[];
  readonly runs: number;
  readonly config?: string;
}

export function benchCommand(): Command {
  return new Command('bench')
    .description('measure networks on this machine: latency, throughput, share of the peak, what bounds each block, memory')
    .argument('[model...]', `names as \`vmf info\` lists them (default: ${defaultNetwork})`)
    .option('--config <file>', 'a configuration of your own as JSON, too')
    .option('--threads <list>', 'threads, such as 1,2,4 (default: 1, 2, 4 ... and all cores)', wholes)
    .option('--batch <list>', 'clips at once (default: 1,4)', wholes)
    .option('--runs <n>', 'counted runs of each measurement', whole(3), 9)
    .option('--json', 'print as JSON')
    .action(run);
}

function wholes(text: string): number[] {
  const counts = text.split(',').map(Number);
  if (counts.every((count) => Number.isInteger(count) && count >= 1 && count <= 1024)) return counts;
  throw new InvalidArgumentError('Expected whole numbers from 1, with commas.');
}

async function run(names: readonly string[], { json, threads, batch, runs, config }: Flags): Promise<void> {
  const configs = names.map((name) => networkConfig(name));
  if (config !== undefined) configs.push(readConfig(config));
  if (configs.length === 0) configs.push(networkConfig(defaultNetwork));
  if (new Set(configs.map(({ name }) => name)).size < configs.length) throw new ConfigError('bench: a network is named twice');
  const line = new ProgressLine();
  const say = (text: string) => line.show(text);
  try {
    const report = await measureSpeed(configs, { runs, say, ...(threads && { threads }), ...(batch && { batches: batch }) });
    line.clear();
    process.stdout.write(json ? jsonText({ ...(await about()), ...report }) : await describe(report));
  } finally {
    line.clear();
  }
}

const about = async () => ({
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
  /** Channels per block of the blocked kernels; 0: none. */
  block: await blockSize(),
  date: new Date().toISOString(),
});

async function describe({ machine, networks }: SpeedReport): Promise<string> {
  const { cpu, cores, block, date } = await about();
  return [
    `${cpu}, ${cores} cores, blocks of ${block} channels; ${date}\n`,
    machineTable(machine),
    ...networks.map(networkTables),
  ].join('\n');
}

const fixed = (value: number, digits = 2): string => value.toFixed(digits);

function machineTable(machine: readonly MachinePeak[]): string {
  const sizes = machine[0]?.bandwidths.map(({ bytes }) => `GB/s, ${bytes < 1e6 ? `${fixed(bytes / 1e3, 0)} kB` : `${fixed(bytes / 1e6, 0)} MB`}`);
  const rows = machine.map(({ threads, gflops, bandwidths, nodeMicros }) => [
    ...[threads, fixed(gflops, 1), ...bandwidths.map(({ gbPerSec }) => fixed(gbPerSec, 1)), fixed(nodeMicros)],
  ]);
  return textTable(['threads', 'GFLOP/s', ...(sizes ?? []), 'us a node'], rows);
} // biome-ignore format: headers

function networkTables({ name, macs, rows, parts, peakMb, emptyMb }: NetworkSpeed): string {
  const speed = textTable(
    ['backend', 'engines', 'threads', 'batch', 'ms', 'least ms', 'clips/s', 'GFLOP/s', 'of peak'],
    rows.map((row) => [
      ...[row.backend, row.engines, row.threads, row.batch, fixed(row.ms), fixed(row.minMs)],
      ...[fixed(row.clipsPerSec, 1), fixed(row.gflops, 1), percent(row.shareOfPeak, 0)],
    ]),
  );
  const bounds = textTable(
    ['part', 'nodes', 'MMAC', 'MB', 'ms', 'share', 'compute ms', 'memory ms', 'nodes ms', 'bound by', 'reached'],
    parts.map((part) => [
      ...[part.name, part.nodes, fixed(part.macs / 1e6, 1), fixed(part.bytes / 1e6, 1), fixed(part.ms), percent(part.share, 0)],
      ...[fixed(part.computeMs), fixed(part.memoryMs), fixed(part.nodesMs), part.bound, percent(part.reached, 0)],
    ]),
  );
  const memory = `peak memory ${fixed(peakMb, 0)} MB, of which ${fixed(emptyMb, 0)} MB are Node and ONNX Runtime`;
  return `${name}: ${fixed(macs / 1e6, 1)} million multiply-adds a clip; ${memory}\n\n${speed}\n${bounds}`;
}
