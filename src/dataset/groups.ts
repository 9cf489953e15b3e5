/** Which samples belong together: segments of one film, and what a column of the list says is of one recording. */
import type { FoundVideo } from './labelledVideos.js';

/** Columns of lists that say which recording a video is of, by habit. */
export const recordingColumns = ['group', 'video', 'film', 'recording', 'session', 'subject', 'person'];

/** What is known of a sample. */
export type Grouped = Pick<FoundVideo, 'path' | 'segment' | 'columns'>;

export interface Groups {
  /** [N] number of each sample's group, from 0. */
  readonly of: Int32Array;
  readonly count: number;
  /** For the user: "film", "column group", "film and column subject". */
  readonly by: string;
}

/**
 * Groups that must not be on both sides of a split. Undefined where nothing says that samples belong together: whole videos without such a
 * column. A column that would leave a single group is passed over.
 */
export function groupsOf(videos: readonly Grouped[]): Groups | undefined {
  const films = videos.some(({ segment }) => segment !== undefined) ? videos.map(({ path }) => path) : undefined;
  for (const column of recordingColumns) {
    const cells = videos.map(({ columns }) => (Object.hasOwn(columns, column) ? columns[column] : undefined) || undefined);
    if (cells.every((cell) => cell === undefined)) continue;
    const joined = connected(videos.length, films === undefined ? [cells] : [cells, films]);
    if (joined.count > 1) return telling(joined, videos.length, `${films ? 'film and ' : ''}column ${column}`);
  }
  return films && telling(connected(videos.length, [films]), videos.length, 'film');
}

/** Groups of one sample each tell nothing. */
const telling = (groups: Omit<Groups, 'by'>, samples: number, by: string): Groups | undefined =>
  groups.count < samples ? { ...groups, by } : undefined;

/** Samples that share a value of any key, directly or through others. */
function connected(samples: number, keys: readonly (readonly (string | undefined)[])[]): Omit<Groups, 'by'> {
  const parent = Int32Array.from({ length: samples }, (_, i) => i);
  const root = (i: number): number => {
    let at = i;
    while (parent[at] !== at) at = parent[at] as number;
    return at;
  };
  for (const values of keys) {
    const first = new Map<string, number>();
    values.forEach((value, i) => {
      if (value === undefined) return;
      const before = first.get(value);
      if (before === undefined) first.set(value, i);
      else parent[root(i)] = root(before);
    });
  }
  const numbers = new Map<number, number>();
  const of = Int32Array.from({ length: samples }, (_, i) => {
    const number = numbers.get(root(i)) ?? numbers.size;
    numbers.set(root(i), number);
    return number;
  });
  return { of, count: numbers.size };
}
