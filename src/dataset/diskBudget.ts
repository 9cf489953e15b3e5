/**
 * Keeps the disk cache within its size: least recently used first, but nothing of this run, since an epoch larger than the cache
 * would evict each stack just before its turn.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The system's place for caches: XDG_CACHE_HOME or ~/.cache, ~/Library/Caches, or LOCALAPPDATA. */
export function defaultCacheFolder(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  const ofSystem = process.platform === 'darwin' ? join(homedir(), 'Library', 'Caches') : join(homedir(), '.cache');
  const base = process.platform === 'win32' ? (LOCALAPPDATA ?? ofSystem) : XDG_CACHE_HOME || ofSystem;
  return join(base, 'video-mobile-former');
}

interface StripFile {
  readonly path: string;
  readonly bytes: number;
  readonly usedMs: number;
}

/** Older temporary files belong to dead processes. */
const abandonedMs = 3_600_000;

export class DiskBudget {
  /** Whether there is room for another strip, as far as is known. */
  mayWrite = true;
  private readonly sinceMs = Date.now();
  private unscannedBytes: number;
  private scanning: Promise<void> | undefined;

  constructor(
    private readonly folder: string,
    private readonly maxBytes: number,
  ) {
    // The first write counts what earlier runs left.
    this.unscannedBytes = maxBytes;
  }

  /** To be called for every file written; rescans the folder after each sixteenth of its size. */
  wrote(bytes: number): void {
    this.unscannedBytes += bytes;
    if (this.unscannedBytes < this.maxBytes / 16 || this.scanning !== undefined) return;
    this.unscannedBytes = 0;
    this.scanning = this.trim().finally(() => {
      this.scanning = undefined;
    });
    // A worker's write will report an unreadable folder.
    this.scanning.catch(() => {});
  }

  /** Resolves when no look at the folder is under way. */
  async settled(): Promise<void> {
    await this.scanning?.catch(() => {});
  }

  /** Removes what is too much; decides whether more may be written. */
  async trim(): Promise<void> {
    const files = (await this.files()).sort((a, b) => a.usedMs - b.usedMs);
    let total = files.reduce((sum, file) => sum + file.bytes, 0);
    for (const file of files) {
      if (total <= this.maxBytes || file.usedMs >= this.sinceMs) break;
      await rm(file.path, { force: true });
      total -= file.bytes;
    }
    this.mayWrite = total <= this.maxBytes;
  }

  private async files(): Promise<StripFile[]> {
    const names = await readdir(this.folder, { recursive: true });
    const files: StripFile[] = [];
    for (const name of names) {
      if (!/\.(strip|part)$/.test(name)) continue;
      const path = join(this.folder, name);
      const found = await stat(path).catch(() => undefined);
      if (found === undefined) continue;
      const abandoned = name.endsWith('.part') && Date.now() - found.mtimeMs > abandonedMs;
      if (abandoned) await rm(path, { force: true });
      else files.push({ path, bytes: found.size, usedMs: found.mtimeMs });
    }
    return files;
  }
}
