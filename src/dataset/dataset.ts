/**
 * Reads a dataset: a folder per class, train/val/test folders, or a CSV, TSV or JSON-lines manifest of videos or of segments of films.
 * Decodes no video (check.ts does); films that segments lie in are opened for their length.
 */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Annotations } from '../annotations/annotations.js';
import { DatasetError } from '../errors.js';
import { type AnnotationOptions, findAnnotations, isAnnotated } from './annotatedData.js';
import { backgroundOf, type CompleteFilm } from './background.js';
import { type FilmsOptions, filmFacts, probeFilms } from './films.js';
import { isVideo, readFolders } from './folders.js';
import type { Found } from './found.js';
import {
  byText,
  type FilmFacts,
  type FoundVideo,
  type LabelledVideo,
  type LabelledVideos,
  labelsOf,
  type RowFault,
  type Split,
} from './labelledVideos.js';
import { decideLabels, type LabelReading } from './labelSets.js';
import { readManifest } from './manifest.js';
import { foundMoments, type MomentOptions } from './moments.js';
import { describeFilter, filteredRows, type RowFilter } from './rowFilter.js';
import { refuseFaults, segmentsOf } from './segments.js';
import { type SplitOptions, settleSplits } from './settleSplits.js';
import { counted, some } from './some.js';
import { partKey, segmentName } from './videoPart.js';

export interface DatasetOptions extends SplitOptions {
  /** Only the rows that all of these let through; the others are as if they were not there. */
  readonly filter?: readonly RowFilter[];
  /** How annotations of a labelling program are read; a path that is a list or a folder of classes is read as such without. */
  readonly annotations?: AnnotationOptions;
  /** Whether a video has one label or any number at once; by default as the data are: a column `labels` means many. */
  readonly labels?: LabelReading;
  /** Let a list name files outside its own folder. */
  readonly allowOutside?: boolean;
  /** Keep files of a list that are not there and rows whose times are wrong, for a check that reports them; otherwise they are a DatasetError. */
  readonly keepMissing?: boolean;
  /**
   * The class that stretches without label are samples of: the labelling is complete. By default "background" where the labels say that they
   * are complete, else none; false for none.
   */
  readonly background?: string | false;
  /** Share of all samples that background becomes, above 0 and below 1; as many as the mean class has by default. */
  readonly backgroundShare?: number;
  /** Seconds around labelled moments that stay unused; 0.5 by default. */
  readonly backgroundMarginSec?: number;
}

/**
 * Reads labels and splits. Rejects with a DatasetError for anything that is not one clear label and split per existing file or segment of it.
 * `reading` says how films of segments are opened.
 */
export async function readDataset(
  path: string,
  options: DatasetOptions = {},
  reading: FilmsOptions = {},
): Promise<LabelledVideos> {
  const root = resolve(path);
  return labelledVideosOf(chosen(await find(root, path, options), path, options), path, options, reading);
}

/**
 * The moments of annotations as a data set: each is a segment of its film. Stretches that the annotations call complete are background. Errors
 * as those of `readDataset`.
 */
export async function annotatedVideos(
  annotations: Annotations,
  where: MomentOptions,
  options: DatasetOptions = {},
  reading: FilmsOptions = {},
): Promise<LabelledVideos> {
  return labelledVideosOf(chosen(foundMoments(annotations, where), where.root, options), where.root, options, reading);
}

async function find(root: string, given: string, options: DatasetOptions): Promise<Found> {
  const stat = statSync(root, { throwIfNoEntry: false });
  if (stat === undefined) throw new DatasetError(`${given}: no such file or folder`);
  if (stat.isFile() && isVideo(root)) throw new DatasetError(`${given}: a video; expected a folder, a list or annotations`);
  if (isAnnotated(root, options.annotations)) return findAnnotations(given, options.annotations, options.keepMissing);
  if (stat.isDirectory()) return { root, ...readFolders(root) };
  return { root: resolve(root, '..'), source: 'list', videos: readManifest(root, options), notes: [] };
}

function chosen(found: Found, path: string, { filter = [] }: DatasetOptions): Found {
  if (filter.length === 0 || found.videos.length === 0) return found;
  const videos = filteredRows(found.videos, filter, path);
  const note = `only ${filter.map(describeFilter).join(' and ')}: ${videos.length} of ${found.videos.length} videos`;
  return { ...found, videos, notes: [...found.notes, note] };
}

/** Settles times, background, splits and numbers of labels. `path` is for messages. */
async function labelledVideosOf(
  found: Found,
  path: string,
  options: DatasetOptions,
  reading: FilmsOptions,
): Promise<LabelledVideos> {
  if (found.videos.length === 0) {
    throw new DatasetError('no videos; expected a folder per class with videos in it, or a list with path,label', { path });
  }
  const rows = await samplesOf(found, options, reading);
  const { multiLabel } = rows;
  const settled = settleSplits(rows.videos, options);
  const labels = [...new Set(rows.videos.flatMap(labelsOf))].sort(byText);
  const place = new Map(labels.map((label, i) => [label, i]));
  const videos = rows.videos.map(({ where: _, ...video }, i): LabelledVideo => {
    const split = settled.splits[i] as Split;
    if (!video.labels) return { ...video, labelIndex: place.get(video.label) as number, split };
    return { ...video, labelIndex: -1, labelIndices: video.labels.map((label) => place.get(label) as number), split };
  });
  refuseUntrained(path, videos);
  const notes = [...found.notes, ...rows.notes, ...settled.notes];
  const guessed = videos.filter(({ columns }) => columns['score']).length;
  if (guessed > 0) notes.push(`${counted(guessed, 'row')} of the list have a score: answers of a network, taken as labels`);
  if (labels.length === 1 && !multiLabel) notes.push(`only one class, ${labels[0]}: nothing to tell apart`);
  const { root, source } = found;
  const { films, faults } = rows;
  const many = multiLabel ? { multiLabel: true as const } : {};
  const more = { ...(films.length > 0 && { films }), ...(options.keepMissing && { faults }) };
  return { root, source, labels, ...many, videos, splitBy: settled.splitBy, notes, ...more };
}

interface Samples {
  readonly multiLabel: boolean;
  readonly videos: readonly FoundVideo[];
  readonly films: readonly FilmFacts[];
  readonly faults: readonly RowFault[];
  readonly notes: readonly string[];
}

async function samplesOf(found: Found, options: DatasetOptions, reading: FilmsOptions): Promise<Samples> {
  if (options.keepMissing !== true) {
    refuseFaults(found.videos.flatMap((video) => (video.fault === undefined ? [] : [{ video, reason: video.fault }])));
    refuseMissing(found.videos);
  }
  const complete = completeFilms(found, options);
  const timed = found.videos.filter(({ times }) => times !== undefined);
  const films = await probeFilms([...new Set([...timed, ...complete].map(({ path }) => path))], reading);
  const { videos: segments, faults, notes: cuts } = segmentsOf(found.videos, films);
  if (options.keepMissing !== true) refuseFaults(faults);
  const { videos, multiLabel, notes: choice } = decideLabels(segments, options.labels);
  const notes = [...cuts, ...choice];
  refuseDuplicates(videos);
  const common = { films: filmFacts(films), multiLabel, faults };
  const { background, backgroundShare: share, backgroundMarginSec: marginSec = 0.5, seed = 0 } = options;
  if (complete.length === 0) return { ...common, videos: videos.map(named), notes };
  const label = background || 'background';
  const drawn = backgroundOf(videos, complete, films, { label, share, marginSec, seed });
  const empty = multiLabel ? drawn.videos.map((video) => ({ ...video, label: '', labels: [] })) : drawn.videos;
  return { ...common, videos: [...videos, ...empty].map(named), notes: [...notes, ...drawn.notes] };
}

/** Films whose stretches without label are background: those that the data says it of, or all by the user's word. */
function completeFilms({ videos, complete = [] }: Found, { background }: DatasetOptions): readonly CompleteFilm[] {
  if (background === false) return [];
  if (background === undefined) return complete;
  const known = new Set(complete.map(({ path }) => path));
  const timed = videos.filter(({ path, times }) => times !== undefined && !known.has(path));
  const others = new Map(timed.map((video) => [video.path, video]));
  if (known.size + others.size === 0)
    throw new DatasetError(
      `--background ${background}: is what lists with start and end leave unlabelled; this data has no times`,
    );
  return [...complete, ...[...others.values()].map(({ path, name, split, where }) => ({ path, name, split, where }))];
}

const named = (video: FoundVideo): FoundVideo => ({ ...video, name: segmentName(video.name, video.segment) });

function refuseDuplicates(videos: readonly FoundVideo[]): void {
  const first = new Map<string, FoundVideo>();
  for (const video of videos) {
    const before = first.get(partKey(video));
    if (before !== undefined) {
      const labels = before.label === video.label ? '' : `, as "${before.label}" and as "${video.label}"`;
      const name = segmentName(video.name, video.segment);
      throw new DatasetError(`${video.where}: ${name} is there twice (before: ${before.where})${labels}; keep one row`);
    }
    first.set(partKey(video), video);
  }
}

function refuseMissing(videos: readonly FoundVideo[]): void {
  const isThere = new Map<string, boolean>();
  for (const { path } of videos) {
    if (!isThere.has(path)) isThere.set(path, statSync(path, { throwIfNoEntry: false })?.isFile() === true);
  }
  const first = videos.find(({ path }) => !isThere.get(path));
  if (first === undefined) return;
  const missing = [...new Set(videos.filter(({ path }) => !isThere.get(path)).map(({ name }) => name))];
  throw new DatasetError(`${first.where}: ${missing.length} of ${isThere.size} files are missing: ${some(missing)}`);
}

/** A class missing from train is almost always a misspelt label. A dataset without train is for testing only. */
function refuseUntrained(path: string, videos: readonly LabelledVideo[]): void {
  const trained = new Set(videos.filter((video) => video.split === 'train').flatMap(labelsOf));
  if (trained.size === 0) return;
  const strayLabel = (video: LabelledVideo) => labelsOf(video).find((label) => !trained.has(label));
  const stray = videos.find((video) => strayLabel(video) !== undefined);
  if (stray === undefined) return;
  throw new DatasetError(
    `${path}: class "${strayLabel(stray)}" is in ${stray.split} (${stray.name}) but not in train; ` +
      `train has ${some([...trained].sort(byText))}`,
  );
}
