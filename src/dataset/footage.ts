/** Which videos are of one recording, so that estimates do not learn from a clip's twin. */

import { groupsOf, recordingColumns } from './groups.js';
import type { LabelledVideo } from './labelledVideos.js';

export interface Footage {
  /** [N] number of each video's recording. */
  readonly groups: Int32Array;
  /** For the user: the column, or the part of the names. */
  readonly by: string;
}

type Video = Pick<LabelledVideo, 'name' | 'labelIndex' | 'columns'> &
  Partial<Pick<LabelledVideo, 'path' | 'segment' | 'labelIndices'>>;

/**
 * By the first column of the list that tells recordings apart, else by names that differ in their last number only; undefined where neither
 * does. Segments of one film are of one recording, whatever the columns say: several subjects act in it. A column with a value of its own for each video says that all are of different recordings.
 */
export function footageOf(videos: readonly Video[]): Footage | undefined {
  if (videos.some(({ segment }) => segment !== undefined)) return footageOfSegments(videos);
  for (const name of recordingColumns) {
    const values = videos.map((video) => video.columns[name] || undefined);
    if (values.every((value) => value !== undefined) && new Set(values).size === videos.length) return undefined;
    // Videos without a value may be of any recording: together, so that no twin is left behind.
    const found = tellingApart(videos, (_, i) => values[i] ?? '', `column ${name}`);
    if (found) return found;
  }
  return tellingApart(videos, stemOf, 'names without their last number');
}

function footageOfSegments(videos: readonly Video[]): Footage | undefined {
  const films = videos.map((video) => ({ ...video, path: video.path ?? video.name }));
  const joined = groupsOf(films);
  const found = joined && tellingApart(videos, (_, i) => String(joined.of[i]), joined.by);
  return found ?? tellingApart(films, ({ path }) => path, 'film');
}

/** "kick/match3_0012.mp4" -> "match3": of one class folder or another, clips of one film are numbered on. */
function stemOf({ name }: Video): string {
  const file = name.slice(name.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');
  return file.replace(/[^\p{L}\p{N}]*\p{N}+$/u, '');
}

/** Only if every class is seen in at least two recordings, so that none is left without examples. */
function tellingApart<V extends Video>(
  videos: readonly V[],
  key: (video: V, i: number) => string,
  by: string,
): Footage | undefined {
  const numbers = new Map<string, number>();
  const groups = Int32Array.from(videos, (video, i) => {
    const name = key(video, i);
    const number = numbers.get(name) ?? numbers.size;
    numbers.set(name, number);
    return number;
  });
  const seen = new Map<number, Set<number>>();
  videos.forEach(({ labelIndex, labelIndices = [labelIndex] }, i) => {
    for (const place of labelIndices) seen.set(place, (seen.get(place) ?? new Set()).add(groups[i] as number));
  });
  const twice = [...seen.values()].every((recordings) => recordings.size > 1);
  return twice && numbers.size < videos.length ? { groups, by } : undefined;
}
