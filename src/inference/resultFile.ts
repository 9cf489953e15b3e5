/**
 * Results of many videos in a growing file: a row is written when its video is done, and an interrupted run resumes. Each row has
 * the run's name, a digest of weights and options, so that no file mixes two kinds of rows.
 */

import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, statSync, truncateSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ConfigError, VmfError } from '../errors.js';
import { parsedJson } from '../json.js';
import { isSpecialFile } from '../weights/files.js';

/** A line of JSON a video, or lines of comma-separated values. */
export type ResultFormat = 'jsonl' | 'csv';

/** The columns of a CSV file; a video that could not be read has only `path` and `error`. */
export const resultColumns = ['path', 'startSec', 'endSec', 'rank', 'label', 'score', 'error', 'run'] as const;

/** A row of a file: in CSV several may belong to one video. */
export type ResultRow = Readonly<Record<string, unknown>> & { readonly path: string };

export interface ResultFileState {
  /** Videos that the file had answers about when it was opened. */
  readonly done: ReadonlySet<string>;
  /** The unreadable ones among them. */
  readonly failedBefore: number;
  /** Bytes of an unfinished row, removed from its end. */
  readonly droppedBytes: number;
}

/** The format of a file's ending. Throws a VmfError for any other. */
export function resultFormat(path: string): ResultFormat {
  if (/\.(jsonl|ndjson)$/i.test(path)) return 'jsonl';
  if (/\.csv$/i.test(path)) return 'csv';
  throw new VmfError('expected a name that ends in .jsonl or .csv', { path });
}

/** The name of a run: twelve letters that change with the weights' bytes and with every option. */
export function runName(weights: Uint8Array, options: Readonly<Record<string, unknown>>): string {
  const sorted = Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(weights).update(JSON.stringify(sorted)).digest('hex').slice(0, 12);
}

export class ResultFile {
  private constructor(
    private readonly handle: number,
    private readonly format: ResultFormat,
    private readonly run: string,
    readonly state: ResultFileState,
  ) {}

  /** Creates a file or resumes one. Throws a VmfError when it holds something else, or cannot be written. */
  static open(path: string, run: string): ResultFile {
    const format = resultFormat(path);
    if (isSpecialFile(path)) throw new ConfigError('is no regular file', { path });
    try {
      const known = existsSync(path) && statSync(path).size > 0;
      const { keptBytes, ...state } = known ? readState(path, format, run) : nothing;
      if (known && state.droppedBytes > 0) truncateSync(path, keptBytes);
      const file = new ResultFile(openSync(path, 'a'), format, run, state);
      if (keptBytes === 0 && format === 'csv') file.write(`${resultColumns.join(',')}\n`);
      return file;
    } catch (error) {
      if (error instanceof Error && 'syscall' in error) throw new VmfError(`cannot be written: ${error.message}`, { path });
      throw error;
    }
  }

  /** Writes the rows of one video at once, before it returns. */
  add(rows: readonly ResultRow[]): void {
    const lines = rows.map((row) => (this.format === 'jsonl' ? JSON.stringify({ ...row, run: this.run }) : this.csvLine(row)));
    this.write(lines.map((line) => `${line}\n`).join(''));
  }

  private csvLine(row: ResultRow): string {
    const cell = (value: unknown) => {
      const text = value === undefined ? '' : String(value);
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    const whole: Readonly<Record<string, unknown>> = { ...row, run: this.run };
    return resultColumns.map((column) => cell(whole[column])).join(',');
  }

  private write(text: string): void {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.handle, bytes, at);
  }

  close(): void {
    closeSync(this.handle);
  }
}

const nothing = { done: new Set<string>(), failedBefore: 0, droppedBytes: 0, keptBytes: 0 };

interface Kept extends ResultFileState {
  readonly keptBytes: number;
}

/** The content up to the last whole row. */
function readState(path: string, format: ResultFormat, run: string): Kept {
  const bytes = readFileSync(path);
  const ends = recordEnds(bytes, format === 'csv');
  if (ends.length === 0) return halfALine(path, bytes, format);
  const whole = bytes.subarray(0, ends.at(-1));
  const rows = format === 'jsonl' ? jsonRows(path, whole) : csvRows(path, whole);
  for (const row of rows) {
    if (row['run'] === run) continue;
    throw new VmfError(
      `holds answers of other weights or other options (run ${row['run']}, now ${run}); name another file, or remove it`,
      { path },
    );
  }
  const kept = format === 'csv' ? rows.length - rowsOfLast(rows) : rows.length;
  const keptBytes = (format === 'csv' ? ends[kept] : ends[kept - 1]) ?? 0;
  const left = rows.slice(0, kept);
  const failed = new Set(left.flatMap(({ path: video, error }) => (error ? [video] : [])));
  const done = new Set(left.map(({ path: video }) => video));
  return { done, failedBefore: failed.size, droppedBytes: bytes.length - keptBytes, keptBytes };
}

/** A file without a whole line is restarted if what it holds is ours. */
function halfALine(path: string, bytes: Buffer, format: ResultFormat): Kept {
  const text = bytes.toString('utf8');
  const begins = format === 'csv' ? resultColumns.join() : '{"path":';
  if (!begins.startsWith(text) && !(format === 'jsonl' && text.startsWith(begins))) throw foreign(path, 'it has no whole line');
  return { ...nothing, droppedBytes: bytes.length };
}

/** CSV does not show whether the last video has all its rows: it is done again. */
function rowsOfLast(rows: readonly ResultRow[]): number {
  const last = rows.at(-1)?.path;
  const before = rows.findLastIndex(({ path }) => path !== last);
  return rows.length - 1 - before;
}

/** Ends of whole lines; a line break between quotes ends none. */
function recordEnds(bytes: Uint8Array, quotes: boolean): number[] {
  const ends: number[] = [];
  let quoted = false;
  for (let i = 0; i < bytes.length; i++) {
    if (quotes && bytes[i] === 0x22) quoted = !quoted;
    else if (bytes[i] === 0x0a && !quoted) ends.push(i + 1);
  }
  return ends;
}

function jsonRows(path: string, bytes: Buffer): ResultRow[] {
  const lines = bytes.toString('utf8').split('\n').slice(0, -1);
  return lines.map((line, i) => {
    const row = parsedJson(line);
    if (isRow(row)) return row;
    throw foreign(path, `line ${i + 1} has no "path" and "run"`);
  });
}

function csvRows(path: string, bytes: Buffer): ResultRow[] {
  const { parse } = createRequire(import.meta.url)('csv-parse/sync') as typeof import('csv-parse/sync');
  const records = parse(bytes, { relax_column_count: true }) as string[][];
  const [header = [], ...rows] = records;
  if (header.join() !== resultColumns.join()) throw foreign(path, `its first line is not ${resultColumns.join()}`);
  return rows.map((cells, i) => {
    const row = Object.fromEntries(resultColumns.map((column, k) => [column, cells[k]]));
    if (isRow(row) && cells.length === resultColumns.length) return row;
    throw foreign(path, `row ${i + 1} has ${cells.length} cells`);
  });
}

const isRow = (value: unknown): value is ResultRow =>
  typeof value === 'object' && value !== null && 'path' in value && typeof value.path === 'string' && 'run' in value;

const foreign = (path: string, why: string) =>
  new VmfError(`is not a file that predict wrote (${why}); name another file, or remove it`, { path });
