/**
 * Reserves disk space with files of the right size, which give way to the data. Free space may be gone, or beyond a quota, when a
 * checkpoint is due. The bytes are random, since zeros take no room where a file system compresses or leaves holes.
 */

import { getRandomValues } from 'node:crypto';
import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../../errors.js';
import { freeText, isFullDisk } from '../../weights/files.js';

const ending = '.reserve';
const pieceBytes = 2 ** 20;

export class DiskReserve {
  private readonly sizes = new Map<string, number>();

  constructor(private readonly folder: string) {}

  /**
   * Reserves space for each of these names that has none. ConfigError, ending with `advice`, when there is not enough for all;
   * then nothing stays reserved.
   */
  async take(bytes: Readonly<Record<string, number>>, advice: string): Promise<void> {
    const wanted = Object.entries(bytes).filter(([name]) => !this.sizes.has(name));
    try {
      for (const [name, size] of wanted) {
        this.sizes.set(name, size);
        await fill(this.path(name), size);
      }
    } catch (error) {
      for (const [name] of wanted) await this.release(name);
      throw await this.refusal(
        error,
        wanted.reduce((sum, [, size]) => sum + size, 0),
        advice,
      );
    }
  }

  has(name: string): boolean {
    return this.sizes.has(name);
  }

  /** Releases the space of a name. */
  async release(name: string): Promise<void> {
    this.sizes.delete(name);
    await rm(this.path(name), { force: true });
  }

  /** Releases all, also what a killed process left. */
  async clear(): Promise<void> {
    this.sizes.clear();
    const left = (await readdir(this.folder)).filter((name) => name.startsWith('.') && name.endsWith(ending));
    await Promise.all(left.map((name) => rm(join(this.folder, name), { force: true })));
  }

  private path(name: string): string {
    return join(this.folder, `.${name}${ending}`);
  }

  private async refusal(error: unknown, needed: number, advice: string): Promise<Error> {
    if (!isFullDisk(error)) return error instanceof Error ? error : new Error(String(error));
    const { code } = error as NodeJS.ErrnoException;
    return new ConfigError(
      `no room for the checkpoints (${code}): ${needed} bytes needed, ${await freeText(this.folder)}; ${advice}`,
      { path: this.folder },
    );
  }
}

async function fill(path: string, size: number): Promise<void> {
  const piece = new Uint8Array(Math.min(size, pieceBytes));
  for (let at = 0; at < piece.length; at += 65_536) getRandomValues(piece.subarray(at, at + 65_536)); // the most it gives at once
  const handle = await open(path, 'w');
  try {
    for (let left = size; left > 0; left -= piece.length) await handle.writeFile(piece.subarray(0, Math.min(left, piece.length)));
    await handle.sync();
  } finally {
    await handle.close();
  }
}
