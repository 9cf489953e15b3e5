/** Finds the files of films that annotations name: exactly, then relative to the list, then by name below a folder. */
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import type { AnnotatedFilm, Annotations } from '../annotations/annotations.js';
import { baseName, stemOf } from '../annotations/text.js';
import { DatasetError } from '../errors.js';
import { clipOfId, fileNames, isOfId, pathEnds, plainPath, storedName } from './filmNames.js';
import { isVideo, videosBelow } from './folders.js';
import { some } from './some.js';

/** A film and its file; or a clip that was cut out of it, with its one moment whole. */
export interface LocatedFilm extends AnnotatedFilm {
  /** Absolute. */
  readonly path: string;
}

export interface FinderOptions {
  /** The annotation file, or the folder of such files. */
  readonly list: string;
  /** The folder to search by name; by default that of the list. */
  readonly videos?: string | undefined;
  /** Films without a file keep the place where it would be. */
  readonly keepMissing?: boolean;
}

/** One DatasetError that lists every film without a file and every one with several. */
export function locateFilms({ films }: Annotations, { list, videos, keepMissing = false }: FinderOptions): LocatedFilm[] {
  const folder = isFolder(list) ? resolve(list) : dirname(resolve(list));
  if (videos !== undefined && !isFolder(videos)) throw new DatasetError('--videos: no such folder', { path: videos });
  const finder = new MediaFinder(folder, resolve(videos ?? folder));
  const located = films.map((film): Outcome => {
    const found = finder.locate(film);
    const place = () => join(finder.videos, baseName(plainPath(film.film)));
    return keepMissing && 'missing' in found ? { films: [{ ...film, path: place() }] } : found;
  });
  const faults = [
    fault(located, 'missing', (count) => `${count} of ${films.length} films not found`),
    fault(located, 'several', (count) => `${count} of ${films.length} films found in several places`),
  ].filter((text) => text !== undefined);
  if (faults.length > 0) {
    const advice = videos === undefined ? 'say where they are with --videos FOLDER' : `searched by name below ${videos}`;
    throw new DatasetError(`${faults.join('; ')}; ${advice}`, { path: list });
  }
  return merged(located.flatMap((found) => ('films' in found ? found.films : [])));
}

type Outcome = { readonly films: readonly LocatedFilm[] } | { readonly missing: string } | { readonly several: string };

function fault(located: readonly Outcome[], kind: 'missing' | 'several', say: (count: number) => string): string | undefined {
  const names = located.flatMap((found) => (kind in found ? [(found as Record<typeof kind, string>)[kind]] : []));
  return names.length === 0 ? undefined : `${say(names.length)}: ${some(names, 10)}`;
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();

class MediaFinder {
  #below: readonly string[] | undefined;
  readonly #byName = new Map<string, string[]>();
  readonly #byStored = new Map<string, string[]>();

  constructor(
    readonly folder: string,
    readonly videos: string,
  ) {}

  locate(film: AnnotatedFilm): Outcome {
    const known = this.#exactly(film.film);
    if (known !== undefined) return { films: [{ ...film, path: known }] };
    const found = this.#byNames(film.film);
    if (found.length === 1) return { films: [{ ...film, path: found[0] as string }] };
    if (found.length > 1) return { several: `${film.film} (${some(found)})` };
    return this.#clips(film) ?? { missing: film.film };
  }

  /** The path itself, relative to the list, or an end of it relative to the folder of videos. */
  #exactly(film: string): string | undefined {
    const path = plainPath(film);
    if (isAbsolute(path)) {
      if (isFile(path)) return path;
    } else if (isFile(resolve(this.folder, path))) return resolve(this.folder, path);
    return pathEnds(film)
      .slice(0, -1)
      .map((end) => join(this.videos, end))
      .find(isFile);
  }

  #byNames(film: string): string[] {
    this.#index();
    for (const name of fileNames(film)) {
      const found = this.#byName.get(name) ?? (isVideo(name) ? undefined : this.#ofId(name));
      if (found !== undefined && found.length > 0) return this.#closest(film, found);
    }
    return fileNames(film)
      .flatMap((name) => this.#byStored.get(storedName(name).toLowerCase()) ?? [])
      .filter((path, i, all) => all.indexOf(path) === i);
  }

  /** Of several files of one name, those that share the most folders with the film's path. */
  #closest(film: string, found: readonly string[]): string[] {
    for (const end of pathEnds(film)) {
      const sharing = found.filter((path) => path.replaceAll('\\', '/').endsWith(`/${end}`));
      if (sharing.length > 0) return sharing;
    }
    return [...found];
  }

  #ofId(id: string): string[] {
    const stems = this.#paths().filter((path) => isOfId(stemOf(path), id));
    return stems;
  }

  /** Clips cut out of the film: each is a whole moment. All of the film's moments must have theirs. */
  #clips(film: AnnotatedFilm): Outcome | undefined {
    const id = stemOf(plainPath(film.film));
    const clips = this.#paths().flatMap((path) => {
      const times = clipOfId(stemOf(path), id);
      return times === undefined ? [] : [{ path, times }];
    });
    if (clips.length === 0) return undefined;
    const films = film.moments.map((moment) => {
      const { startSec, endSec, ...rest } = moment;
      const clip = clips.find(
        ({ times }) => times.startSec === Math.round(startSec ?? 0) && times.endSec === Math.round(endSec ?? Infinity),
      );
      const { durationSec: _, complete: __, ...facts } = film;
      return clip && { ...facts, film: basename(clip.path), moments: [rest], path: clip.path };
    });
    const without = film.moments[films.indexOf(undefined)];
    if (without !== undefined) return { missing: `${film.film} from ${without.startSec} to ${without.endSec} s` };
    return { films: films.filter((found) => found !== undefined) };
  }

  #paths(): readonly string[] {
    this.#below ??= isFolder(this.videos) ? videosBelow(this.videos).paths : [];
    return this.#below;
  }

  #index(): void {
    if (this.#byName.size > 0) return;
    for (const path of this.#paths()) {
      add(this.#byName, basename(path), path);
      add(this.#byStored, storedName(basename(path)).toLowerCase(), path);
    }
  }
}

function add(to: Map<string, string[]>, key: string, path: string): void {
  const known = to.get(key);
  if (known === undefined) to.set(key, [path]);
  else known.push(path);
}

/** Two names of one file are one film. */
function merged(films: readonly LocatedFilm[]): LocatedFilm[] {
  const byPath = new Map<string, LocatedFilm>();
  for (const film of films) {
    const before = byPath.get(film.path);
    byPath.set(film.path, before === undefined ? film : { ...film, ...before, moments: [...before.moments, ...film.moments] });
  }
  return [...byPath.values()];
}
