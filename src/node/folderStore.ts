import { mkdir, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { messageOf, systemCode, WeightsError } from '../errors.js';
import type { FileStore } from '../platform/fileStore.js';
import { appendLine, openStoredFile, writeFileAtomically } from '../weights/files.js';

/** The folder is made when something is first written. */
export function folderStore(folder: string): FileStore {
  const pathOf = (name: string): string => {
    if (name !== '' && name !== '.' && name !== '..' && basename(name) === name) return join(folder, name);
    throw new WeightsError('is no name of a file in a folder', { path: name });
  };
  const reported = <T>(work: Promise<T>, path: string, what: string): Promise<T> =>
    work.catch((error) => {
      throw new WeightsError(`${what} (${systemCode(error) ?? messageOf(error)})`, { path });
    });
  const made = async (name: string): Promise<string> => {
    const path = pathOf(name);
    await reported(mkdir(folder, { recursive: true }), folder, 'cannot be made');
    return path;
  };
  return {
    open: async (name) => openStoredFile(pathOf(name)),
    write: async (name, chunks) => writeFileAtomically(await made(name), chunks),
    appendLine: async (name, line) => appendLine(await made(name), line),
    list: () => reported(namesIn(folder), folder, 'cannot be listed'),
    remove: async (name) => reported(rm(pathOf(name), { force: true }), pathOf(name), 'cannot be removed'),
  };
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isFile() ? [entry.name] : [])).sort();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
