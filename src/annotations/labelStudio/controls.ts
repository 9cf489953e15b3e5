/** Which controls of a Label Studio project hold the labels. */
import { DatasetError } from '../../errors.js';
import type { Item, Task } from './tasks.js';

/** A stretch of time; labels of the whole clip; something said of a region; a region exported twice; something else. */
export type ItemKind = 'region' | 'clip' | 'detail' | 'duplicate' | 'other';

const known = new WeakMap<readonly Item[], ReadonlyMap<Item, ItemKind>>();

/** What an item is, given the others of its version. */
export function kindOf(item: Item, items: readonly Item[]): ItemKind {
  const kinds = known.get(items) ?? kindsOf(items);
  known.set(items, kinds);
  return kinds.get(item) ?? 'other';
}

function kindsOf(items: readonly Item[]): Map<Item, ItemKind> {
  const boxes = new Set(items.filter(({ type }) => type === 'videorectangle').map(({ id }) => id));
  const duplicates = new Set(items.filter((item) => isDuplicate(item, boxes)));
  const regions = new Set(items.filter((item) => isRegion(item) && !duplicates.has(item)).map(({ id }) => id));
  const kind = (item: Item): ItemKind => {
    if (duplicates.has(item)) return 'duplicate';
    if (isRegion(item)) return 'region';
    if (item.id !== undefined && regions.has(item.id)) return 'detail';
    return item.type === 'choices' ? 'clip' : 'other';
  };
  return new Map(items.map((item) => [item, kind(item)]));
}

/** `labels` is also a control of texts, where start and end are no seconds. */
function isRegion({ type, value }: Item): boolean {
  if (type === 'labels') return !value.key('start').isMissing && !value.has('text') && !value.has('globalOffsets');
  return type === 'timelinelabels' || type === 'videorectangle';
}

/** A box exported again by the timeline's control, without ranges: label-studio issue 9744. */
function isDuplicate({ type, value, id }: Item, boxes: ReadonlySet<string | undefined>): boolean {
  return type === 'timelinelabels' && !value.has('ranges') && (value.has('sequence') || (id !== undefined && boxes.has(id)));
}

export interface ChosenControls {
  readonly names: ReadonlySet<string>;
  readonly notes: readonly string[];
}

/**
 * The controls that the user named; otherwise the only one with regions or, without regions, the only one with choices for the clip.
 * DatasetError that lists them with their numbers of items where it is not clear or the name is unknown.
 */
export function chosenControls(tasks: readonly Task[], named: readonly string[] | undefined, path: string): ChosenControls {
  const regions = countOf(tasks, 'region');
  const clips = countOf(tasks, 'clip');
  const all = new Map([...clips, ...regions]);
  const unknown = named?.find((name) => !all.has(name));
  const candidates = named ?? [...(regions.size > 0 ? regions : clips).keys()];
  if (unknown !== undefined || (named === undefined && candidates.length > 1)) {
    const fault =
      unknown === undefined ? 'several controls hold labels; choose with --tier' : `no control is called ${unknown}; expected`;
    throw new DatasetError(`${fault}: ${listed(all)}`, { path });
  }
  const names = new Set(candidates);
  const left = new Map([...all].filter(([name]) => !names.has(name)));
  return { names, notes: left.size === 0 ? [] : [`controls left out (choose with --tier): ${listed(left)}`] };
}

const listed = (counts: ReadonlyMap<string, number>): string =>
  [...counts].map(([name, count]) => `${name} (${count})`).join(', ') || 'none';

function countOf(tasks: readonly Task[], kind: ItemKind): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { items } of tasks) {
    for (const item of items) {
      if (kindOf(item, items) === kind) counts.set(item.control, (counts.get(item.control) ?? 0) + 1);
    }
  }
  return counts;
}
