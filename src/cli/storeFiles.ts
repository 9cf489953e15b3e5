import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatasetError, messageOf } from '../errors.js';
import { writeFileAtomically } from '../weights/files.js';

/** Writes each whole or not at all, in folders that are made where they are missing. DatasetError for a folder that cannot be made. */
export async function storeFiles(
  files: readonly { readonly path: string; readonly content: string | Uint8Array }[],
): Promise<void> {
  for (const { path, content } of files) {
    makeFolder(dirname(path));
    await writeFileAtomically(path, [typeof content === 'string' ? new TextEncoder().encode(content) : content]);
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new DatasetError(`the folder could not be made: ${messageOf(error)}`, { path, cause: error });
  }
}
