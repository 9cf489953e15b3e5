/** What readers share: moments by film, labels in order. */
import { DatasetError } from '../errors.js';
import type { AnnotatedFilm, Moment } from './annotations.js';

/** Collects moments by the film that a file names, films in the order in which they come. */
export class FilmCollector {
  readonly #films = new Map<string, { facts: Omit<AnnotatedFilm, 'moments'>; moments: Moment[] }>();

  /** A film, and what the file states of it; what was stated before stays. DatasetError for two splits of one film. */
  film(film: string, facts: Omit<AnnotatedFilm, 'film' | 'moments'>): void {
    const before = this.#films.get(film);
    const split = before?.facts.split;
    if (split !== undefined && facts.split !== undefined && split !== facts.split) {
      throw new DatasetError(`${film} is in ${facts.split} here and in ${split} at ${before?.facts.where}`, {
        path: facts.where,
      });
    }
    if (before === undefined) this.#films.set(film, { facts: { ...facts, film }, moments: [] });
    else before.facts = { ...facts, ...before.facts };
  }

  moment(film: string, moment: Moment): void {
    if (!this.#films.has(film)) this.film(film, { where: moment.where });
    this.#films.get(film)?.moments.push(moment);
  }

  films(): AnnotatedFilm[] {
    return [...this.#films.values()].map(({ facts, moments }) => ({ ...facts, moments }));
  }
}

/** The classes: as the file lists them, then others in the order of their first moment. */
export function labelsOf({ films, labels = [] }: { films: readonly AnnotatedFilm[]; labels?: readonly string[] }): string[] {
  return [...new Set([...labels, ...films.flatMap(({ moments }) => moments.flatMap((moment) => moment.labels))])];
}

/** Whether a moment is a point in time. */
export const isPoint = ({ startSec, endSec }: Moment): boolean => endSec !== undefined && startSec === endSec;

/** "1 film", "3 films", "1 moment with attributes". */
export const counted = (count: number, what: string): string =>
  `${count} ${count === 1 ? what.replace(/(?<=ss)es\b|s\b/, '') : what}`;

/** The film of a file that names none: DatasetError where the user did not say it either. */
export function onlyFilm(path: string, film: string | undefined, what: string): string {
  if (film !== undefined) return film;
  throw new DatasetError(`${what} is of one film and does not name it; expected --film FILE`, { path });
}
