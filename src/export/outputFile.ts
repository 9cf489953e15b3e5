import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConfigError } from '../errors.js';
import { isSpecialFile } from '../weights/files.js';

/** ConfigError when there is no folder for it, or something is there already that may not be replaced. */
export function checkOutputFile(path: string, input: string, force: boolean): void {
  const folder = dirname(path);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new ConfigError(`there is no folder ${folder}`, { path });
  const there = statSync(path, { throwIfNoEntry: false });
  if (there?.isDirectory()) throw new ConfigError('is a folder; expected a file to write', { path });
  if (isSpecialFile(path)) throw new ConfigError('is no regular file, which writing would replace', { path });
  if (resolve(path) === resolve(input)) throw new ConfigError('is the file that is read; name another', { path });
  if (there !== undefined && !force) throw new ConfigError('is there already; use --force to replace it', { path });
}
