/**
 * Writes DIR/train|val|test/CLASS/CLASS-0001.mp4 and DIR/synth.json, which reproduces them. Clip k has its own random stream,
 * whatever the count. Foreign folders stay untouched.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { ConfigError, DatasetError } from '../errors.js';
import { WorkerPool } from '../node/workerPool.js';
import { chooseEncoder, type EncoderName } from '../video/encode.js';
import { type ActionClass, reversedPairs } from './actions.js';
import {
  type ClipName,
  checkSynthOptions,
  clipNames,
  clipPath,
  defaultSynthOptions,
  generatorVersion,
  type SplitName,
  type SynthOptions,
  splitNames,
} from './options.js';
import type { SynthTasks } from './synthWorker.js';

export interface GenerateOptions extends Partial<SynthOptions> {
  /** Threads; by default as many as there are processors, at most 8. */
  readonly workers?: number;
  readonly encoder?: 'auto' | EncoderName;
  /** Make a set again that is there with other options. Never touches what the generator did not write. */
  readonly force?: boolean;
}

/** Contents of synth.json. */
export interface SynthSummary {
  readonly generator: typeof GENERATOR;
  readonly version: number;
  /** False while clips are still being written. */
  readonly complete: boolean;
  readonly options: SynthOptions;
  readonly encoder: EncoderName;
  readonly clips: number;
  readonly perClass: Readonly<Record<SplitName, Partial<Record<ActionClass, number>>>>;
  readonly reversedPairs: typeof reversedPairs;
  readonly licence: string;
}

export interface GenerateResult {
  readonly summary: SynthSummary;
  /** Clips written now, and clips that were there already. */
  readonly written: number;
  readonly reused: number;
}

const GENERATOR = 'video-mobile-former synth';
const LICENCE = `The clips in this folder were drawn by a program (${GENERATOR}); no person, place or recording is shown.
They are free: use, change and pass them on without condition (CC0-1.0, https://creativecommons.org/publicdomain/zero/1.0/).
`;

/**
 * Generates a set into `folder`. A finished set of the same options is recognised and left as it is, an interrupted one is completed.
 * `onProgress` is called after each clip; aborting rejects with the signal's reason and leaves what can be continued.
 * Throws ConfigError (options), DatasetError (a folder with other contents), VideoError (no encoder, a full disk).
 */
export async function generateActions(
  folder: string,
  options: GenerateOptions = {},
  onProgress?: (done: number, total: number) => void,
  signal?: AbortSignal,
): Promise<GenerateResult> {
  const wanted = wantedOptions(options);
  const threads = options.workers ?? Math.min(availableParallelism(), 8);
  if (!Number.isInteger(threads) || threads < 1)
    throw new ConfigError(`synth: workers must be a whole number from 1, got ${threads}`);
  const encoder = chooseEncoder(options.encoder);
  const names = clipNames(wanted);
  const previous = claimFolder(folder, wanted, options.force === true);
  const missing = names.filter((name) => !isThere(join(folder, clipPath(name, wanted.codec))));
  if (previous?.complete === true && missing.length === 0) return { summary: previous, written: 0, reused: names.length };
  const summary = summaryOf(wanted, names, previous?.encoder ?? encoder);
  prepare(folder, names, summary);
  const reused = names.length - missing.length;
  await writeClips(folder, missing, { options: wanted, encoder: summary.encoder, threads, signal }, (done) =>
    onProgress?.(reused + done, names.length),
  );
  const finished = { ...summary, complete: true };
  writeSummary(folder, finished);
  return { summary: finished, written: missing.length, reused };
}

function wantedOptions(options: GenerateOptions): SynthOptions {
  const { seed, counts, classes, width, height, frameRate, codec, difficulty } = { ...defaultSynthOptions, ...options };
  const wanted = { seed, counts, classes, width, height, frameRate, codec, difficulty };
  checkSynthOptions(wanted);
  return wanted;
}

const isThere = (path: string): boolean => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;

/** The summary of an unfinished equal set, if any. Refuses foreign folders, and other sets unless forced (then removed). */
function claimFolder(folder: string, wanted: SynthOptions, force: boolean): SynthSummary | undefined {
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  if (!stat.isDirectory()) throw new DatasetError('is a file; expected a folder, new or empty', { path: folder });
  if (readdirSync(folder).length === 0) return undefined;
  const previous = readSummary(folder);
  if (previous === undefined) {
    throw new DatasetError('not empty and not written by this generator (no synth.json of its own); give a new folder', {
      path: folder,
    });
  }
  const same = previous.version === generatorVersion && JSON.stringify(previous.options) === JSON.stringify(wanted);
  if (same && !force) return previous;
  if (!force) {
    throw new DatasetError(
      `holds a generated set with other options (${difference(previous, wanted)}); use --force to replace it, or a new folder`,
      { path: folder },
    );
  }
  for (const split of splitNames) rmSync(join(folder, split), { recursive: true, force: true });
  return undefined;
}

function difference(previous: SynthSummary, wanted: SynthOptions): string {
  if (previous.version !== generatorVersion) return `version ${previous.version}, this is version ${generatorVersion}`;
  const keys = Object.keys(wanted) as (keyof SynthOptions)[];
  const differs = keys.filter((key) => JSON.stringify(previous.options[key]) !== JSON.stringify(wanted[key]));
  return differs.map((key) => `${key} ${JSON.stringify(previous.options[key])}`).join(', ');
}

function readSummary(folder: string): SynthSummary | undefined {
  const path = join(folder, 'synth.json');
  if (!existsSync(path)) return undefined;
  try {
    const read = JSON.parse(readFileSync(path, 'utf8')) as Partial<SynthSummary> | null;
    return read?.generator === GENERATOR && read.options !== undefined ? (read as SynthSummary) : undefined;
  } catch {
    return undefined;
  }
}

function summaryOf(options: SynthOptions, names: readonly ClipName[], encoder: EncoderName): SynthSummary {
  const perClass: Record<SplitName, Partial<Record<ActionClass, number>>> = { train: {}, val: {}, test: {} };
  for (const { split, action } of names) perClass[split][action] = (perClass[split][action] ?? 0) + 1;
  const pairs = reversedPairs.filter((pair) => pair.every((name) => options.classes.includes(name)));
  return {
    generator: GENERATOR,
    version: generatorVersion,
    complete: false,
    options,
    encoder,
    clips: names.length,
    perClass,
    reversedPairs: pairs,
    licence: 'CC0-1.0',
  };
}

function prepare(folder: string, names: readonly ClipName[], summary: SynthSummary): void {
  mkdirSync(folder, { recursive: true });
  writeSummary(folder, summary);
  writeFileSync(join(folder, 'LICENSE.txt'), LICENCE);
  for (const directory of new Set(names.map(({ split, action }) => join(folder, split, action)))) {
    mkdirSync(directory, { recursive: true });
    for (const name of readdirSync(directory)) if (name.endsWith('.part')) rmSync(join(directory, name));
  }
}

function writeSummary(folder: string, summary: SynthSummary): void {
  const path = join(folder, 'synth.json');
  writeFileSync(`${path}.part`, `${JSON.stringify(summary, null, 2)}\n`);
  renameSync(`${path}.part`, path);
}

interface Writing {
  readonly options: SynthOptions;
  readonly encoder: EncoderName;
  readonly threads: number;
  readonly signal: AbortSignal | undefined;
}

async function writeClips(
  folder: string,
  names: readonly ClipName[],
  writing: Writing,
  onDone: (done: number) => void,
): Promise<void> {
  if (names.length === 0) return;
  const { options, encoder, threads, signal } = writing;
  const size = Math.min(threads, names.length);
  const pool = new WorkerPool<SynthTasks>({ url: new URL('./synthWorker.js', import.meta.url), size });
  let done = 0;
  const queue = names.values();
  const draw = async () => {
    for (const name of queue) {
      await pool.run('clip', { folder, name, options, encoder }, { label: clipPath(name, options.codec), signal });
      onDone(++done);
    }
  };
  try {
    await Promise.all(Array.from({ length: size }, draw));
  } finally {
    await pool.close();
  }
}
