/**
 * Writes DIR/films/film-001.mp4, DIR/labels.csv (path, label, start, end, subject, split) and DIR/synth.json, which reproduces
 * them. Film k has its own random stream, whatever the count. Foreign folders stay untouched.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chooseEncoder, type EncoderName } from '../../video/encode.js';
import type { GenerateOptions } from '../generate.js';
import { claimFolder, isThere, licenceOf, removeParts, type SetSummary, writeSummary, writeText } from '../setFolder.js';
import { drawInWorkers, threadsFor } from '../synthPool.js';
import type { FilmTask } from '../synthWorker.js';
import {
  checkFilmOptions,
  defaultFilmOptions,
  type FilmName,
  type FilmOptions,
  filmNames,
  filmPath,
  filmsVersion,
} from './filmOptions.js';
import { planOf } from './plan.js';

export type GenerateFilmsOptions = Partial<FilmOptions> & Pick<GenerateOptions, 'workers' | 'encoder' | 'force'>;

/** Contents of synth.json. */
export interface FilmsSummary extends SetSummary {
  readonly options: FilmOptions;
  readonly encoder: EncoderName;
  readonly films: number;
  /** Labelled actions, and the share of the films' time in which nobody does one. */
  readonly segments: number;
  readonly backgroundShare: number;
  readonly perClass: Readonly<Record<string, number>>;
  readonly licence: string;
}

export interface FilmsResult {
  readonly summary: FilmsSummary;
  /** The list of labels. */
  readonly labelsPath: string;
  /** Films written now, and films that were there already. */
  readonly written: number;
  readonly reused: number;
}

export interface GenerateFilmsRun {
  /** Called after each film. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Aborting rejects with the signal's reason and leaves what can be continued. */
  readonly signal?: AbortSignal;
}

const GENERATOR = 'video-mobile-former synth films';
const FOLDER = 'films';
const LABELS = 'labels.csv';

/**
 * Generates films into `folder`. A finished set of the same options is recognised and left as it is, an interrupted one is completed.
 * Throws ConfigError (options), DatasetError (a folder with other contents), VideoError (no encoder, a full disk).
 */
export async function generateFilms(
  folder: string,
  options: GenerateFilmsOptions = {},
  { onProgress, signal }: GenerateFilmsRun = {},
): Promise<FilmsResult> {
  const wanted = wantedOptions(options);
  const names = filmNames(wanted);
  const [threads, encoder] = [threadsFor(options.workers), chooseEncoder(options.encoder)];
  const facts = { generator: GENERATOR, version: filmsVersion, options: wanted };
  const previous = claimFolder<FilmsSummary>(folder, facts, [FOLDER, LABELS], options.force === true);
  const missing = names.filter((name) => !isThere(join(folder, filmPath(name, wanted.codec))));
  const labelsPath = join(folder, LABELS);
  const reused = names.length - missing.length;
  if (previous?.complete === true && missing.length === 0 && isThere(labelsPath)) {
    return { summary: previous, labelsPath, written: 0, reused };
  }
  const { rows, ...contents } = labelRows(names, wanted);
  const summary = { ...facts, complete: false, encoder: previous?.encoder ?? encoder, ...contents, licence: 'CC0-1.0' };
  prepare(folder, summary, rows);
  const tasks = missing.map((name) => ({ folder, name, options: wanted, encoder: summary.encoder }));
  const labelOf = (task: FilmTask) => filmPath(task.name, wanted.codec);
  await drawInWorkers('film', tasks, { threads, signal, labelOf }, (done) => onProgress?.(reused + done, names.length));
  const finished = { ...summary, complete: true };
  writeSummary(folder, finished);
  return { summary: finished, labelsPath, written: missing.length, reused };
}

function wantedOptions(options: GenerateFilmsOptions): FilmOptions {
  const { seed, counts, minutes, people, background, overlap, classes, width, height, frameRate, codec, difficulty } = {
    ...defaultFilmOptions,
    ...options,
  };
  const wanted = { seed, counts, minutes, people, background, overlap, classes, width, height, frameRate, codec, difficulty };
  checkFilmOptions(wanted);
  return wanted;
}

function prepare(folder: string, summary: FilmsSummary, rows: readonly string[]): void {
  mkdirSync(join(folder, FOLDER), { recursive: true });
  removeParts(join(folder, FOLDER));
  writeSummary(folder, summary);
  writeText(folder, 'LICENSE.txt', licenceOf('films', GENERATOR));
  writeText(folder, LABELS, ['path,label,start,end,subject,split', ...rows, ''].join('\n'));
}

/** Rows of the list, and what they add up to. */
function labelRows(names: readonly FilmName[], options: FilmOptions) {
  const perClass: Record<string, number> = Object.fromEntries(options.classes.map((name) => [name, 0]));
  const rows: string[] = [];
  const seconds = (frame: number) => Number((frame / options.frameRate).toFixed(6));
  let [idle, all] = [0, 0];
  for (const name of names) {
    const { labels, frames } = planOf(name, options);
    for (const { action, startFrame, endFrame, person } of labels) {
      perClass[action] = (perClass[action] ?? 0) + 1;
      const times = `${seconds(startFrame)},${seconds(endFrame)}`;
      rows.push(`${filmPath(name, options.codec)},${action},${times},person-${person},${name.split}`);
    }
    idle += frames - busyFrames(labels);
    all += frames;
  }
  return { rows, films: names.length, segments: rows.length, backgroundShare: Number((idle / all).toFixed(4)), perClass };
}

/** Frames in which somebody acts; `labels` are in order of their start. */
function busyFrames(labels: readonly { readonly startFrame: number; readonly endFrame: number }[]): number {
  let [busy, until] = [0, 0];
  for (const { startFrame, endFrame } of labels) {
    busy += Math.max(endFrame - Math.max(startFrame, until), 0);
    until = Math.max(until, endFrame);
  }
  return busy;
}
