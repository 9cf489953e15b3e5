/** The PyTorch backend: a child process that holds the same network. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import type { Preprocess } from '../src/clip/preprocess.js';
import type { NetworkConfig } from '../src/models/config.js';
import { type FlatWeights, inventoryOf } from '../src/models/network.js';
import { number } from '../src/schema.js';
import { CheckError, MissingError } from './errors.js';

/** What a run is: inference at its best, a training step, inference written with Conv3d, a video file to its logits. */
export type PytorchMode = 'inference' | 'training' | 'conv3d' | 'file';

export interface PytorchTask {
  readonly mode: PytorchMode;
  readonly config: NetworkConfig;
  readonly weights: FlatWeights;
  /** [T*B, 3, S, S] */
  readonly clips: Float32Array;
  /** [B, classes], for training. */
  readonly targets?: Float32Array;
  readonly rate: number;
  readonly weightDecay: number;
  readonly threads: number;
  /** For files: how one becomes a clip, and which. */
  readonly preprocess?: Preprocess;
  readonly video?: string;
}

const aboutSchema = v.object({
  ...{ torch: v.string(), python: v.string(), blas: v.string(), executable: v.string() },
  way: v.string(),
});
const runSchema = v.object({
  ms: number(),
  peakMb: number(),
  loss: v.optional(number()),
  logits: v.optional(v.array(number())),
});

/** What the child says of itself; only the BLAS "openblas" makes it a worthy opponent. */
export type PytorchAbout = v.InferOutput<typeof aboutSchema>;
export type PytorchRun = v.InferOutput<typeof runSchema>;

const script = fileURLToPath(new URL('../../bench/pytorch/peer.py', import.meta.url));
const howToInstall =
  'apt-get install -y python3-torch libopenblas0-pthread (Debian), or name a python that has torch in VMF_PYTHON';

let python: string | undefined;

/**
 * The python named by VMF_PYTHON, else the first of the usual ones that has torch. Throws a MissingError that says what to install.
 */
export function findPython(): string {
  python ??= search();
  return python;
}

function search(): string {
  const named = process.env['VMF_PYTHON'];
  const candidates = named ? [named] : ['python3', '/usr/bin/python3'];
  const faults = candidates.map((python) => `${python}: ${faultOf(python) ?? 'works'}`);
  const found = candidates.find((_, i) => faults[i]?.endsWith(': works'));
  if (found) return found;
  throw new MissingError(`PyTorch is missing (${faults.join('; ')}). Install it: ${howToInstall}`);
}

function faultOf(python: string): string | undefined {
  const { error, status, stderr } = spawnSync(python, ['-c', 'import torch'], { encoding: 'utf8' });
  if (error) return 'not found';
  return status === 0 ? undefined : (stderr.trim().split('\n').at(-1) ?? 'cannot import torch');
}

/** Says why the peer's numbers do not count; undefined if they do. */
export function blasFault({ blas }: PytorchAbout): string | undefined {
  if (blas === 'openblas') return undefined;
  return `PyTorch uses the BLAS "${blas}", not OpenBLAS: its times are up to 5 times too long and do not count. Install: apt-get install -y libopenblas0-pthread`;
}

export class PytorchProcess {
  private constructor(
    private readonly child: ChildProcess,
    private readonly lines: AsyncIterator<string>,
    private readonly reader: Interface,
    private readonly folder: string,
    readonly about: PytorchAbout,
  ) {}

  /** Starts the child and waits until its network is loaded. */
  static async start(task: PytorchTask, python = findPython()): Promise<PytorchProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'vmf-bench-'));
    try {
      await writeTask(folder, task);
      const child = spawn(python, [script, folder, task.mode, `${task.threads}`], { stdio: ['pipe', 'pipe', 'inherit'] });
      const reader = createInterface({ input: child.stdout });
      const lines = reader[Symbol.asyncIterator]();
      return new PytorchProcess(child, lines, reader, folder, v.parse(aboutSchema, await nextJson(lines)));
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** One run; its milliseconds are measured inside the child, without the way there and back. */
  async run(): Promise<PytorchRun> {
    this.child.stdin?.write('run\n');
    return v.parse(runSchema, await nextJson(this.lines));
  }

  async close(): Promise<void> {
    this.child.stdin?.end();
    this.reader.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function nextJson(lines: AsyncIterator<string>): Promise<unknown> {
  const next = await lines.next();
  if (next.done) throw new CheckError('the PyTorch process ended before it answered; its message is above');
  return JSON.parse(next.value);
}

async function writeTask(folder: string, task: PytorchTask): Promise<void> {
  const { config, weights, clips, targets, rate, weightDecay, preprocess, video } = task;
  const { parameters, statistics } = inventoryOf(config);
  const described = { config, rate, weightDecay, parameters, statistics, preprocess, video };
  await writeFile(join(folder, 'network.json'), JSON.stringify(described));
  const vectors = { parameters: weights.parameters, statistics: weights.statistics, clips, ...(targets && { targets }) };
  for (const [name, values] of Object.entries(vectors)) {
    await writeFile(join(folder, name), new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
}
