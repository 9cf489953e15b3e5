/** Videos with several labels at once: the cells that hold them, the decision that there are several, and targets. */

import { DatasetError } from '../errors.js';
import { parsedJson } from '../json.js';
import { byText, type FoundVideo, joinedLabels, type LabelledVideo } from './labelledVideos.js';
import { overlapShare, withOverlaps } from './overlaps.js';
import { counted } from './some.js';

/** Whether exactly one class is true of a video, or any number of them. */
export type LabelChoice = 'one' | 'many';

/** `rows`: each row stays as it is, for tests of whole films. */
export type LabelReading = LabelChoice | 'rows';

/** Between labels in a cell of a table. */
const separator = '|';

/** The labels of a cell of the column `labels`: a JSON array, or names between `|`. Empty: none. */
export function labelsInCell(cell: string, where: string): string[] {
  const text = cell.trim();
  const names = text.startsWith('[') ? namesInArray(text, where) : text === '' ? [] : text.split(separator);
  const labels = names.map((name) => name.trim());
  if (labels.includes('')) throw new DatasetError(`the labels ${cell} have an empty name between others`, { path: where });
  const twice = labels.find((label, i) => labels.indexOf(label) !== i);
  if (twice !== undefined) throw new DatasetError(`the label "${twice}" is there twice in ${cell}`, { path: where });
  return labels.sort(byText);
}

function namesInArray(text: string, where: string): string[] {
  const value = parsedJson(text);
  if (Array.isArray(value) && value.every((name) => typeof name === 'string')) return value;
  throw new DatasetError(`expected labels like ["run","wave"] or run|wave, got ${text}`, { path: where });
}

/** Videos of which either all have one label or all have a set of them. */
export interface Decided {
  readonly videos: readonly FoundVideo[];
  readonly multiLabel: boolean;
  readonly notes: readonly string[];
}

/** Of the labelled time: less is how people mark edges. */
const mostOverlap = 0.05;

/**
 * Several labels at once if chosen, or, where nothing is chosen, if some video has a set of them or segments lie over each other for more
 * than 5 % of the labelled time; each segment then has all labels of at least half of it. A DatasetError for a video that has not exactly
 * one where one was chosen.
 */
export function decideLabels(videos: readonly FoundVideo[], choice: LabelReading | undefined): Decided {
  if (choice === 'rows') return { videos, multiLabel: false, notes: [] };
  if (choice === 'one') return { videos: videos.map(withOne), multiLabel: false, notes: [] };
  const why = choice === 'many' ? '--labels many' : reasonForMany(videos);
  if (why === undefined) return { videos, multiLabel: false, notes: [] };
  const sets = withOverlaps(videos);
  return { videos: sets, multiLabel: true, notes: [noteOf(sets, why)] };
}

function reasonForMany(videos: readonly FoundVideo[]): string | undefined {
  if (videos.some(({ labels }) => labels !== undefined)) return 'the data have sets of labels';
  const share = overlapShare(videos);
  return share > mostOverlap
    ? `segments overlap for ${Math.round(100 * share)} % of the labelled time; --labels one takes each alone`
    : undefined;
}

function withOne({ labels, ...video }: FoundVideo): FoundVideo {
  if (labels === undefined) return video;
  const [label, ...others] = labels;
  if (label !== undefined && others.length === 0) return { ...video, label };
  const got = label === undefined ? 'none' : joinedLabels(labels);
  throw new DatasetError(`--labels one: expected one label of ${video.name}, got ${got}`, { path: video.where });
}

function noteOf(videos: readonly Pick<FoundVideo, 'labels'>[], why: string): string {
  const counts = videos.map(({ labels = [] }) => labels.length);
  const mean = counts.reduce((sum, count) => sum + count, 0) / Math.max(counts.length, 1);
  const none = counts.filter((count) => count === 0).length;
  const empty = none === 0 ? '' : `; ${counted(none, 'video')} on which nothing happens`;
  return `several labels at once (${why}): ${mean.toFixed(2)} a video, most ${Math.max(...counts)}${empty}`;
}

/**
 * The class that a video counts for where classes are dealt out: its own, or the rarest of its several, so that rare ones are spread
 * first; "" for none. -> one a video
 */
export function strataOf(videos: readonly Pick<FoundVideo, 'label' | 'labels'>[]): string[] {
  const counts = new Map<string, number>();
  for (const { labels = [] } of videos) for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const count = (label: string) => counts.get(label) ?? 0;
  return videos.map(({ label, labels }) => {
    if (labels === undefined) return label;
    return [...labels].sort((a, b) => count(a) - count(b) || byText(a, b))[0] ?? '';
  });
}

/** [N, classes]: 1 for each label of the videos with these numbers, else 0; undefined where videos have one label each. */
export function targetsOf(
  videos: readonly Pick<LabelledVideo, 'labelIndices'>[],
  numbers: ArrayLike<number>,
  classes: number,
): Float32Array | undefined {
  if (videos[0]?.labelIndices === undefined) return undefined;
  const targets = new Float32Array(numbers.length * classes);
  Array.from(numbers).forEach((video, i) => {
    for (const label of videos[video]?.labelIndices ?? []) targets[i * classes + label] = 1;
  });
  return targets;
}
