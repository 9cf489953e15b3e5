/**
 * Reads a manifest: CSV or TSV with a header, or JSON lines; columns path and label or labels, optionally split and times (see rowTimes.ts), others
 * kept.
 */
import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { parse } from 'csv-parse/sync';
import { textOf } from '../annotations/text.js';
import { DatasetError } from '../errors.js';
import { type FoundVideo, joinedLabels, type Split, splitNamed } from './labelledVideos.js';
import { labelsInCell } from './labelSets.js';
import { takeTimes } from './rowTimes.js';

interface Row {
  readonly line: number;
  readonly cells: Readonly<Record<string, string>>;
}

export interface ManifestOptions {
  /** Let it name files outside its own folder; false by default. */
  readonly allowOutside?: boolean | undefined;
  /** Whether rows need labels; true by default, else they may be "". */
  readonly labelled?: boolean;
}

/** Paths in a list are relative to its folder, and stay below it unless allowed otherwise. */
export function readManifest(list: string, options: ManifestOptions = {}): FoundVideo[] {
  const text = textOf({ path: list, bytes: readFileSync(list) });
  const rows = /\.(jsonl|ndjson)$/i.test(list) ? jsonRows(list, text) : tableRows(list, text, options);
  const folder = dirname(resolve(list));
  return rows.map((row) => foundVideo(list, folder, row, options));
}

export function isManifest(path: string): boolean {
  return /\.(csv|tsv|jsonl|ndjson)$/i.test(path);
}

function tableRows(list: string, text: string, options: ManifestOptions): Row[] {
  const delimiter = /\.tsv$/i.test(list) ? '\t' : delimiterOf(text);
  try {
    const records: { record: Record<string, string>; info: { lines: number } }[] = parse(text, {
      bom: true,
      columns: (header: string[]) => checkHeader(list, header, options),
      delimiter,
      info: true,
      skip_empty_lines: true,
      skip_records_with_empty_values: true,
      trim: true,
    });
    return records.map(({ record, info }) => ({ line: info.lines, cells: record }));
  } catch (error) {
    if (error instanceof DatasetError) throw error;
    throw new DatasetError(`not a readable table: ${error instanceof Error ? error.message : error}`, { path: list });
  }
}

/** Excel writes semicolons where the decimal sign is a comma. */
function delimiterOf(text: string): ',' | ';' {
  const header = text.slice(0, text.search(/[\r\n]|$/));
  return header.split(';').length > header.split(',').length ? ';' : ',';
}

/** Columns without a name, as spreadsheets pad tables with, are left out. */
function checkHeader(list: string, header: string[], { labelled = true }: ManifestOptions): (string | false)[] {
  const names = header.map((name) => name.trim());
  const isLabelled = names.includes('label') || names.includes('labels');
  if (!names.includes('path') || (labelled && !isLabelled)) {
    throw new DatasetError(`expected a first line with the columns path,label[,split], got ${names.join(',')}`, { path: list });
  }
  const twice = names.find((name, i) => name !== '' && names.indexOf(name) !== i);
  if (twice !== undefined) throw new DatasetError(`the column "${twice}" is there twice`, { path: list });
  return names.map((name) => name || false);
}

function jsonRows(list: string, text: string): Row[] {
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  return lines.flatMap((content, i) => (content.trim() === '' ? [] : [jsonRow(list, content, i + 1)]));
}

function jsonRow(list: string, content: string, line: number): Row {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    throw new DatasetError(`${list}:${line}: not JSON: ${error instanceof Error ? error.message : error}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new DatasetError(`${list}:${line}: expected an object like {"path": ..., "label": ...}`);
  }
  if ('label' in value && Array.isArray(value.label)) {
    const message = `a list under "label": write "labels": ${JSON.stringify(value.label)} for several at once`;
    throw new DatasetError(message, { path: `${list}:${line}` });
  }
  const cells = Object.entries(value).map(([name, cell]) => [name, typeof cell === 'string' ? cell : JSON.stringify(cell)]);
  return { line, cells: Object.fromEntries(cells) };
}

function foundVideo(list: string, folder: string, row: Row, { allowOutside, labelled = true }: ManifestOptions): FoundVideo {
  const where = `${list}:${row.line}`;
  const { rest, ...times } = takeTimes(row.cells);
  const { path: given, label, labels, split, ...columns } = rest;
  if (!given) throw new DatasetError('the path is empty', { path: where });
  const named = labelled ? namedIn(given, { label, labels }, where) : { label: (label ?? labels ?? '').trim() };
  const path = resolve(folder, given);
  const below = relative(folder, path);
  const outside = below === '' || below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below);
  if (outside && !allowOutside) {
    throw new DatasetError(
      `${given} is not below the folder of the list; put the list in a folder above its videos, or allow paths outside`,
      { path: where },
    );
  }
  const name = below.split(sep).join('/');
  return { path, name, ...named, split: splitCell(split, where), columns, ...times, where };
}

type Cells = Readonly<Record<'label' | 'labels', string | undefined>>;

function namedIn(video: string, { label, labels }: Cells, where: string): Pick<FoundVideo, 'label' | 'labels'> {
  if (labels !== undefined && label !== undefined)
    throw new DatasetError('both a label and labels; keep one of the columns', { path: where });
  if (labels === undefined) {
    if (!label?.trim()) throw new DatasetError(`the label of ${video} is empty`, { path: where });
    return { label: label.trim() };
  }
  const set = labelsInCell(labels, where);
  return { label: joinedLabels(set), labels: set };
}

function splitCell(cell: string | undefined, where: string): Split | undefined {
  if (cell === undefined) return undefined;
  const split = splitNamed(cell);
  if (split !== undefined) return split;
  throw new DatasetError(`expected split train, val or test, got ${cell === '' ? 'nothing' : `"${cell}"`}`, { path: where });
}
