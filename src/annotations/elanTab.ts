/** ELAN's tab-delimited export: times in any spellings side by side, then a tier and its value, or a column a tier. */
import { DatasetError } from '../errors.js';
import type { Annotations, Moment } from './annotations.js';
import { plainName } from './columns.js';
import { type TimeColumns, timeColumns, timesOf } from './elanTabTimes.js';
import { counted, onlyFilm } from './films.js';
import type { AnnotationFile, AnnotationFormat, ReadChoices } from './format.js';
import { headerOf, type TableRow, tableOf } from './table.js';
import { textOf } from './text.js';

export const elanTab: AnnotationFormat = {
  name: 'elan-tab',
  title: 'ELAN tab-delimited export',
  matches: isTab,
  read: readTab,
};

function isTab(file: AnnotationFile): boolean {
  const times = timeColumns([{ line: 1, cells: headerOf(file) }]);
  return times !== undefined && (times.hasHeader || /^[^\r\n]*\t/.test(textOf(file)));
}

interface Layout {
  readonly times: TimeColumns;
  /** A column of tiers and one of values; or a column a tier, by name. */
  readonly tiers: { readonly tier: number; readonly participant?: number; readonly value: number } | ReadonlyMap<number, string>;
  readonly rows: readonly TableRow[];
}

interface TierMoment extends Moment {
  readonly tier: string;
}

function readTab(file: AnnotationFile, { film, tiers }: ReadChoices): Annotations {
  const name = onlyFilm(file.path, film, "ELAN's tab-delimited export");
  const layout = layoutOf(file);
  const all = layout.rows.flatMap((row) => rowMoments(row, layout, `${file.path}:${row.line}`));
  const chosen = new Set(tiers ?? onlyTier(file.path, all));
  const known = new Set(all.map(({ tier }) => tier));
  const missing = [...chosen].find((tier) => !known.has(tier));
  if (missing !== undefined)
    throw new DatasetError(`no tier ${missing}; there are ${[...known].join(', ')}`, { path: file.path });
  const moments = all.filter(({ tier }) => chosen.has(tier)).map(({ tier: _, ...moment }) => moment);
  const left = all.length - moments.length;
  return {
    films: [{ film: name, moments, where: file.path }],
    notes: left === 0 ? [] : [`${counted(left, 'moments')} of other tiers left out`],
  };
}

function onlyTier(path: string, moments: readonly TierMoment[]): string[] {
  const counts = new Map<string, number>();
  for (const { tier } of moments) counts.set(tier, (counts.get(tier) ?? 0) + 1);
  if (counts.size <= 1) return [...counts.keys()];
  const names = [...counts].map(([tier, count]) => `${tier} (${count})`).join(', ');
  throw new DatasetError(`several tiers: ${names}; expected --tier NAME for each that holds labels`, { path });
}

const tierNames = /^(?:tier|tier_name|acteur|ligne|zeile|linea|línea|nivel|capa)$/;

function layoutOf(file: AnnotationFile): Layout {
  const { rows } = tableOf(file);
  const times = timeColumns(rows);
  if (times === undefined) throw new DatasetError('no columns of times', { path: file.path });
  const header = times.hasHeader ? (rows[0]?.cells ?? []) : [];
  const data = times.hasHeader ? rows.slice(1) : rows;
  const width = Math.max(...rows.map(({ cells }) => cells.length));
  const others = Array.from({ length: width }, (_, i) => i).filter((column) => !times.all.includes(column));
  const before = others.filter((column) => column < Math.min(...times.all));
  const after = others.filter((column) => !before.includes(column));
  const named = others.find((column) => tierNames.test(plainName(header[column] ?? '')));
  const filled = (column: number | undefined) => column !== undefined && data.every(({ cells }) => cells[column]?.trim());
  const tier = named ?? before[0] ?? (!times.hasHeader && after.length === 2 && filled(after[0]) ? after[0] : undefined);
  const value = after.find((column) => column !== tier);
  if (tier !== undefined) {
    const participant = before.find((column) => column !== tier);
    return { times, tiers: { tier, value: value ?? -1, ...(participant !== undefined && { participant }) }, rows: data };
  }
  return { times, tiers: new Map(after.map((column, i) => [column, header[column]?.trim() || `tier ${i + 1}`])), rows: data };
}

function rowMoments({ cells }: TableRow, { times, tiers }: Layout, where: string): TierMoment[] {
  const span = timesOf(cells, times, where);
  if (tiers instanceof Map) {
    return [...(tiers as ReadonlyMap<number, string>)].flatMap(([column, tier]) => {
      const label = cells[column]?.trim() ?? '';
      return label === '' ? [] : [{ ...span, labels: [label], tier, where }];
    });
  }
  const { tier, participant, value } = tiers as Exclude<Layout['tiers'], ReadonlyMap<number, string>>;
  const name = cells[tier]?.trim() ?? '';
  const subject = participant === undefined ? '' : (cells[participant]?.trim() ?? '');
  const label = cells[value]?.trim() || name;
  if (label === '') throw new DatasetError('neither a tier nor a value', { path: where });
  return [{ ...span, labels: [label], ...(subject !== '' && { subject }), tier: name, where }];
}
