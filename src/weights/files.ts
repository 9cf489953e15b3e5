/**
 * Weights on disk (Node only): safetensors read tensor by tensor; atomic replacement, so that even after a crash a path holds the
 * old or the new content.
 */
import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm, stat, statfs, truncate } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { messageOf, systemCode, WeightsError } from '../errors.js';
import type { StoredFile } from '../platform/fileStore.js';
import type { TensorFile } from './namedTensor.js';
import { safetensorsChunks } from './safetensors.js';
import { readTensorFile } from './tensorFile.js';

/** Per read call; the system's limit is 2 GiB. */
const maxReadBytes = 2 ** 30;

/** Reads a safetensors file. Header and size are checked before memory for tensors is taken. Throws `WeightsError`. */
export async function readSafetensors(path: string): Promise<TensorFile> {
  return readTensorFile(await openStoredFile(path), path);
}

/** Opens a regular file to be read piece by piece. Throws `WeightsError`. */
export async function openStoredFile(path: string): Promise<StoredFile> {
  const handle = await openRegularFile(path);
  const { size } = await handle.stat();
  return { size, read: (start, count) => readBytes(handle, start, count, path), close: () => handle.close() };
}

/** Writes a safetensors file atomically. A failure (`WeightsError`) leaves the old file, if any, and no other trace. */
export async function writeSafetensors(path: string, file: TensorFile): Promise<void> {
  await writeFileAtomically(path, safetensorsChunks(file));
}

/**
 * Replaces a file by these bytes: written to a temporary file in the same folder, forced to disk, then renamed. The folder must
 * exist. Throws `WeightsError` with the system's reason, after removing the temporary file.
 */
export async function writeFileAtomically(path: string, chunks: readonly Uint8Array[]): Promise<void> {
  if (isSpecialFile(path)) throw new WeightsError('is no regular file', { path });
  const temporary = join(dirname(path), `.${basename(path).slice(0, 100)}.${randomUUID()}.tmp`);
  try {
    const handle = await open(temporary, 'wx');
    try {
      for (const chunk of chunks) await handle.writeFile(chunk);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    const bytes = isFullDisk(error) ? chunks.reduce((sum, { byteLength }) => sum + byteLength, 0) : undefined;
    const room = bytes === undefined ? '' : `: ${bytes} bytes needed, ${await freeText(dirname(path))}`;
    throw new WeightsError(`could not be written (${reason(error)}${room}); the file that was there, if any, is unchanged`, {
      path,
    });
  }
  await syncFolder(dirname(path));
}

/** Whether a device, a pipe or the like is there: a rename would replace it, and opening a pipe waits for its other end. */
export function isSpecialFile(path: string): boolean {
  try {
    const there = statSync(path);
    return !there.isFile() && !there.isDirectory();
  } catch {
    return false;
  }
}

const lineEnd = 10;

/** Adds a line to a text file, on disk when this resolves: whole, or not at all with a `WeightsError`. A cut-off last line goes before. */
export async function appendLine(path: string, line: string): Promise<void> {
  let handle: FileHandle | undefined;
  let wholeBytes: number | undefined;
  try {
    handle = await open(path, 'a+');
    wholeBytes = (await handle.readFile()).lastIndexOf(lineEnd) + 1;
    await truncate(path, wholeBytes);
    await handle.appendFile(`${line}\n`);
    await handle.sync();
  } catch (error) {
    if (wholeBytes !== undefined) await truncate(path, wholeBytes);
    const room = isFullDisk(error) ? `: ${await freeText(dirname(path))}` : '';
    throw new WeightsError(`could not be written (${reason(error)}${room})`, { path, cause: error });
  } finally {
    await handle?.close();
  }
}

/** Unfinished files of `writeFileAtomically`; a killed process leaves one behind. */
const temporaryName = /^\.(.+)\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/;

/** Removes what killed processes left of these files of a folder. Only for who alone writes them: a write under way would fail. */
export async function removeUnfinished(folder: string, names: readonly string[]): Promise<void> {
  const left = (await readdir(folder)).filter((name) => names.includes(temporaryName.exec(name)?.[1] ?? ''));
  await Promise.all(left.map((name) => rm(join(folder, name), { force: true })));
}

/** Whether an error means no space: disk full, quota exceeded, or file too large. */
export const isFullDisk = (error: unknown): boolean => ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(reason(error));

/** Free disk space at a folder as text; quotas and limits not considered. */
export async function freeText(folder: string): Promise<string> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return `${bavail * bsize} are free`;
  } catch (error) {
    return `how much is free is not known (${reason(error)})`;
  }
}

/**
 * Makes the rename survive a power cut. Windows cannot open folders, and NTFS journals renames; some network file systems cannot
 * sync a folder (EINVAL).
 */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP'].includes(reason(error)))
      throw new WeightsError(`could not be synced (${reason(error)})`, { path });
  } finally {
    await handle.close();
  }
}

/** Checks the kind first: opening a pipe would block for ever. */
async function openRegularFile(path: string): Promise<FileHandle> {
  let isFolder = false;
  try {
    const kind = await stat(path);
    if (kind.isFile()) return await open(path, 'r');
    isFolder = kind.isDirectory();
  } catch (error) {
    throw new WeightsError(`cannot be opened (${reason(error)}); expected a safetensors file`, { path });
  }
  const fault = isFolder
    ? 'is a folder; expected a safetensors file, such as best.safetensors of a run'
    : 'is not a regular file; expected a safetensors file';
  throw new WeightsError(fault, { path });
}

async function readBytes(handle: FileHandle, start: number, count: number, path: string): Promise<Uint8Array<ArrayBuffer>> {
  const out = new Uint8Array(count);
  let done = 0;
  while (done < count) {
    const { bytesRead } = await handle.read(out, done, Math.min(count - done, maxReadBytes), start + done);
    if (bytesRead === 0)
      throw new WeightsError(`shrank while it was read (${count - done} bytes missing at ${start + done})`, { path });
    done += bytesRead;
  }
  return out;
}

const reason = (error: unknown): string => systemCode(error) ?? messageOf(error);
