/** Annotations of labelling programs as a data set: which paths are such, and their moments as rows. */
import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { AnnotatedFilm } from '../annotations/annotations.js';
import { plainName } from '../annotations/columns.js';
import { formatsFor } from '../annotations/formats.js';
import { headerOf } from '../annotations/table.js';
import { type AnnotationChoices, annotationFile, labelFiles, readAnnotations } from './annotationFiles.js';
import { videosBelow } from './folders.js';
import type { Found } from './found.js';
import { isManifest } from './manifest.js';
import { locateFilms } from './mediaFinder.js';
import { foundMoments } from './moments.js';

export interface AnnotationOptions extends AnnotationChoices {
  /** Seconds around points in time; without it they are left out, which is said. */
  readonly aroundSec?: number;
}

/** Whether a path is to be read as annotations: not a folder of classes, nor a list with path and label that says nothing else. */
export function isAnnotated(path: string, options: AnnotationOptions | undefined): boolean {
  if (options !== undefined && Object.values(options).some((value) => value !== undefined)) return true;
  if (statSync(path).isDirectory()) return isLabelFolder(path);
  if (!isManifest(path)) return true;
  if (/\.(?:jsonl|ndjson)$/i.test(path)) return false;
  const file = annotationFile(path);
  const header = headerOf(file).map(plainName);
  const isList = header.includes('path') && (header.includes('label') || header.includes('labels'));
  const ownColumns = ['film_duration', 'film_fps', 'complete'];
  return isList ? ownColumns.some((name) => header.includes(name)) : formatsFor(file).length > 0;
}

/** Label files beside their films; in folders of a film each, as DeepEthogram keeps them, or all in one. */
function isLabelFolder(folder: string): boolean {
  const { paths } = videosBelow(folder);
  const flat = paths.every((path) => dirname(path) === resolve(folder));
  const files = labelFiles(folder, undefined, flat ? undefined : /_labels\.csv$/i);
  return files.length > 0;
}

/** Moments as rows. DatasetError for films that are not found; with `keepMissing` they are kept, for a check. */
export async function findAnnotations(path: string, options: AnnotationOptions = {}, keepMissing = false): Promise<Found> {
  const { aroundSec, ...choices } = options;
  const read = await readAnnotations(path, choices);
  const folder = statSync(path).isDirectory() ? path : dirname(path);
  const films = locateFilms(read, { list: path, videos: choices.videos, keepMissing });
  const places = new Map<AnnotatedFilm, string>(films.map((film) => [film, film.path]));
  return foundMoments(
    { ...read, films },
    { root: resolve(choices.videos ?? folder), find: (film) => places.get(film) as string, aroundSec },
  );
}
