/**
 * Reads a dataset: a folder per class, train/val/test folders, or a CSV, TSV or JSON-lines manifest. Opens no video (check.ts
 * does).
 */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { DatasetError } from '../errors.js';
import { readFolders } from './folders.js';
import { byText, type FoundVideo, type LabelledVideo, type LabelledVideos, type Split } from './labelledVideos.js';
import { isManifest, readManifest } from './manifest.js';
import { describeFilter, filteredRows, type RowFilter } from './rowFilter.js';
import { some } from './some.js';
import { carveValidation, defaultShares, defaultValShare, describeShares, type SplitShares, splitByClass } from './split.js';

export interface DatasetOptions {
  /** Used when the data says nothing about splits; 80/10/10 by default. */
  readonly shares?: SplitShares;
  /** Part of train that becomes val when the data has train and no val; 0.1 by default, 0 keeps all of train. */
  readonly valShare?: number;
  /** Seed of the splits made here; 0 by default. */
  readonly seed?: number;
  /** Only the rows that all of these let through; the others are as if they were not there. */
  readonly filter?: readonly RowFilter[];
  /** Leave aside what the data says of splits, and make none: all videos are `train`. For folds, which make their own. */
  readonly ignoreSplits?: boolean;
  /** Let a list name files outside its own folder. */
  readonly allowOutside?: boolean;
  /** Keep files of a list that are not there, for a check that reports them; otherwise they are a DatasetError. */
  readonly keepMissing?: boolean;
}

/** Reads labels and splits. Rejects with a DatasetError for anything that is not one clear label and split per existing file. */
export async function readDataset(path: string, options: DatasetOptions = {}): Promise<LabelledVideos> {
  const root = resolve(path);
  const found = chosen(find(root, path, options), path, options);
  if (found.videos.length === 0) {
    throw new DatasetError('no videos; expected a folder per class with videos in it, or a list with path,label', { path });
  }
  refuseDuplicates(found.videos);
  if (options.keepMissing !== true) refuseMissing(found.videos);
  const settled = settleSplits(found.videos, options);
  const labels = [...new Set(found.videos.map((video) => video.label))].sort(byText);
  const place = new Map(labels.map((label, i) => [label, i]));
  const videos = found.videos.map(({ where: _, ...video }, i): LabelledVideo => {
    return { ...video, labelIndex: place.get(video.label) as number, split: settled.splits[i] as Split };
  });
  refuseUntrained(path, videos);
  const notes = [...found.notes, ...settled.notes];
  if (labels.length === 1) notes.push(`only one class, ${labels[0]}: nothing to tell apart`);
  return { root: found.root, source: found.source, labels, videos, splitBy: settled.splitBy, notes };
}

interface Found {
  readonly root: string;
  readonly source: LabelledVideos['source'];
  readonly videos: readonly FoundVideo[];
  readonly notes: readonly string[];
}

function find(root: string, given: string, options: DatasetOptions): Found {
  const stat = statSync(root, { throwIfNoEntry: false });
  if (stat === undefined) throw new DatasetError(`${given}: no such file or folder`);
  if (stat.isDirectory()) return { root, ...readFolders(root) };
  if (!isManifest(root)) {
    throw new DatasetError(`${given}: expected a folder, or a list that ends in .csv, .tsv or .jsonl`);
  }
  return { root: resolve(root, '..'), source: 'list', videos: readManifest(root, options.allowOutside ?? false), notes: [] };
}

function chosen(found: Found, path: string, { filter = [] }: DatasetOptions): Found {
  if (filter.length === 0 || found.videos.length === 0) return found;
  const videos = filteredRows(found.videos, filter, path);
  const note = `only ${filter.map(describeFilter).join(' and ')}: ${videos.length} of ${found.videos.length} videos`;
  return { ...found, videos, notes: [...found.notes, note] };
}

function refuseDuplicates(videos: readonly FoundVideo[]): void {
  const first = new Map<string, FoundVideo>();
  for (const video of videos) {
    const before = first.get(video.path);
    if (before !== undefined) {
      const labels = before.label === video.label ? '' : `, as "${before.label}" and as "${video.label}"`;
      throw new DatasetError(`${video.where}: ${video.name} is there twice (before: ${before.where})${labels}; keep one row`);
    }
    first.set(video.path, video);
  }
}

function refuseMissing(videos: readonly FoundVideo[]): void {
  const missing = videos.filter(({ path }) => statSync(path, { throwIfNoEntry: false })?.isFile() !== true);
  const [first] = missing;
  if (first === undefined) return;
  const count = `${missing.length} of ${videos.length} files are missing`;
  throw new DatasetError(`${first.where}: ${count}: ${some(missing.map(({ name }) => name))}`);
}

interface Settled {
  readonly splits: readonly Split[];
  readonly splitBy: string;
  readonly notes: readonly string[];
}

/** The dataset's own split, else a seeded one by class; val out of train where only val is missing. */
function settleSplits(videos: readonly FoundVideo[], options: DatasetOptions): Settled {
  const seed = options.seed ?? 0;
  const given = videos.map((video) => video.split);
  if (options.ignoreSplits) {
    const notes = given.some((split) => split !== undefined) ? ['the splits that the data came with are left aside'] : [];
    return { splits: given.map(() => 'train'), splitBy: 'none', notes };
  }
  if (given.some((split) => split === undefined)) {
    const shares = options.shares ?? defaultShares;
    const how = describeShares(shares, seed);
    return { splits: splitByClass(videos, shares, seed), splitBy: how, notes: [`no split given: divided ${how}`] };
  }
  const splits = given as Split[];
  const share = options.valShare ?? defaultValShare;
  if (splits.includes('val') || !splits.includes('train') || share === 0) return { splits, splitBy: 'as given', notes: [] };
  const training = videos.filter((video) => video.split === 'train');
  const carved = carveValidation(training, share, seed);
  const ofTraining = new Map(training.map((video, i) => [video, carved[i] as Split]));
  const how = `${Math.round(share * 100)} % of train by class, seed ${seed}`;
  return {
    splits: videos.map((video) => ofTraining.get(video) ?? (video.split as Split)),
    splitBy: `as given, val = ${how}`,
    notes: [`no val given: took ${how}`],
  };
}

/** A class missing from train is almost always a misspelt label. A dataset without train is for testing only. */
function refuseUntrained(path: string, videos: readonly LabelledVideo[]): void {
  const trained = new Set(videos.filter((video) => video.split === 'train').map((video) => video.label));
  if (trained.size === 0) return;
  const stray = videos.find((video) => !trained.has(video.label));
  if (stray === undefined) return;
  throw new DatasetError(
    `${path}: class "${stray.label}" is in ${stray.split} (${stray.name}) but not in train; ` +
      `train has ${some([...trained].sort(byText))}`,
  );
}
