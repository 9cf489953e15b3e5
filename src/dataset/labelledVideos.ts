import { DatasetError } from '../errors.js';

export { splitNamed } from '../annotations/splits.js';

export type Split = 'train' | 'val' | 'test';
export const splitNames: readonly Split[] = ['train', 'val', 'test'];

export interface LabelledVideo {
  /** Absolute path. */
  readonly path: string;
  /** Path below the data set's root, with forward slashes: the same on every machine. */
  readonly name: string;
  readonly label: string;
  /** Place of the label in `labels`. */
  readonly labelIndex: number;
  readonly split: Split;
  /** Further columns of the list; empty for folders. */
  readonly columns: Readonly<Record<string, string>>;
}

export interface LabelledVideos {
  /** The folder that paths are relative to. */
  readonly root: string;
  readonly source: 'class folders' | 'split folders' | 'list';
  /** Sorted by code points; a video's labelIndex points here. */
  readonly labels: readonly string[];
  /** Sorted by name (folders) or in the list's order. */
  readonly videos: readonly LabelledVideo[];
  /** Origin of the split, for the record: "column split", "folders", "80/10/10 by class, seed 0". */
  readonly splitBy: string;
  /** For the user: files that were skipped, splits that were made. */
  readonly notes: readonly string[];
}

/** A video as a reader found it, before labels have numbers and splits are settled. `where` is for messages. */
export interface FoundVideo {
  readonly path: string;
  readonly name: string;
  readonly label: string;
  readonly split: Split | undefined;
  readonly columns: Readonly<Record<string, string>>;
  readonly where: string;
}

/** The videos of one split; a DatasetError that lists what there is when it has none. */
export function videosOf(data: LabelledVideos, split: Split): LabelledVideo[] {
  const videos = data.videos.filter((video) => video.split === split);
  if (videos.length > 0) return videos;
  const counts = splitNames.map((name) => `${name} ${data.videos.filter((video) => video.split === name).length}`);
  throw new DatasetError(`${data.root}: no video in split "${split}" (${counts.join(', ')})`);
}

/** Order by code points: unlike a locale's, the same on every machine. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
