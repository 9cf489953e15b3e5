/** A generated set's folder and its synth.json, which reproduces the set. Foreign folders stay untouched. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatasetError } from '../errors.js';

/** What decides whether a folder holds the same set. */
export interface SetFacts {
  readonly generator: string;
  readonly version: number;
  readonly options: object;
}

/** What synth.json says of any set. */
export interface SetSummary extends SetFacts {
  /** False while files are still being written. */
  readonly complete: boolean;
}

export const isThere = (path: string): boolean => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;

/**
 * The summary of an unfinished equal set, if any. Refuses foreign folders, and other sets unless forced (then `parts`, what the
 * generator wrote, are removed).
 */
export function claimFolder<Summary extends SetSummary>(
  folder: string,
  wanted: SetFacts,
  parts: readonly string[],
  force: boolean,
): Summary | undefined {
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  if (!stat.isDirectory()) throw new DatasetError('is a file; expected a folder, new or empty', { path: folder });
  if (readdirSync(folder).length === 0) return undefined;
  const previous = readSummary<Summary>(folder, wanted.generator);
  if (previous === undefined) {
    throw new DatasetError('not empty and not written by this generator (no synth.json of its own); give a new folder', {
      path: folder,
    });
  }
  const same = previous.version === wanted.version && JSON.stringify(previous.options) === JSON.stringify(wanted.options);
  if (same && !force) return previous;
  if (!force) {
    throw new DatasetError(
      `holds a generated set with other options (${difference(previous, wanted)}); use --force to replace it, or a new folder`,
      { path: folder },
    );
  }
  for (const part of parts) rmSync(join(folder, part), { recursive: true, force: true });
  return undefined;
}

function difference(previous: SetFacts, wanted: SetFacts): string {
  if (previous.version !== wanted.version) return `version ${previous.version}, this is version ${wanted.version}`;
  const before = new Map<string, unknown>(Object.entries(previous.options));
  const differs = Object.entries(wanted.options).filter(
    ([key, value]) => JSON.stringify(before.get(key)) !== JSON.stringify(value),
  );
  return differs.map(([key]) => `${key} ${JSON.stringify(before.get(key))}`).join(', ');
}

function readSummary<Summary extends SetSummary>(folder: string, generator: string): Summary | undefined {
  const path = join(folder, 'synth.json');
  if (!existsSync(path)) return undefined;
  try {
    const read = JSON.parse(readFileSync(path, 'utf8')) as Partial<Summary> | null;
    return read?.generator === generator && read.options !== undefined ? (read as Summary) : undefined;
  } catch {
    return undefined;
  }
}

/** Replaces synth.json, or any text of the set, at once. */
export function writeText(folder: string, name: string, text: string): void {
  const path = join(folder, name);
  writeFileSync(`${path}.part`, text);
  renameSync(`${path}.part`, path);
}

export const writeSummary = (folder: string, summary: SetSummary): void =>
  writeText(folder, 'synth.json', `${JSON.stringify(summary, null, 2)}\n`);

/** The licence of all that the generator draws; `things` are what a folder holds. */
export const licenceOf = (things: string, generator: string): string =>
  `The ${things} in this folder were drawn by a program (${generator}); no person, place or recording is shown.
They are free: use, change and pass them on without condition (CC0-1.0, https://creativecommons.org/publicdomain/zero/1.0/).
`;

/** Removes leftovers of an interrupted run. */
export function removeParts(directory: string): void {
  for (const name of readdirSync(directory)) if (name.endsWith('.part')) rmSync(join(directory, name));
}
