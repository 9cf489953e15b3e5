/** Charades: a row a video, all its moments in one cell; names of classes come from a second file. */
import { DatasetError } from '../errors.js';
import type { Annotations, Moment } from './annotations.js';
import { plainName } from './columns.js';
import { FilmCollector } from './films.js';
import type { AnnotationFile, AnnotationFormat, ReadChoices } from './format.js';
import { headerOf, type NamedRow, namedRow, tableOf } from './table.js';
import { parseTime } from './time.js';

export const charades: AnnotationFormat = {
  name: 'charades',
  title: 'Charades',
  matches: (file) => ['id', 'actions'].every((name) => headerOf(file).map(plainName).includes(name)),
  read: readCharades,
};

function readCharades(file: AnnotationFile, { classNames }: ReadChoices): Annotations {
  const names = headerOf(file).map(plainName);
  const films = new FilmCollector();
  for (const row of tableOf(file).rows.slice(1)) {
    const named = namedRow(file.path, row);
    const cell = (name: string) => named.cell(names.indexOf(name));
    const film = cell('id');
    if (film === undefined) throw new DatasetError('the id is empty', { path: named.where });
    const durationSec = parseTime(cell('length') ?? '');
    films.film(film, { ...(durationSec !== undefined && { durationSec }), where: named.where });
    const subject = cell('subject');
    for (const moment of momentsOf(cell('actions') ?? '', named, classNames)) {
      films.moment(film, { ...moment, ...(subject !== undefined && { subject }) });
    }
  }
  return { films: films.films(), ...namesOfIds(classNames) };
}

/** "c001 1.50 4.00;c007 0.00 9.10": overlap is normal. */
function momentsOf(actions: string, { where }: NamedRow, classNames: ReadChoices['classNames']): Moment[] {
  return actions.split(';').flatMap((action) => {
    if (action.trim() === '') return [];
    const [id = '', start = '', end = ''] = action.trim().split(/\s+/);
    const [startSec, endSec] = [parseTime(start), parseTime(end)];
    if (startSec === undefined || endSec === undefined || endSec < startSec) {
      throw new DatasetError(`actions: expected a class, its start and its end in seconds, got "${action.trim()}"`, {
        path: where,
      });
    }
    return [{ startSec, endSec, labels: [classNames?.[id] ?? id], where }];
  });
}

/** All classes, where they are known; else a note that ids stand for them. */
export function namesOfIds(classNames: ReadChoices['classNames']): Pick<Annotations, 'labels' | 'notes'> {
  if (classNames !== undefined) return { labels: Object.values(classNames), notes: [] };
  return { notes: ['labels are ids of classes: --class-names FILE names them'] };
}
