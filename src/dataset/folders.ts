/** Reads labels from folder names: class/video, or split/class/video. */
import { type Dirent, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatasetError } from '../errors.js';
import { byText, type FoundVideo, type Split, splitNamed } from './labelledVideos.js';
import { counted, some } from './some.js';

/** Video extensions; other files are counted and skipped. Manifests may name any file. */
const videoEndings = new Set([
  ...['3g2', '3gp', 'amv', 'asf', 'avi', 'divx', 'dv', 'f4v', 'flv', 'gif', 'h264', 'h265', 'hevc', 'ivf', 'm1v', 'm2ts', 'm2v'],
  ...['m4v', 'mj2', 'mjpeg', 'mjpg', 'mkv', 'mov', 'mp4', 'mpeg', 'mpg', 'mts', 'mxf', 'ogm', 'ogv', 'qt', 'rm', 'rmvb', 'ts'],
  ...['vob', 'webm', 'wmv', 'y4m'],
]);

export interface FolderReading {
  readonly videos: FoundVideo[];
  readonly source: 'class folders' | 'split folders';
  readonly notes: string[];
}

/** Reads a data set's folder; hidden files are ignored, class folders are read with all folders inside them. */
export function readFolders(root: string): FolderReading {
  const folders = entriesOf(root).filter((entry) => entry.isFolder);
  const splits = folders.map((entry) => splitNamed(entry.name));
  const passedOver: string[] = [];
  const allSplits = folders.length > 0 && splits.every((split) => split !== undefined);
  if (!allSplits && splits.some((split) => split !== undefined)) refuseMixture(root, folders, splits);
  const notes = loneFiles(root);
  const videos = allSplits
    ? folders.flatMap((folder, i) => {
        notes.push(...loneFiles(join(root, folder.name)));
        return readClasses(root, folder.name, splits[i], passedOver);
      })
    : readClasses(root, '', undefined, passedOver);
  if (passedOver.length > 0)
    notes.push(`${counted(passedOver.length, 'file')} without a video's ending passed over: ${some(passedOver)}`);
  return { videos, source: allSplits ? 'split folders' : 'class folders', notes };
}

function refuseMixture(root: string, folders: readonly Entry[], splits: readonly (Split | undefined)[]): never {
  const names = (wanted: boolean) => folders.filter((_, i) => (splits[i] !== undefined) === wanted).map(({ name }) => name);
  throw new DatasetError(
    `${root}: split folders (${some(names(true))}) beside others (${some(names(false))}); ` +
      'expected either a folder per class, or only train, val and test folders with a folder per class in each',
  );
}

function readClasses(root: string, below: string, split: Split | undefined, passedOver: string[]): FoundVideo[] {
  const classes = entriesOf(join(root, below)).filter((entry) => entry.isFolder);
  return classes.flatMap(({ name: label }) => {
    const names = filesBelow(root, below === '' ? label : `${below}/${label}`);
    const videos = names.filter(isVideo);
    passedOver.push(...names.filter((name) => !videos.includes(name)));
    return videos.map((name) => ({ path: join(root, name), name, label, split, columns: {}, where: name }));
  });
}

export const isVideo = (name: string): boolean => videoEndings.has(name.slice(name.lastIndexOf('.') + 1).toLowerCase());

/** Paths of all files in a folder and the folders inside it, in the order of their names. */
export const filesBelowFolder = (root: string): string[] => allBelow(root).map((name) => join(root, name));

const allBelow = (root: string): string[] =>
  entriesOf(root).flatMap(({ name, isFolder }) => (isFolder ? filesBelow(root, name) : [name]));

/** All videos in a folder and the folders inside it, by their endings and in the order of their names; labels do not matter. */
export function videosBelow(root: string): { readonly paths: readonly string[]; readonly otherFiles: number } {
  const names = allBelow(root);
  const videos = names.filter(isVideo);
  return { paths: videos.map((name) => join(root, name)), otherFiles: names.length - videos.length };
}

interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
}

/** Links are followed: datasets are often assembled from links. */
function entriesOf(folder: string): Entry[] {
  const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => !entry.name.startsWith('.'));
  return entries.map((entry) => ({ name: entry.name, isFolder: isFolder(folder, entry) })).sort((a, b) => byText(a.name, b.name));
}

function isFolder(parent: string, entry: Dirent): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return statSync(join(parent, entry.name), { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function filesBelow(root: string, folder: string, depth = 0): string[] {
  if (depth > 16) throw new DatasetError(`${join(root, folder)}: folders more than 16 deep; is there a link to a folder above?`);
  return entriesOf(join(root, folder)).flatMap((entry) => {
    const name = `${folder}/${entry.name}`;
    return entry.isFolder ? filesBelow(root, name, depth + 1) : [name];
  });
}

/** A manifest among class folders was probably meant as the dataset. */
function loneFiles(folder: string): string[] {
  const files = entriesOf(folder).filter((entry) => !entry.isFolder);
  const list = files.find(({ name }) => /\.(csv|tsv|jsonl|ndjson)$/i.test(name));
  if (list !== undefined) return [`${join(folder, list.name)} not read; give its path to use its labels and split`];
  if (files.length === 0) return [];
  return [`${counted(files.length, 'file')} beside the folders of ${folder} passed over: ${some(files.map(({ name }) => name))}`];
}
