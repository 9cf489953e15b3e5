/** Provenance of a measurement: machine, date, versions. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** The widest vector instructions, where the system reports them. */
  readonly vectors: string;
  readonly memoryGb: number;
  readonly system: string;
}

export interface Setting {
  readonly machine: Machine;
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly versions: Readonly<Record<string, string>>;
}

export function setting(): Setting {
  return { machine: machine(), date: new Date().toISOString(), versions: versions() };
}

function machine(): Machine {
  const all = cpus();
  return {
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    vectors: widestVectors(),
    memoryGb: Math.round(totalmem() / 1e9),
    system: `${platform()} ${arch()} ${release()}`,
  };
}

function widestVectors(): string {
  if (platform() !== 'linux') return 'unknown';
  const flags = readFileSync('/proc/cpuinfo', 'utf8');
  const known = ['avx512bw', 'avx2', 'sse4_2', 'asimd'];
  return known.find((flag) => new RegExp(`\\b${flag}\\b`).test(flags)) ?? 'unknown';
}

const manifest = v.object({ version: v.string() });

function versions(): Record<string, string> {
  const require = createRequire(import.meta.url);
  const read = (path: string) => v.parse(manifest, JSON.parse(readFileSync(path, 'utf8'))).version;
  return {
    'video-mobile-former': read(fileURLToPath(new URL('../../package.json', import.meta.url))),
    'onnxruntime-node': read(require.resolve('onnxruntime-node/package.json')),
    node: process.versions.node,
  };
}

/** A name for files: the processor and its vector instructions, in letters that every file system takes. */
export function machineSlug({ cpu, cores, vectors }: Machine): string {
  return `${cpu} ${vectors} ${cores} cores`.toLowerCase().replace(/[^a-z0-9]+/g, '-');
}
