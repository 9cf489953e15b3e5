/** VIA 3's CSV export: comments with the attributes, then rows whose cells are JSON. */
import { DatasetError } from '../../errors.js';
import type { AnnotationFile } from '../format.js';
import { JsonPlace } from '../jsonPlace.js';
import { tableOf } from '../table.js';
import { fileOfText, parseJson, textOf } from '../text.js';
import { attributesOf, numbersOf, type ViaAttribute, type ViaProject, type ViaRecord, valuesOf } from './project.js';

const header = /^"?# CSV_HEADER = *(metadata_id,[^\r\n"]*)/m;

export const isViaTable = (file: AnnotationFile): boolean => header.test(textOf(file).slice(0, 1_000_000));

export function tableProject(file: AnnotationFile): ViaProject {
  const text = textOf(file);
  const columns = (header.exec(text)?.[1] ?? '').split(',').map((name) => name.trim());
  const attributes = attributesIn(text, file.path);
  const rows = tableOf(fileOfText(file.path, text.replace(/^"?#[^\r\n]*/gm, ''))).rows;
  const records = rows.map(({ line, cells }) => recordOf(columns, cells, `${file.path}:${line}`));
  const films = records.flatMap(({ film, where }) => (film === undefined ? [] : [{ film, where }]));
  return { attributes: withUnknown(attributes, records), films, records, notes: [] };
}

/** Whole attributes, or names by id in older exports; a spreadsheet doubles the quotes. Exports of 3.0 have none. */
function attributesIn(text: string, path: string): Map<string, ViaAttribute> {
  const line = /^("?)# ATTRIBUTES? = ([^\r\n]*)/m.exec(text);
  if (line === null) return new Map();
  const [, quote, json = ''] = line;
  const plain = quote === '' ? json : json.replace(/",*$/, '').replaceAll('""', '"');
  return attributesOf(new JsonPlace(parseJson(plain, `${path}:ATTRIBUTE`), path, 'ATTRIBUTE'));
}

/** An id without attribute is a name. */
function withUnknown(attributes: ReadonlyMap<string, ViaAttribute>, records: readonly ViaRecord[]): Map<string, ViaAttribute> {
  const ids = records.flatMap(({ values }) => [...values.keys()]);
  const unknown = ids.filter((id) => !attributes.has(id));
  const named = unknown.map(
    (id) => [id, { name: id, isText: false, isCheckbox: false, options: new Map<string, string>() }] as const,
  );
  return new Map([...attributes, ...named]);
}

function recordOf(columns: readonly string[], cells: readonly string[], where: string): ViaRecord {
  if (cells.length > columns.length)
    throw new DatasetError(`${cells.length} cells in a table of ${columns.length} columns`, { path: where });
  const cell = (name: string) => {
    const text = cells[columns.indexOf(name)];
    return new JsonPlace(text === undefined || text === '' ? undefined : parseJson(text, `${where}:${name}`), `${where}:${name}`);
  };
  const times = ['temporal_segment_start', 'temporal_segment_end'].flatMap((name) => cell(name).someNumber() ?? []);
  return {
    film: cell('file_list').items()[0]?.text(),
    times: columns.includes('temporal_coordinates') ? numbersOf(cell('temporal_coordinates')) : times,
    shape: numbersOf(cell('spatial_coordinates')),
    values: valuesOf(cell('metadata')),
    where,
  };
}
