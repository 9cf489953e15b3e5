/**
 * Writes DIR/train|val|test/CLASS/CLASS-0001.mp4 and DIR/synth.json, which reproduces them. Clip k has its own random stream,
 * whatever the count. Foreign folders stay untouched.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
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
import { claimFolder, isThere, licenceOf, removeParts, type SetSummary, writeSummary, writeText } from './setFolder.js';
import { drawInWorkers, threadsFor } from './synthPool.js';
import type { SynthTask } from './synthWorker.js';

export interface GenerateOptions extends Partial<SynthOptions> {
  /** Threads; by default as many as there are processors, at most 8. */
  readonly workers?: number;
  readonly encoder?: 'auto' | EncoderName;
  /** Make a set again that is there with other options. Never touches what the generator did not write. */
  readonly force?: boolean;
}

/** Contents of synth.json. */
export interface SynthSummary extends SetSummary {
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
  const threads = threadsFor(options.workers);
  const encoder = chooseEncoder(options.encoder);
  const names = clipNames(wanted);
  const facts = { generator: GENERATOR, version: generatorVersion, options: wanted };
  const previous = claimFolder<SynthSummary>(folder, facts, splitNames, options.force === true);
  const missing = names.filter((name) => !isThere(join(folder, clipPath(name, wanted.codec))));
  if (previous?.complete === true && missing.length === 0) return { summary: previous, written: 0, reused: names.length };
  const summary = summaryOf(wanted, names, previous?.encoder ?? encoder);
  prepare(folder, names, summary);
  const reused = names.length - missing.length;
  const tasks = missing.map((name) => ({ folder, name, options: wanted, encoder: summary.encoder }));
  const labelOf = (task: SynthTask) => clipPath(task.name, wanted.codec);
  await drawInWorkers('clip', tasks, { threads, signal, labelOf }, (done) => onProgress?.(reused + done, names.length));
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
  writeText(folder, 'LICENSE.txt', licenceOf('clips', GENERATOR));
  for (const directory of new Set(names.map(({ split, action }) => join(folder, split, action)))) {
    mkdirSync(directory, { recursive: true });
    removeParts(directory);
  }
}
