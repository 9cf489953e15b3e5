/** Annotations from the disk: one file of any format, or a folder of files of one film each. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Annotations } from '../annotations/annotations.js';
import type { AnnotationFile, ReadChoices } from '../annotations/format.js';
import { formatOf, formatsFor, ofSubjects, parseAnnotations, type Reader, readerNamed } from '../annotations/formats.js';
import { ConfigError, DatasetError, messageOf } from '../errors.js';
import { VideoPool } from '../video/pool.js';
import { filesBelowFolder, isVideo } from './folders.js';
import { locateFilms } from './mediaFinder.js';
import { some } from './some.js';

export interface AnnotationChoices extends ReadChoices {
  /** The format's name; by default found by content. */
  readonly from?: string;
  /** The folder with the films; by default that of the annotations. */
  readonly videos?: string;
}

/**
 * Reads a file of a labelling program, or all label files of a folder. A table of frames without `fps` takes the rate of its film.
 * Rejects with a DatasetError for what cannot be read as it is.
 */
export async function readAnnotations(path: string, choices: AnnotationChoices = {}): Promise<Annotations> {
  if (!isFolder(path)) return readOne(annotationFile(path), path, choices);
  const files = labelFiles(path, choices.from);
  if (files.length === 0) throw new DatasetError('no label files of a format that is known; see vmf convert --help', { path });
  if (choices.film !== undefined && files.length > 1) {
    throw new ConfigError(`--film names one film, and ${path} holds label files of ${files.length}`);
  }
  const { subjects, ...rest } = choices;
  const read = [];
  for (const file of files) read.push(await readOne(file, path, rest));
  const all = {
    films: read.flatMap(({ films }) => films),
    labels: [...new Set(read.flatMap(({ labels = [] }) => labels))],
    notes: read.flatMap(({ notes }, i) => notes.map((note) => `${files[i]?.path}: ${note}`)),
  };
  return subjects === undefined ? all : ofSubjects(all, subjects, path);
}

const isFolder = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();

/** A file with its bytes, unpacked where it is gzipped (`.boris.gz`). */
export function annotationFile(path: string): AnnotationFile {
  if (!existsSync(path)) throw new DatasetError('no such file or folder', { path, code: 'missing' });
  const bytes = readFileSync(path);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return { path, bytes };
  try {
    return { path, bytes: gunzipSync(bytes, { maxOutputLength: maxBytes }) };
  } catch (error) {
    throw new DatasetError(`cannot be unpacked: ${messageOf(error)}`, { path, cause: error });
  }
}

const maxBytes = 1 << 30;

/** Those of a folder's files that are annotations; of one format, or an error that names two. */
export function labelFiles(folder: string, from: string | undefined, endings = labelEndings): AnnotationFile[] {
  const paths = filesBelowFolder(folder).filter((path) => endings.test(path) && !isVideo(path));
  const known = paths.flatMap((path) => {
    const file = annotationFile(path);
    const format = formatOrNothing(file, from);
    return format === undefined ? [] : [{ file, format }];
  });
  const names = [...new Set(known.map(({ format }) => format.name))];
  if (names.length > 1) {
    const examples = names.map((name) => `${known.find(({ format }) => format.name === name)?.file.path} (${name})`);
    throw new DatasetError(`label files of several formats: ${some(examples)}; say which with --from`, { path: folder });
  }
  return known.map(({ file }) => file);
}

/** Whether a name is that of annotations, not of a video. */
export const isLabelFile = (path: string): boolean => labelEndings.test(path);

const labelEndings = /\.(?:csv|tsv|txt|json|jsonl|eaf|vtt|srt|boris|xml|gz)$/i;

function formatOrNothing(file: AnnotationFile, from: string | undefined): Reader | undefined {
  if (from === undefined) return formatsFor(file).length === 0 ? undefined : formatOf(file);
  const format = readerNamed(from);
  return format.matches(file) ? format : undefined;
}

async function readOne(
  file: AnnotationFile,
  list: string,
  { from, videos, ...choices }: AnnotationChoices,
): Promise<Annotations> {
  const format = from === undefined ? formatOf(file) : readerNamed(from);
  if (format.frames !== 'film' || choices.fps !== undefined) return parseAnnotations(file, choices, format.name);
  const [film] = parseAnnotations(file, { ...choices, fps: 1 }, format.name).films;
  const found = film === undefined ? undefined : filmOrNothing(film.film, { list, videos });
  if (found === undefined) return parseAnnotations(file, choices, format.name);
  const { fps, frames } = await gridOf(found);
  const read = parseAnnotations(file, { ...choices, fps }, format.name);
  const rows = Math.round((read.films[0]?.durationSec ?? 0) * fps);
  const differs = `${file.path} has ${rows} rows, its film ${found} ${frames} frames: times may be off`;
  return rows === frames ? read : { ...read, notes: [...read.notes, differs] };
}

function filmOrNothing(film: string, finder: { list: string; videos: string | undefined }): string | undefined {
  try {
    return locateFilms({ films: [{ film, moments: [], where: finder.list }], notes: [] }, finder)[0]?.path;
  } catch {
    return undefined;
  }
}

async function gridOf(path: string): Promise<{ fps: number; frames: number }> {
  const pool = new VideoPool({ size: 1 });
  try {
    const { frameRate, frameCount } = await pool.probe(path);
    return { fps: Number(frameRate.toFixed(6)), frames: frameCount };
  } finally {
    await pool.close();
  }
}
