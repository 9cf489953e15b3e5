/** Annotations of films as rows of a data set. */
import { relative, sep } from 'node:path';
import type { AnnotatedFilm, Annotations, Moment } from '../annotations/annotations.js';
import { DatasetError } from '../errors.js';
import type { CompleteFilm } from './background.js';
import type { Found } from './found.js';
import { byText, type FoundVideo, joinedLabels } from './labelledVideos.js';
import { checkTimes } from './rowTimes.js';
import { counted } from './some.js';

export interface MomentOptions {
  /** The folder that names of films are relative to. */
  readonly root: string;
  /** Absolute path of a film; a DatasetError where there is none. */
  readonly find: (film: AnnotatedFilm) => string;
  /** Length given to points in time, seconds around them; without it they are left out, which is said. */
  readonly aroundSec?: number | undefined;
}

/** A row for each moment, with a set of labels where it has several. */
export function foundMoments({ films, notes }: Annotations, options: MomentOptions): Found {
  const placed = films.map((film) => ({ film, place: placeOf(film, options) }));
  const videos = placed.flatMap(({ film, place }) => film.moments.flatMap((moment) => rowOf(moment, film, place, options)));
  const complete = placed.flatMap(({ film, place }): CompleteFilm[] =>
    film.complete ? [{ ...place, split: film.split, stretches: film.complete, where: film.where }] : [],
  );
  const { root } = options;
  return { root, source: 'list', videos, complete, notes: [...notes, ...pointNotes(films, options), ...splitNotes(films)] };
}

type Place = Pick<FoundVideo, 'path' | 'name'>;

function placeOf(film: AnnotatedFilm, { root, find }: MomentOptions): Place {
  const path = find(film);
  return { path, name: relative(root, path).split(sep).join('/') };
}

function rowOf(moment: Moment, { split }: AnnotatedFilm, place: Place, { aroundSec }: MomentOptions): FoundVideo[] {
  const { labels, where, subject, attributes } = moment;
  if (isPoint(moment) && aroundSec === undefined) return [];
  const [label] = labels;
  if (label === undefined) throw new DatasetError('has no label', { path: where });
  const set = [...new Set(labels)].sort(byText);
  const named = set.length === 1 ? { label } : { label: joinedLabels(set), labels: set };
  const columns = { ...attributes, ...(subject !== undefined && { subject }) };
  return [{ ...place, ...named, split, columns, ...timesOf(moment, aroundSec), where }];
}

const isPoint = ({ startSec, endSec }: Moment): boolean => startSec !== undefined && startSec === endSec;

function timesOf(moment: Moment, aroundSec = 0) {
  const { startSec: start, endSec: end } = moment;
  if (start === undefined && end === undefined) return {};
  if (start === undefined || !isPoint(moment)) return checkTimes({ unit: 'seconds', start, end });
  return checkTimes({ unit: 'seconds', start: Math.max(0, start - aroundSec / 2), end: start + aroundSec / 2 });
}

function pointNotes(films: readonly AnnotatedFilm[], { aroundSec }: MomentOptions): string[] {
  const points = films.flatMap(({ moments }) => moments.filter(isPoint)).length;
  if (points === 0) return [];
  const events = counted(points, 'point event');
  return [aroundSec === undefined ? `${events} left out: --around SEC gives them a length` : `${events} given ${aroundSec} s`];
}

function splitNotes(films: readonly AnnotatedFilm[]): string[] {
  const labelled = films.filter(({ moments }) => moments.length > 0);
  const without = labelled.filter(({ split }) => split === undefined).length;
  if (without === 0 || without === labelled.length) return [];
  return [`${without} of ${labelled.length} films say no split, so that those of the others are left aside`];
}
