import { ConfigError, DatasetError } from '../errors.js';
import { byText, type FoundVideo } from './labelledVideos.js';
import { some } from './some.js';

/** Rows whose cell in `column` is one of `values`. Besides the list's own columns, `label` and `split` can be named. */
export interface RowFilter {
  readonly column: string;
  readonly values: readonly string[];
}

/** Reads COLUMN=VALUE[,VALUE]; a column that comes several times gets all the values. Throws a ConfigError for anything else. */
export function parseRowFilters(texts: readonly string[]): RowFilter[] {
  const values = new Map<string, string[]>();
  for (const text of texts) {
    const at = text.indexOf('=');
    const column = text.slice(0, at).trim();
    const named = text.slice(at + 1).split(',');
    if (at < 1 || column === '' || named.some((value) => value.trim() === ''))
      throw new ConfigError(`--filter: expected COLUMN=VALUE[,VALUE], got "${text}"`);
    values.set(column, [...(values.get(column) ?? []), ...named.map((value) => value.trim())]);
  }
  return [...values].map(([column, named]) => ({ column, values: [...new Set(named)] }));
}

/**
 * The rows that every choice lets through. A DatasetError for a column or a value that the list does not have, and when none is
 * left.
 */
export function filteredRows<V extends FoundVideo>(videos: readonly V[], choices: readonly RowFilter[], where: string): V[] {
  for (const choice of choices) checkChoice(videos, choice, where);
  const left = videos.filter((video) => choices.every(({ column, values }) => values.includes(cellOf(video, column) ?? '')));
  if (left.length > 0) return left;
  throw new DatasetError(`no row has ${choices.map(describeFilter).join(' and ')}`, { path: where });
}

/** "set=1,2", as it was given. */
export const describeFilter = ({ column, values }: RowFilter): string => `${column}=${values.join(',')}`;

function checkChoice(videos: readonly FoundVideo[], { column, values }: RowFilter, where: string): void {
  const present = new Set(videos.map((video) => cellOf(video, column)));
  if (present.size === 1 && present.has(undefined)) {
    throw new DatasetError(`has no column "${column}"; its columns are ${some(columnsOf(videos))}`, { path: where });
  }
  const unknown = values.find((value) => !present.has(value));
  if (unknown === undefined) return;
  const known = [...present].filter((value) => value !== undefined).sort(byText);
  throw new DatasetError(`no row has "${unknown}" in its column "${column}"; there are ${some(known)}`, { path: where });
}

function columnsOf(videos: readonly FoundVideo[]): string[] {
  const own = new Set(videos.flatMap(({ columns }) => Object.keys(columns)));
  return ['label', ...(videos.some(({ split }) => split !== undefined) ? ['split'] : []), ...own];
}

function cellOf({ label, split, columns }: FoundVideo, column: string): string | undefined {
  if (column === 'label') return label;
  if (column === 'split') return split;
  return Object.hasOwn(columns, column) ? columns[column] : undefined;
}
