import type { CompleteFilm } from './background.js';
import type { FoundVideo, LabelledVideos } from './labelledVideos.js';

/** What a reader of some form of data found, before labels have numbers, times are checked and splits are settled. */
export interface Found {
  readonly root: string;
  readonly source: LabelledVideos['source'];
  readonly videos: readonly FoundVideo[];
  /** Films without gaps in their labels, where the data says so. */
  readonly complete?: readonly CompleteFilm[];
  readonly notes: readonly string[];
}
