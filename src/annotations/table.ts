/** Tables as people's programs leave them: comma, semicolon or tab, byte order mark, padded with empty cells by a spreadsheet. */
import { parse } from 'csv-parse/browser/esm/sync';
import { DatasetError, messageOf } from '../errors.js';
import type { AnnotationFile } from './format.js';
import { textOf } from './text.js';

export interface TableRow {
  /** The line on which the row ends, from 1. */
  readonly line: number;
  /** Without the empty cells at the end; as written, not trimmed. */
  readonly cells: readonly string[];
}

export interface RawTable {
  readonly delimiter: Delimiter;
  /** Cells of the first row, with the empty ones at its end. */
  readonly width: number;
  /** Rows that are not empty; the first is the header where there is one. */
  readonly rows: readonly TableRow[];
}

export type Delimiter = ',' | ';' | '\t';

const tables = new WeakMap<Uint8Array, RawTable>();

/** Every row of a table. The delimiter is what the first line has most of. DatasetError where quotes do not match. */
export function tableOf(file: AnnotationFile): RawTable {
  const known = tables.get(file.bytes);
  if (known !== undefined) return known;
  const text = tableText(file);
  const delimiter = delimiterOf(text);
  const table = { delimiter, ...rowsOf(text, delimiter, file.path) };
  tables.set(file.bytes, table);
  return table;
}

/** The cells of the first row that is not empty: enough to tell formats apart, without reading the rest. */
export function headerOf(file: AnnotationFile): readonly string[] {
  const text = tableText(file);
  try {
    return rowsOf(text.slice(0, 100_000), delimiterOf(text), file.path, 1).rows[0]?.cells ?? [];
  } catch {
    return [];
  }
}

/** Without the line by which a spreadsheet is told the delimiter. */
const tableText = (file: AnnotationFile): string => textOf(file).replace(/^sep=[,;\t]\r?\n/i, '');

function delimiterOf(text: string): Delimiter {
  const line = /^[^\r\n]*[,;\t][^\r\n]*/m.exec(text.slice(0, 100_000))?.[0].replace(/"[^"]*"/g, '') ?? '';
  const count = (delimiter: Delimiter) => line.split(delimiter).length;
  return (['\t', ';', ','] as const).reduce((best, each) => (count(each) > count(best) ? each : best));
}

function rowsOf(text: string, delimiter: Delimiter, path: string, to = -1): Pick<RawTable, 'rows' | 'width'> {
  const options = { delimiter, to, info: true, relax_column_count: true, relax_quotes: true, skip_empty_lines: true } as const;
  try {
    const found = parse(text, options) as unknown as { record: string[]; info: { lines: number } }[];
    const rows = found.flatMap(({ record, info }) => {
      const cells = withoutPadding(record);
      return cells.length === 0 ? [] : [{ line: info.lines, cells }];
    });
    return { rows, width: found.find(({ record }) => withoutPadding(record).length > 0)?.record.length ?? 0 };
  } catch (error) {
    throw new DatasetError(`not a readable table: ${messageOf(error)}`, { path, cause: error });
  }
}

function withoutPadding(cells: readonly string[]): readonly string[] {
  const last = cells.findLastIndex((cell) => cell.trim() !== '');
  return cells.slice(0, last + 1);
}

/** A row by the names of a header. */
export interface NamedRow {
  /** "list.csv:3", for messages. */
  readonly where: string;
  /** The cell of a column, trimmed; undefined for an empty cell or a column that is not there. */
  cell(column: number | undefined): string | undefined;
}

export function namedRow(path: string, { line, cells }: TableRow): NamedRow {
  return {
    where: `${path}:${line}`,
    cell: (column) => (column === undefined ? undefined : cells[column]?.trim() || undefined),
  };
}

const csvCell = (cell: string): string => (/[",\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

/** CSV text with the line ending of RFC 4180 or another; a cell with commas, quotes, outer blanks or line breaks is quoted. */
export const csvText = (rows: readonly (readonly string[])[], newline = '\r\n'): string =>
  rows.map((row) => row.map(csvCell).join(',') + newline).join('');
