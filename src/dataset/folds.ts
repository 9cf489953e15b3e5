/**
 * Folds of cross-validation: leave one group out by a column, or k stratified parts. Every video is tested once; no group is on
 * both sides.
 */
import { ConfigError, DatasetError } from '../errors.js';
import { Rng } from '../rng.js';
import { partsByGroup } from './groupSplit.js';
import { type Groups, groupsOf } from './groups.js';
import { byText, type LabelledVideo, type LabelledVideos, labelsOf } from './labelledVideos.js';
import { strataOf } from './labelSets.js';
import { carvedValidation, mixedNote } from './settleSplits.js';
import { some } from './some.js';

/** One fold: the videos of one group are tested, all others trained on. */
export interface Fold {
  /** The group's value in the column, or the number of the part from 1. */
  readonly name: string;
  readonly tested: ReadonlySet<LabelledVideo>;
}

/** A column of the list, or a number of parts. */
export type FoldsBy = string | number;

/**
 * The folds of a data set, groups sorted. Throws a DatasetError for a column or a cell that is missing, for a single group, and for a
 * class that some fold would test without having trained on it.
 */
export function foldsOf(data: LabelledVideos, by: FoldsBy, seed = 0): Fold[] {
  const folds = typeof by === 'number' ? partsByClass(data, by, seed) : groupsByColumn(data, by);
  for (const fold of folds) refuseUntrained(data, fold);
  return folds;
}

/** The data with this fold's split: its videos are test, the others train but for `valShare` of each class. */
export function foldSplit(
  data: LabelledVideos,
  by: FoldsBy,
  { name, tested }: Fold,
  { valShare = 0, seed = 0 }: { readonly valShare?: number; readonly seed?: number } = {},
): LabelledVideos {
  const training = data.videos.filter((video) => !tested.has(video));
  const carved = valShare > 0 ? carvedValidation(training, valShare, seed) : undefined;
  const splitOf = new Map(training.map((video, i) => [video, carved?.splits[i] ?? 'train']));
  const val = carved ? `, val = ${Math.round(100 * valShare)} % of train by ${carved.by}, seed ${seed}` : '';
  return {
    ...data,
    videos: data.videos.map((video) => ({ ...video, split: splitOf.get(video) ?? 'test' })),
    splitBy: `${describeFolds(by, data)}, fold ${name} is test${val}`,
    notes: [...singleGroupNote(data, by), ...(carved?.notes ?? [])],
  };
}

/** "column set left out one by one", "5 parts by class". */
export const describeFolds = (by: FoldsBy, data: LabelledVideos): string =>
  typeof by === 'number'
    ? `${by} parts by ${partGroups(data)?.by ?? 'class'}`
    : `groups of the column "${by}" left out one by one`;

/** What parts keep together; a single group cannot be. */
function partGroups({ videos }: LabelledVideos): Groups | undefined {
  const groups = groupsOf(videos);
  return groups && groups.count > 1 ? groups : undefined;
}

function singleGroupNote({ videos }: LabelledVideos, by: FoldsBy): string[] {
  const groups = typeof by === 'number' ? groupsOf(videos) : undefined;
  return groups?.count === 1 ? [mixedNote(groups)] : [];
}

function groupsByColumn(data: LabelledVideos, column: string): Fold[] {
  const groups = new Map<string, Set<LabelledVideo>>();
  for (const video of data.videos) {
    const cell = Object.hasOwn(video.columns, column) ? video.columns[column] : undefined;
    if (cell === undefined) throw noColumn(data, video, column);
    if (cell === '')
      throw new DatasetError(`${data.root}: ${video.name} has nothing in the column "${column}"; every row needs its group`);
    groups.set(cell, (groups.get(cell) ?? new Set()).add(video));
  }
  if (groups.size < 2) {
    const [only] = groups.keys();
    throw new DatasetError(`${data.root}: the column "${column}" is "${only}" in all rows; folds need at least two groups`);
  }
  const names = [...groups.keys()].sort(byNumberOrText);
  return names.map((name) => ({ name, tested: groups.get(name) ?? new Set() }));
}

function noColumn({ root, videos }: LabelledVideos, { name }: LabelledVideo, column: string): DatasetError {
  const columns = [...new Set(videos.flatMap((video) => Object.keys(video.columns)))];
  if (columns.includes(column)) return new DatasetError(`${name} has no "${column}"; every row needs its group`, { path: root });
  const there = columns.length === 0 ? 'it has none besides path, label and split' : `there are ${some(columns)}`;
  return new DatasetError(`there is no column "${column}" to make folds of; ${there}; a whole number makes parts by class`, {
    path: root,
  });
}

/** Parts that keep films together, or shuffled classes dealt in turn, so that parts differ by at most one video. */
function partsByClass(data: LabelledVideos, count: number, seed: number): Fold[] {
  const { labels, videos, root } = data;
  if (!(Number.isInteger(count) && count >= 2)) throw new ConfigError(`folds: expected at least 2 parts, got ${count}`);
  if (count > videos.length) throw new ConfigError(`folds: ${count} parts of ${videos.length} videos (${root}); each needs one`);
  const groups = partGroups(data);
  if (groups) {
    if (count > groups.count)
      throw new ConfigError(
        `folds: ${count} parts of ${groups.count} groups by ${groups.by} (${root}), which stay together; take ${groups.count} at most`,
      );
    const partOf = partsByGroup(videos.map(labelsOf), groups, count, seed);
    return Array.from({ length: count }, (_, part) => {
      return { name: String(part + 1), tested: new Set(videos.filter((_, i) => partOf[i] === part)) };
    });
  }
  const parts = Array.from({ length: count }, () => new Set<LabelledVideo>());
  let next = 0;
  const strata = strataOf(videos);
  for (const label of strata.includes('') ? [...labels, ''] : labels) {
    const members = videos.filter((_, i) => strata[i] === label).sort((a, b) => byText(a.name, b.name));
    for (const video of new Rng([seed, 'folds', label]).shuffle(members)) parts[next++ % count]?.add(video);
  }
  return parts.map((tested, i) => ({ name: String(i + 1), tested }));
}

/** A class within one group is never trained on when that group is left out. */
function refuseUntrained({ root, videos }: LabelledVideos, { name, tested }: Fold): void {
  const trained = new Set(videos.filter((video) => !tested.has(video)).flatMap(labelsOf));
  const strange = [...new Set([...tested].flatMap(labelsOf))].filter((label) => !trained.has(label));
  if (strange.length === 0) return;
  throw new DatasetError(
    `fold "${name}" would test what no other fold shows: ${some(strange.sort(byText))}; leave these classes or rows out (--filter)`,
    { path: root },
  );
}

function byNumberOrText(a: string, b: string): number {
  const difference = Number(a) - Number(b);
  return Number.isNaN(difference) || difference === 0 ? byText(a, b) : difference;
}
