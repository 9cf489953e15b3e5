/** Finds identical files; only files of equal size are read. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

export interface SizedFile {
  readonly path: string;
  readonly bytes: number;
}

/** Groups of two or more equal files, each in the order given. Throws what the file system throws. */
export async function sameFiles<F extends SizedFile>(files: readonly F[], signal?: AbortSignal): Promise<F[][]> {
  const groups: F[][] = [];
  for (const suspects of grouped(files, (file) => String(file.bytes))) {
    const hashes = new Map<F, string>();
    for (const file of suspects) hashes.set(file, await hashOf(file.path, signal));
    groups.push(...grouped(suspects, (file) => hashes.get(file) ?? ''));
  }
  return groups;
}

function grouped<F>(files: readonly F[], by: (file: F) => string): F[][] {
  const groups = new Map<string, F[]>();
  for (const file of files) {
    const group = groups.get(by(file));
    if (group === undefined) groups.set(by(file), [file]);
    else group.push(file);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}

async function hashOf(path: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash, signal === undefined ? {} : { signal });
  return hash.digest('hex');
}
