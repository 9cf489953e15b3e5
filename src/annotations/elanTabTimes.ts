import { DatasetError } from '../errors.js';
import type { TableRow } from './table.js';
import { parseTime } from './time.js';

type Unit = 'clock' | 'seconds' | 'milliseconds';

export interface TimeColumn {
  readonly column: number;
  readonly unit: Unit;
}

export interface TimeColumns {
  readonly start: TimeColumn;
  readonly end?: TimeColumn;
  readonly duration?: TimeColumn;
  /** All columns of times, in whatever spelling. */
  readonly all: readonly number[];
  readonly hasHeader: boolean;
}

/** The columns of times of rows with or without a header; undefined where there are none. */
export function timeColumns(rows: readonly TableRow[]): TimeColumns | undefined {
  const [first] = rows;
  if (first === undefined) return undefined;
  return byHeader(first.cells, rows.slice(1)) ?? byContent(rows);
}

/** "Begin Time - ss.msec", in any language: what stands before the unit is the same for one kind of time. */
function byHeader(header: readonly string[], rows: readonly TableRow[]): TimeColumns | undefined {
  const named = header.flatMap((name, column) => {
    const [, kind, spelling = ''] = /^(.*\S)\s+-\s+(hh:mm:ss\S*|ss[.,]\S+|msec|ms)$/i.exec(name.trim()) ?? [];
    return kind === undefined ? [] : [{ kind, column, unit: unitOf(spelling) }];
  });
  const kinds = [...new Set(named.map(({ kind }) => kind))];
  const of = (kind: string | undefined) => best(named.filter((each) => each.kind === kind));
  const start = of(kinds.find((kind) => /^begin/i.test(kind)) ?? kinds[0]);
  if (start === undefined) return undefined;
  const all = named.map(({ column }) => column);
  const end = kinds.find((kind) => /^end/i.test(kind));
  const duration = kinds.find((kind) => /^duration/i.test(kind));
  if (end !== undefined || duration !== undefined) return { start, ...given(of(end), of(duration)), all, hasHeader: true };
  return { start, ...second(start, of(kinds[1]), of(kinds[2]), rows), all, hasHeader: true };
}

function unitOf(spelling: string): Unit {
  if (/^hh/i.test(spelling)) return 'clock';
  return /^ss/i.test(spelling) ? 'seconds' : 'milliseconds';
}

const given = (end: TimeColumn | undefined, duration: TimeColumn | undefined) => ({
  ...(end && { end }),
  ...(duration && { duration }),
});

/** Of two kinds the second is the end, unless it comes before the start. */
function second(start: TimeColumn, other: TimeColumn | undefined, third: TimeColumn | undefined, rows: readonly TableRow[]) {
  if (other === undefined || third !== undefined) return given(other, third);
  const early = rows.some(({ cells }) => (timeAt(cells, other) ?? 0) < (timeAt(cells, start) ?? 0));
  return early ? given(undefined, other) : given(other, undefined);
}

/** Without header: columns of h:mm:ss.mmm, else none. */
function byContent(rows: readonly TableRow[]): TimeColumns | undefined {
  const cells = rows.slice(0, 50).map((row) => row.cells);
  const width = Math.max(...cells.map((row) => row.length));
  const every = (column: number, pattern: RegExp) => cells.every((row) => pattern.test(row[column]?.trim() ?? ''));
  const columns = Array.from({ length: width }, (_, column) => column);
  const clocks = columns.filter((column) => every(column, /^\d+:\d\d:\d\d[.,]\d{1,3}$/));
  const numbers = columns.filter((column) => every(column, /^\d+(?:[.,]\d+)?$/));
  const [start, other, third] = clocks.map((column): TimeColumn => ({ column, unit: 'clock' }));
  if (start === undefined || other === undefined) return undefined;
  return { start, ...second(start, other, third, rows), all: [...clocks, ...numbers].sort((a, b) => a - b), hasHeader: false };
}

const preferred: readonly Unit[] = ['seconds', 'milliseconds', 'clock'];

const best = (columns: readonly TimeColumn[]): TimeColumn | undefined =>
  preferred.map((unit) => columns.find((each) => each.unit === unit)).find((column) => column !== undefined);

function timeAt(cells: readonly string[], { column, unit }: TimeColumn): number | undefined {
  const value = parseTime(cells[column] ?? '');
  return value === undefined || unit !== 'milliseconds' ? value : value / 1000;
}

/** DatasetError with the row. */
export function timesOf(cells: readonly string[], columns: TimeColumns, where: string): { startSec: number; endSec: number } {
  const startSec = timeAt(cells, columns.start);
  const duration = columns.duration && timeAt(cells, columns.duration);
  const endSec = columns.end
    ? timeAt(cells, columns.end)
    : startSec !== undefined && duration !== undefined
      ? startSec + duration
      : undefined;
  if (startSec === undefined || endSec === undefined) throw new DatasetError('the start or the end is no time', { path: where });
  if (endSec < startSec) throw new DatasetError(`the end (${endSec} s) is before the start (${startSec} s)`, { path: where });
  return { startSec, endSec };
}
