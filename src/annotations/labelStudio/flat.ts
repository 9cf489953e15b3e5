/** Label Studio's flat exports, JSON-MIN and CSV or TSV: a record a task and annotator, each control under its name. */
import { DatasetError } from '../../errors.js';
import type { AnnotationFile, ReadChoices } from '../format.js';
import { JsonPlace } from '../jsonPlace.js';
import { headerOf, tableOf } from '../table.js';
import { parseJson } from '../text.js';
import { filmKey, recordKeys } from './film.js';
import { type Item, namesOf, type Tasks, VersionChoice } from './tasks.js';

/** Whether a value is a record; people also write ones that hold no more than a film and a timeline. */
export const isFlatRecord = (place: JsonPlace): boolean =>
  (place.has('annotation_id') && place.has('lead_time')) ||
  (place.isObject && place.entries().some(([, value]) => isTimeline(value)));

function isTimeline(value: JsonPlace): boolean {
  const [first] = value.isArray ? value.items() : [];
  return first?.has('ranges') === true && first.has('timelinelabels');
}

export function isFlatTable(file: AnnotationFile): boolean {
  const header = headerOf(file);
  return header.includes('annotation_id') && header.includes('lead_time');
}

/** Rows of the table as records; lists and objects are JSON inside a cell. */
export function tableRecords(file: AnnotationFile): JsonPlace[] {
  const [header, ...rows] = tableOf(file).rows;
  return rows.map(({ line, cells }) => {
    const where = `${file.path}:${line}`;
    if (header !== undefined && cells.length > header.cells.length) {
      throw new DatasetError(`${cells.length} cells in a table of ${header.cells.length} columns`, { path: where });
    }
    const entries = header?.cells.map((name, i) => [name, valueIn(cells[i] ?? '', where)] as const) ?? [];
    return new JsonPlace(Object.fromEntries(entries.filter(([, value]) => value !== '')), where);
  });
}

/** A text that only begins like JSON, as a file's name may, stays text. */
function valueIn(cell: string, where: string): unknown {
  return /^[[{]\s*["[{\]}]/.test(cell) ? parseJson(cell, where) : cell;
}

export function flatTasks(records: readonly JsonPlace[], { annotator }: ReadChoices, path: string): Tasks {
  const choice = new VersionChoice(annotator);
  const tasks = [...byTask(records)].flatMap((versions) => {
    const [data] = versions;
    if (data === undefined) return [];
    const items = choice.of(versions.map(versionOf), data.where);
    return [{ data, items, where: data.where }];
  });
  return { tasks, notes: choice.notes(path) };
}

/** Records of one task have one `id`, a record each annotator. */
function byTask(records: readonly JsonPlace[]): Iterable<JsonPlace[]> {
  const tasks = new Map<string, JsonPlace[]>();
  for (const record of records) {
    const id = record.key('id').someText() ?? record.where;
    tasks.set(id, [...(tasks.get(id) ?? []), record]);
  }
  return tasks.values();
}

const versionOf = (record: JsonPlace) => ({
  by: namesOf(record.key('annotator')),
  date: record.firstKey('updated_at', 'created_at').someText() ?? '',
  items: () => itemsOf(record),
});

function itemsOf(record: JsonPlace): Item[] {
  const film = filmKey(record);
  const controls = record.entries().filter(([name]) => name !== film && !recordKeys.has(name));
  return controls.flatMap(([control, place]) => valuesOf(place).map((value) => ({ control, ...typed(value), id: undefined })));
}

const valuesOf = (place: JsonPlace): JsonPlace[] => (place.isArray ? place.items() : [place]);

/** The type of a control, which flat exports leave out; a bare text may be a lone choice. */
function typed(value: JsonPlace): Pick<Item, 'type' | 'value'> {
  if (typeof value.value === 'string') return { type: 'choices', value: value.replaced({ choices: [value.value] }) };
  if (value.has('ranges') || value.has('timelinelabels')) return { type: 'timelinelabels', value };
  if (value.has('sequence')) return { type: 'videorectangle', value };
  if (value.has('labels') && value.has('start')) return { type: 'labels', value };
  return { type: value.has('choices') ? 'choices' : 'other', value };
}
