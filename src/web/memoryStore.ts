/** Files that last as long as the page. */
import { WeightsError } from '../errors.js';
import type { FileStore, StoredFile } from '../platform/fileStore.js';

export function memoryStore(): FileStore {
  const files = new Map<string, Blob>();
  return {
    open: async (name) => storedBlob(files.get(name), name),
    write: async (name, chunks) => void files.set(name, blobOf(chunks)),
    appendLine: async (name, line) => void files.set(name, withLine(files.get(name), line)),
    list: async () => [...files.keys()].sort(),
    remove: async (name) => void files.delete(name),
  };
}

/** A copy of the bytes. */
export const blobOf = (chunks: readonly Uint8Array[]): Blob => new Blob(chunks as Uint8Array<ArrayBuffer>[]);

/** Lines, and one more. */
export const withLine = (lines: Blob | undefined, line: string): Blob => new Blob([lines ?? '', `${line}\n`]);

export function storedBlob(blob: Blob | undefined, name: string): StoredFile {
  if (blob === undefined) throw new WeightsError('no such file', { path: name });
  return {
    size: blob.size,
    read: async (start, count) => {
      const bytes = new Uint8Array(await blob.slice(start, start + count).arrayBuffer());
      if (bytes.length === count) return bytes;
      throw new WeightsError(`ends ${count - bytes.length} bytes too early`, { path: name });
    },
    close: async () => {},
  };
}
