/**
 * AVA's lists: a row a key second, box and action, without header. Source: open-mmlab/mmaction2, mmaction/datasets/ava_dataset.py.
 */
import { DatasetError } from '../errors.js';
import type { Annotations, Moment } from './annotations.js';
import { writeAva } from './avaWriter.js';
import { counted, FilmCollector } from './films.js';
import type { AnnotationFile, AnnotationFormat, ReadChoices } from './format.js';
import { headerOf, type TableRow, tableOf } from './table.js';

export const ava: AnnotationFormat = {
  name: 'ava',
  title: 'AVA list',
  matches: (file) => isAvaRow(headerOf(file)),
  read: readAva,
  holds: {
    ...{ points: false, overlap: true, manyFilms: true, subject: true, comment: false, attributes: true },
    ...{ score: true, background: false, split: false, open: false },
  },
  write: writeAva,
};

const isShare = (cell: string): boolean => cell !== '' && Number(cell) >= 0 && Number(cell) <= 1;

/** `video,second,x1,y1,x2,y2,action,person or score`; the last may be missing. */
function isAvaRow(cells: readonly string[]): boolean {
  const [video, second, ...others] = cells.map((cell) => cell.trim());
  const [box, [action, last]] = [others.slice(0, 4), others.slice(4)];
  return (
    video !== undefined &&
    video !== '' &&
    /^\d+(?:\.\d+)?$/.test(second ?? '') &&
    box.length === 4 &&
    box.every(isShare) &&
    /^\d+$/.test(action ?? '') &&
    /^(?:-?\d+(?:\.\d+)?)?$/.test(last ?? '') &&
    cells.length <= 8
  );
}

interface AvaRow {
  readonly film: string;
  readonly second: number;
  readonly box: string;
  readonly action: string;
  readonly last: string;
  readonly where: string;
}

function readAva(file: AnnotationFile, choices: ReadChoices): Annotations {
  const { classNames } = choices;
  const names = namesOf(classNames);
  const table = tableOf(file).rows;
  const empty = table.filter(isEmptySecond).length;
  const rows = table.filter((row) => !isEmptySecond(row)).map(({ line, cells }) => rowOf(cells, `${file.path}:${line}`));
  const scored = rows.some(({ last }) => last.includes('.'));
  const films = new FilmCollector();
  for (const { film, where } of rows) films.film(film, { where });
  for (const same of sameBoxes(rows).values()) {
    const [first] = same;
    if (first !== undefined) films.moment(first.film, momentOf(first, same, { ...choices, names, scored }));
  }
  const notes = [
    ...(classNames === undefined ? ['the list holds ids of classes, which are the labels; --class-names FILE names them'] : []),
    ...(empty > 0 ? [`${counted(empty, 'key seconds')} without a person`] : []),
  ];
  return { films: films.films(), ...(classNames !== undefined && { labels: [...names.values()] }), notes };
}

/** Empty cells for the box and the action, as AVA-Kinetics has them. */
const isEmptySecond = ({ cells }: TableRow): boolean => cells.length === 2;

function rowOf(cells: readonly string[], where: string): AvaRow {
  if (!isAvaRow(cells)) {
    throw new DatasetError(
      `expected video,second,x1,y1,x2,y2,action,person with a box in shares of the picture, got ${cells.join(',')}`,
      {
        path: where,
      },
    );
  }
  const [film = '', second, x1, y1, x2, y2, action = '', last = ''] = cells.map((cell) => cell.trim());
  return { film, second: Number(second), box: [x1, y1, x2, y2].join(','), action, last, where };
}

/** Actions of one box at one second belong together; scores are of one action each. */
function sameBoxes(rows: readonly AvaRow[]): Map<string, AvaRow[]> {
  const groups = new Map<string, AvaRow[]>();
  for (const row of rows) {
    const key = JSON.stringify([row.film, row.second, row.box, row.last]);
    const same = groups.get(key);
    if (same === undefined) groups.set(key, [row]);
    else same.push(row);
  }
  return groups;
}

interface Reading extends ReadChoices {
  readonly names: ReadonlyMap<string, string>;
  readonly scored: boolean;
}

function namesOf(classNames: ReadChoices['classNames']): ReadonlyMap<string, string> {
  return new Map<string, string>(classNames instanceof Map ? classNames : Object.entries(classNames ?? {}));
}

/** A key second stands for half a second before and after it. */
function momentOf(row: AvaRow, same: readonly AvaRow[], { names, scored, offsetSec = 0 }: Reading): Moment {
  const { second, box, last, where } = row;
  const at = second + offsetSec;
  if (at < 0) throw new DatasetError(`second ${second} is before the film with --offset ${offsetSec}`, { path: where });
  const score = Number(last);
  if (scored && !(last !== '' && score >= 0 && score <= 1))
    throw new DatasetError(`expected a score of 0 to 1, got ${last}`, { path: where });
  return {
    startSec: Math.max(0, at - 0.5),
    endSec: at + 0.5,
    labels: [...new Set(same.map(({ action }) => names.get(action) ?? action))],
    ...(scored ? { score } : last !== '' && last !== noPerson && { subject: last }),
    attributes: { box },
    where,
  };
}

/** In place of a person's number. */
export const noPerson = '-1';
