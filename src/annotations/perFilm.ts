import { DatasetError } from '../errors.js';
import type { AnnotatedFilm, Annotations } from './annotations.js';
import type { WrittenFile } from './format.js';
import { stemOf } from './text.js';

/** A file a film, named like the film with another ending; the output itself for a single film. DatasetError for films of one name. */
export function filePerFilm(annotations: Annotations, ending: string, content: (film: AnnotatedFilm) => string): WrittenFile[] {
  const { films } = annotations;
  if (films.length === 1) return films.map((film) => ({ name: '', content: content(film) }));
  const names = new Map<string, AnnotatedFilm>();
  return films.map((film) => {
    const name = `${stemOf(film.film)}${ending}`;
    const before = names.get(name);
    if (before !== undefined) {
      throw new DatasetError(`${film.film} and ${before.film} would both be written to ${name}; write them one at a time`);
    }
    names.set(name, film);
    return { name, content: content(film) };
  });
}
