import type { TimeWindow } from '../clip/temporalSampling.js';
import { DatasetError } from '../errors.js';
import type { RowTimes } from './rowTimes.js';

export { splitNamed } from '../annotations/splits.js';

export type Split = 'train' | 'val' | 'test';
export const splitNames: readonly Split[] = ['train', 'val', 'test'];

export interface LabelledVideo {
  /** Absolute path. */
  readonly path: string;
  /** The stretch of the film that this is, on a player's clock; undefined: all of it. */
  readonly segment?: TimeWindow;
  /** Path below the data set's root, with forward slashes: the same on every machine. Of a segment with its times: "a.mp4@2.000-7.500". */
  readonly name: string;
  readonly label: string;
  /** Place of the label in `labels`; -1 where a video has several at once. */
  readonly labelIndex: number;
  /** All that are true of it, sorted, none included, and their places: only where videos have several at once. `label` joins them. */
  readonly labels?: readonly string[];
  readonly labelIndices?: readonly number[];
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
  /** Videos have any number of labels at once, in `labels` and `labelIndices`. */
  readonly multiLabel?: true;
  /** Sorted by name (folders) or in the list's order. */
  readonly videos: readonly LabelledVideo[];
  /** Origin of the split, for the record: "column split", "folders", "80/10/10 by class, seed 0". */
  readonly splitBy: string;
  /** For the user: files that were skipped, splits that were made. */
  readonly notes: readonly string[];
  /** The films that segments lie in and that could be read. */
  readonly films?: readonly FilmFacts[];
  /** Rows that cannot be used, where they were to be kept for a check. */
  readonly faults?: readonly RowFault[];
}

/** A video as a reader found it, before labels have numbers, times are checked against its film and splits are settled. `where` is for messages. */
export interface FoundVideo {
  readonly path: string;
  readonly name: string;
  readonly label: string;
  /** Only from a column `labels`; `label` joins them. */
  readonly labels?: readonly string[];
  readonly split: Split | undefined;
  readonly columns: Readonly<Record<string, string>>;
  /** As stated; resolved into `segment` when the film's length is known. */
  readonly times?: RowTimes;
  readonly segment?: TimeWindow;
  /** Why its times cannot be used. */
  readonly fault?: string;
  readonly where: string;
}

export interface FilmFacts {
  readonly path: string;
  readonly durationSec: number;
  readonly frameRate: number;
}

/** A row that cannot be used. */
export interface RowFault {
  readonly video: FoundVideo;
  readonly reason: string;
}

/** The labels of a video, whether it has one or any number at once. */
export const labelsOf = ({ label, labels }: Pick<LabelledVideo, 'label' | 'labels'>): readonly string[] => labels ?? [label];

/** As one text, for messages and digests; "" for none. */
export const joinedLabels = (labels: readonly string[]): string => labels.join('|');

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
