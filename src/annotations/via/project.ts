/** A VIA 3 project: its attributes, and its records with the film of each. */
import type { JsonPlace } from '../jsonPlace.js';

export interface ViaAttribute {
  readonly name: string;
  readonly isText: boolean;
  readonly isCheckbox: boolean;
  /** Texts by option id. */
  readonly options: ReadonlyMap<string, string>;
}

export interface ViaRecord {
  /** Undefined: of pictures or sound only. */
  readonly film: string | undefined;
  /** Seconds: two for a segment, one for a picture, none for the whole file. */
  readonly times: readonly number[];
  readonly shape: readonly number[];
  /** Values by attribute id. */
  readonly values: ReadonlyMap<string, string>;
  readonly where: string;
}

export interface ViaProject {
  readonly attributes: ReadonlyMap<string, ViaAttribute>;
  /** Films in the project's order, also those without a record. */
  readonly films: readonly { readonly film: string; readonly where: string }[];
  readonly records: readonly ViaRecord[];
  readonly notes: readonly string[];
}

const types = { text: 1, checkbox: 2 } as const;
const fileTypes = { video: 4 } as const;

export function projectOf(root: JsonPlace): ViaProject {
  const views = new Map(
    root
      .key('view')
      .entries()
      .map(([id, view]) => [id, filmsOf(view, root)]),
  );
  const several = [...views.values()].filter((films) => films.length > 1).length;
  const first = (id: string) => views.get(id)?.[0];
  return {
    attributes: attributesOf(root.key('attribute')),
    films: viewOrder(root).flatMap((id) => first(id) ?? []),
    records: root
      .key('metadata')
      .entries()
      .map(([, record]) => {
        const vid = record.key('vid');
        if (!views.has(vid.text())) vid.fail(`there is no view ${vid.text()}`);
        return recordOf(record, first(vid.text())?.film);
      }),
    notes: several === 0 ? [] : [`${several} views of several videos: the first of each is used`],
  };
}

/** The list of views moved into `project` with 3.1.1. */
function viewOrder(root: JsonPlace): string[] {
  const list = root.key('project').has('vid_list') ? root.key('project').key('vid_list') : root.key('vid_list');
  const listed = list.someItems().map((id) => id.text());
  return [...new Set([...listed, ...root.key('view').keys()])];
}

function filmsOf(view: JsonPlace, root: JsonPlace): { film: string; where: string }[] {
  return view
    .key('fid_list')
    .items()
    .flatMap((fid) => {
      const file = root.key('file').key(fid.text());
      if (!file.isObject) fid.fail(`there is no file ${fid.text()}`);
      return file.key('type').number() === fileTypes.video
        ? [{ film: filmOf(file, root.key('config').key('file')), where: file.where }]
        : [];
    });
}

/** Places 2 (address) and 3 (path) have a prefix in the configuration; a file chosen by hand (1) or inside the project (4) only a name. */
function filmOf(file: JsonPlace, config: JsonPlace): string {
  const place = file.key('loc').number();
  if (place !== 2 && place !== 3) return file.key('fname').text();
  const prefixes = config.key('loc_prefix');
  const prefix = prefixes.isObject ? prefixes.key(String(place)) : config.key('path');
  return (prefix.someText() ?? '') + file.firstKey('src', 'fname').text();
}

export function attributesOf(place: JsonPlace): Map<string, ViaAttribute> {
  return new Map(place.entries().map(([id, attribute]) => [id, attributeOf(attribute)]));
}

function attributeOf(attribute: JsonPlace): ViaAttribute {
  if (!attribute.isObject) return { name: attribute.text(), isText: false, isCheckbox: false, options: new Map() };
  const type = attribute.key('type').number();
  const options = attribute.key('options').isObject ? attribute.key('options').entries() : [];
  return {
    name: attribute.key('aname').text(),
    isText: type === types.text,
    isCheckbox: type === types.checkbox,
    options: type === types.text ? new Map() : new Map(options.map(([id, text]) => [id, text.string()])),
  };
}

const recordOf = (record: JsonPlace, film: string | undefined): ViaRecord => ({
  film,
  times: numbersOf(record.key('z')),
  shape: numbersOf(record.key('xy')),
  values: valuesOf(record.key('av')),
  where: record.where,
});

export const numbersOf = (place: JsonPlace): number[] => place.someItems().map((item) => item.number());

export const valuesOf = (place: JsonPlace): Map<string, string> =>
  new Map((place.isMissing ? [] : place.entries()).map(([id, value]) => [id, value.string()]));
