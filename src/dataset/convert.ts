/** From one labelling program's files to another's. Nothing is written here: what would be is a plan, with what it would lose. */
import { existsSync, statSync } from 'node:fs';
import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import type { Annotations } from '../annotations/annotations.js';
import { labelsOf } from '../annotations/films.js';
import type { Loss } from '../annotations/format.js';
import { type Writer, writeAnnotations, writerFor, writerNamed, writers } from '../annotations/formats.js';
import { stemOf } from '../annotations/text.js';
import { ConfigError, DatasetError } from '../errors.js';
import { type AnnotationChoices, readAnnotations } from './annotationFiles.js';
import { type FilmsOptions, probeFilms } from './films.js';
import { type LocatedFilm, locateFilms } from './mediaFinder.js';
import { some } from './some.js';

export interface ConvertOptions extends AnnotationChoices {
  /** The format to write; by default the output's name says it. */
  readonly to?: string;
  /** Seconds around points in time, for formats that have none. */
  readonly aroundSec?: number;
}

export interface Conversion {
  readonly to: Writer;
  readonly films: number;
  readonly moments: number;
  readonly labels: readonly string[];
  /** What was left out or decided in reading. */
  readonly notes: readonly string[];
  /** What the format cannot hold. */
  readonly losses: readonly Loss[];
  readonly files: readonly { readonly path: string; readonly content: string | Uint8Array }[];
}

/**
 * Reads `input` (a file, or a folder of label files) and says what `output` would be: a file, or a folder for formats of a file a film.
 * With `videos` the films are named relative to the output. Rejects with DatasetError or ConfigError.
 */
export async function planConversion(
  input: string,
  output: string,
  { to: format, aroundSec, ...choices }: ConvertOptions = {},
  reading: FilmsOptions = {},
): Promise<Conversion> {
  const to = format === undefined ? writerOf(output) : writerNamed(format);
  const read = await readAnnotations(input, choices);
  const given =
    choices.videos === undefined ? read : await withFilms(read, { input, output, videos: choices.videos, to }, reading);
  const { fps } = choices;
  const { files, losses } = writeAnnotations(to, given, {
    ...(fps !== undefined && { fps }),
    ...(aroundSec !== undefined && { aroundSec }),
  });
  const moments = given.films.reduce((sum, film) => sum + film.moments.length, 0);
  const placed = files.map(({ name, content }) => ({ path: pathFor(output, name, to, given), content }));
  const namesFile = isFile(output) || (to.ending !== undefined && output.toLowerCase().endsWith(to.ending));
  if (files.length > 1 && namesFile && !isFolder(output)) {
    throw new ConfigError(
      `${output}: ${to.title} is a file a film, and there are ${files.length} films; expected a folder and --to ${to.name}`,
    );
  }
  return { to, films: given.films.length, moments, labels: labelsOf(given), notes: given.notes, losses, files: placed };
}

function writerOf(output: string): Writer {
  const found = writerFor(output);
  if (found !== undefined) return found;
  const names = writers.map(({ name, ending }) => name + (ending === undefined ? '' : ` (${ending})`)).join(', ');
  throw new ConfigError(`${output}: the name does not say which format to write; expected --to with one of ${names}`);
}

const isFolder = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();
const isFile = (path: string): boolean => existsSync(path) && !isFolder(path);

function pathFor(output: string, name: string, to: Writer, { films }: Annotations): string {
  if (name !== '') return join(output, name);
  const namesFile = to.holds.manyFilms || to.ending === undefined || extname(output) !== '';
  if (!isFolder(output) && !/[/\\]$/.test(output) && namesFile) return output;
  const [film] = films;
  if (to.holds.manyFilms || film === undefined) throw new ConfigError(`${output}: a folder; ${to.title} is one file`);
  return join(output, `${stemOf(film.film)}${to.ending ?? ''}`);
}

interface Locating {
  readonly input: string;
  readonly output: string;
  readonly videos: string;
  readonly to: Writer;
}

/** Films named relative to the output; lengths and rates looked up where the format needs them and the input does not say. */
async function withFilms(
  read: Annotations,
  { input, output, videos, to }: Locating,
  reading: FilmsOptions,
): Promise<Annotations> {
  const folder = resolve(isFolder(output) || /[/\\]$/.test(output) ? output : dirname(output));
  const films = locateFilms(read, { list: input, videos });
  const facts = await probeFilms(
    films.filter((film) => needsFacts(film, to)).map(({ path }) => path),
    reading,
  );
  const unreadable = [...facts].flatMap(([path, fact]) => (fact instanceof Error ? [path] : []));
  if (unreadable.length > 0)
    throw new DatasetError(`${unreadable.length} films cannot be read: ${some(unreadable)}`, { path: videos });
  return {
    ...read,
    films: films.map(({ path, ...film }) => {
      const fact = facts.get(path);
      const found =
        fact === undefined || fact instanceof Error ? {} : { durationSec: rounded(fact.lastSec), fps: rounded(fact.frameRate) };
      return { ...found, ...film, film: relative(folder, path).split(sep).join('/') };
    }),
  };
}

/** Measured values end in rounding errors. */
const rounded = (value: number): number => Number(value.toFixed(6));

function needsFacts({ durationSec, fps, moments }: LocatedFilm, { frames, holds }: Writer): boolean {
  if (frames === 'film') return durationSec === undefined || fps === undefined;
  return !holds.open && durationSec === undefined && moments.some(({ endSec }) => endSec === undefined);
}
