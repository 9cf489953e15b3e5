/**
 * The folder of a run: `last` and `best` checkpoints, metrics.jsonl, and a lock, so that two runs never share it unnoticed. All
 * writes are atomic or whole lines.
 */

import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../errors.js';
import { type Checkpoint, checkpointFile, parseCheckpoint } from '../weights/checkpoint.js';
import { readSafetensors, writeFileAtomically, writeSafetensors } from '../weights/files.js';

export class RunFolder {
  readonly lastPath: string;
  readonly bestPath: string;
  readonly metricsPath: string;
  private readonly lockPath: string;

  private constructor(readonly path: string) {
    this.lastPath = join(path, 'last.safetensors');
    this.bestPath = join(path, 'best.safetensors');
    this.metricsPath = join(path, 'metrics.jsonl');
    this.lockPath = join(path, 'running.lock');
  }

  /** Looks, and writes nothing: a new run wants a folder without a run in it, a resumed one a folder with a `last` checkpoint. */
  static check(path: string, resume: boolean): RunFolder {
    const folder = new RunFolder(path);
    const owner = folder.owner();
    if (owner !== undefined) throw new ConfigError(`${path}: a run is going on here (process ${owner}); use another --out`);
    if (resume && !existsSync(folder.lastPath)) throw new ConfigError(`${path}: nothing to resume: no last.safetensors in it`);
    if (!resume && (existsSync(folder.lastPath) || existsSync(folder.metricsPath))) {
      throw new ConfigError(`${path}: holds a run already; use --resume to continue it, or another --out`);
    }
    return folder;
  }

  /** Takes the folder for this process. */
  open(): void {
    mkdirSync(this.path, { recursive: true });
    writeFileSync(this.lockPath, String(process.pid));
  }

  close(): void {
    rmSync(this.lockPath, { force: true });
  }

  /** The living process that holds the folder, if any; a lock left by a dead one does not count. */
  private owner(): number | undefined {
    if (!existsSync(this.lockPath)) return undefined;
    const pid = Number(readFileSync(this.lockPath, 'utf8'));
    if (!Number.isInteger(pid) || pid < 1 || pid === process.pid) return undefined;
    try {
      process.kill(pid, 0);
      return pid;
    } catch {
      return undefined;
    }
  }

  async saveLast(checkpoint: Checkpoint): Promise<void> {
    await writeSafetensors(this.lastPath, checkpointFile(checkpoint));
  }

  /** Without what continues a run: for use. */
  async saveBest({ training: _, ...checkpoint }: Checkpoint): Promise<void> {
    await writeSafetensors(this.bestPath, checkpointFile(checkpoint));
  }

  async readLast(): Promise<Checkpoint> {
    return parseCheckpoint(await readSafetensors(this.lastPath), this.lastPath);
  }

  /** Adds a line to metrics.jsonl. */
  log(row: object): void {
    appendFileSync(this.metricsPath, `${JSON.stringify(row)}\n`);
  }

  /** Drops lines of epochs after this one: they are run again by a resumed run. */
  async keepEpochs(upTo: number): Promise<void> {
    if (!existsSync(this.metricsPath)) return;
    const lines = readFileSync(this.metricsPath, 'utf8').split('\n');
    const kept = lines.filter((line) => line !== '' && epochOf(line) <= upTo);
    await writeFileAtomically(this.metricsPath, [new TextEncoder().encode(kept.map((line) => `${line}\n`).join(''))]);
  }
}

/** The epoch of a line of metrics; a line cut off by a crash belongs to none and is dropped. */
function epochOf(line: string): number {
  try {
    return Number((JSON.parse(line) as { epoch?: number }).epoch ?? 0);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
