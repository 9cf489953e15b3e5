/**
 * The folder of a run: `last` and `best` checkpoints, metrics.jsonl, a lock and reserved space. Writes are atomic or whole lines,
 * so that it stays readable after a crash.
 */

import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, systemCode } from '../../errors.js';
import { folderStore } from '../../node/folderStore.js';
import type { FileStore } from '../../platform/fileStore.js';
import { type Checkpoint, checkpointFile } from '../../weights/checkpoint.js';
import { loadCheckpoint, saveCheckpoint } from '../../weights/checkpointStore.js';
import { removeUnfinished, writeFileAtomically } from '../../weights/files.js';
import { safetensorsChunks } from '../../weights/safetensors.js';
import { MetricsLog, metricsName } from './metricsLog.js';
import { DiskReserve } from './preallocation.js';
import { checkUnlocked, takeLock } from './runLock.js';

/** Room for growing notes in checkpoints, metrics.jsonl and the file system itself. */
const marginBytes = 128 * 1024;

export class RunFolder {
  readonly lastPath: string;
  readonly bestPath: string;
  /** The first answer of a run that starts from a linear probe. */
  readonly probePath: string;
  /** The model of a linear probe on an ONNX network, which has no checkpoints. */
  readonly modelPath: string;
  readonly metricsPath: string;
  private readonly reserve: DiskReserve;
  private readonly files: FileStore;
  private readonly metrics: MetricsLog;
  /** Bytes of a checkpoint, once space for it was reserved. */
  private twinBytes = 0;
  private letGo: (() => void) | undefined;

  private constructor(
    readonly path: string,
    private readonly resume: boolean,
  ) {
    this.lastPath = join(path, 'last.safetensors');
    this.bestPath = join(path, 'best.safetensors');
    this.probePath = join(path, 'probe.safetensors');
    this.modelPath = join(path, 'best.onnx');
    this.metricsPath = join(path, metricsName);
    this.reserve = new DiskReserve(path);
    this.files = folderStore(path);
    this.metrics = new MetricsLog(this.files);
  }

  /** Writes nothing: a new run needs a folder without checkpoints, a resumed one a folder with a `last` checkpoint. */
  static check(path: string, resume: boolean): RunFolder {
    const folder = new RunFolder(path, resume);
    checkUnlocked(folder.lockPath);
    folder.checkContent();
    return folder;
  }

  private make(): void {
    try {
      mkdirSync(this.path, { recursive: true });
    } catch (error) {
      throw new ConfigError(`cannot be made a folder (${systemCode(error) ?? String(error)})`, { path: this.path, cause: error });
    }
  }

  /**
   * Locks the folder for this run. Of runs that try at the same time, in any process, one gets it; the others, and one that comes
   * after another ran since `check`, get a ConfigError. Unfinished files of a killed run are removed.
   */
  async open(): Promise<void> {
    this.make();
    this.letGo = takeLock(this.lockPath);
    try {
      this.checkContent();
      await removeUnfinished(this.path, [
        'last.safetensors',
        'best.safetensors',
        'probe.safetensors',
        'best.onnx',
        metricsName,
        'running.lock',
      ]);
      await this.reserve.clear();
      if (!this.resume) await this.metrics.clear(); // of a run that was killed before its first checkpoint
    } catch (error) {
      this.letGo();
      this.letGo = undefined;
      throw error;
    }
  }

  /**
   * Reserves the most space that the run will need, so that a full disk is found now and not after hours: for `last` and
   * `best`, unless they exist, and for the new one that is written before the old one goes. It is really written, since free
   * space ignores quotas and may be taken by others. That last piece stays reserved and gives way while a checkpoint is written,
   * so that a disk filled later does not stop the run. `checkpoint` is of the size that the run will write. ConfigError with the
   * bytes needed and free.
   */
  async reserveFor(checkpoint: Checkpoint): Promise<void> {
    const lastBytes = bytesOf(checkpoint);
    const bestBytes = bytesOf(forUse(checkpoint));
    this.twinBytes = Math.max(lastBytes, bestBytes);
    const missing = {
      ...(!existsSync(this.lastPath) && { last: lastBytes }),
      ...(!existsSync(this.bestPath) && { best: bestBytes }),
    };
    await this.reserve.take({ ...missing, twin: this.twinBytes }, 'make room or use another --out');
  }

  /** Lets the folder go, if it was taken: its lock and the room that was kept. */
  async close(): Promise<void> {
    const { letGo } = this;
    if (!letGo) return;
    this.letGo = undefined;
    try {
      await this.reserve.clear();
    } finally {
      letGo();
    }
  }

  get hasLast(): boolean {
    return existsSync(this.lastPath);
  }

  get hasBest(): boolean {
    return existsSync(this.bestPath);
  }

  async saveLast(checkpoint: Checkpoint): Promise<void> {
    await this.save('last', checkpoint);
  }

  /** Without what continues a run: for use. */
  async saveBest(checkpoint: Checkpoint): Promise<void> {
    await this.save('best', forUse(checkpoint));
  }

  /** A model file instead of checkpoints. -> its path */
  async saveModel(model: Uint8Array): Promise<string> {
    await writeFileAtomically(this.modelPath, [model]);
    return this.modelPath;
  }

  /** Without what continues a run. */
  async saveProbe(checkpoint: Checkpoint): Promise<void> {
    await this.save('probe', forUse(checkpoint));
  }

  async readBest(): Promise<Checkpoint> {
    return loadCheckpoint(this.files, 'best.safetensors', this.bestPath);
  }

  async readProbe(): Promise<Checkpoint> {
    return loadCheckpoint(this.files, 'probe.safetensors', this.probePath);
  }

  /** On a full disk the space reserved for the first of its kind, or for the next, is used. */
  private async save(name: 'last' | 'best' | 'probe', checkpoint: Checkpoint): Promise<void> {
    const isFirst = this.reserve.has(name);
    await this.reserve.release(isFirst ? name : 'twin');
    await saveCheckpoint(this.files, `${name}.safetensors`, checkpoint);
    if (this.twinBytes > 0) await this.reserve.take({ twin: this.twinBytes }, `${name} is saved: make room and --resume`);
  }

  async readLast(): Promise<Checkpoint> {
    return loadCheckpoint(this.files, 'last.safetensors', this.lastPath);
  }

  /** Adds a line to metrics.jsonl: whole, or not at all with a VmfError. A line that a killed run cut off is dropped before. */
  log(row: object): Promise<void> {
    return this.metrics.log(row);
  }

  /** Drops lines of epochs after this one: they are run again by a resumed run. */
  keepEpochs(upTo: number): Promise<void> {
    return this.metrics.keepEpochs(upTo);
  }

  private get lockPath(): string {
    return join(this.path, 'running.lock');
  }

  private checkContent(): void {
    const { path, resume } = this;
    const isBegun = existsSync(this.lastPath);
    if (resume && !isBegun) throw new ConfigError('nothing to resume: no last.safetensors in it', { path });
    if (!resume && isBegun) throw new ConfigError('holds a run already; use --resume to continue it, or another --out', { path });
    if (existsSync(this.modelPath)) throw new ConfigError('holds a baseline already (best.onnx); use another --out', { path });
    if (!resume && existsSync(this.bestPath)) {
      throw new ConfigError('holds best.safetensors, but no last.safetensors to resume; move it away, or use another --out', {
        path,
      });
    }
  }
}

function forUse({ training: _, ...checkpoint }: Checkpoint): Checkpoint {
  return checkpoint;
}

const bytesOf = (checkpoint: Checkpoint): number =>
  safetensorsChunks(checkpointFile(checkpoint)).reduce((sum, { byteLength }) => sum + byteLength, marginBytes);
