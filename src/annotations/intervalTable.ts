/** Tables with a row a moment, in every spelling of their columns; and the project's own CSV, which holds all of the model. */
import { DatasetError } from '../errors.js';
import type { AnnotatedFilm, Annotations, Moment } from './annotations.js';
import { type Columns, columnsOf, includesLast, isMilliseconds, type Role } from './columns.js';
import { counted, FilmCollector, isPoint, onlyFilm } from './films.js';
import type { AnnotationFile, AnnotationFormat, ReadChoices } from './format.js';
import { labelCell } from './labelCell.js';
import { splitCell } from './splits.js';
import { stretchesOf } from './stretches.js';
import { headerOf, tableOf } from './table.js';
import { jsonOrNothing } from './text.js';
import { isMissingTime, parseTime, timeForms } from './time.js';
import { writeCsv } from './writeCsv.js';

/** A row of a table or an object of a JSON list. */
export interface IntervalRow {
  readonly where: string;
  /** As written; undefined for an empty cell. */
  readonly cells: readonly (string | undefined)[];
}

export const intervalTable: AnnotationFormat = {
  name: 'csv',
  title: 'a table of moments (CSV)',
  ending: '.csv',
  holds: {
    ...{ points: true, overlap: true, manyFilms: true, subject: true, comment: true, attributes: true, score: true },
    ...{ background: true, split: true, open: true },
  },
  matches: (file) => isIntervals(columnsOf(jsonHeader(file) ?? headerOf(file))),
  read: (file, choices) => readIntervals(file, columnsOf(jsonHeader(file) ?? headerOf(file)), choices),
  write: writeCsv,
};

/** A column of films and labels, or of labels and times; tables of other programs have columns that tell them. */
function isIntervals({ of, header }: Columns): boolean {
  const known = of.start !== undefined || of.startFrame !== undefined;
  const text = `\n${header.join('\n')}\n`.toLowerCase();
  if (/\nannotation_id\n|behavior type|behavior\.type|^\ntime\n|\nactions\n/.test(text)) return false;
  const label = of.label !== undefined || of.labels !== undefined;
  return label ? of.film !== undefined || known : of.film !== undefined && known;
}

/** The keys of a JSON list of flat objects, as Create ML takes them. */
function jsonHeader(file: AnnotationFile): string[] | undefined {
  const value = jsonOrNothing(file);
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || !value.every(isFlat)) return [];
  return [...new Set(value.flatMap((each) => Object.keys(each)))];
}

const isFlat = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((cell) => typeof cell !== 'object');

function rowsOf(file: AnnotationFile, header: readonly string[]): IntervalRow[] {
  const value = jsonOrNothing(file);
  if (value === undefined) {
    const { rows, width } = tableOf(file);
    return rows.slice(1).map(({ line, cells }) => {
      const where = `${file.path}:${line}`;
      if (cells.length <= width) return { where, cells: cells.map((cell) => (cell.trim() === '' ? undefined : cell)) };
      const message = `${cells.length} cells, and the first line has ${width}; a cell with a comma in it needs quotes, such as "1,5"`;
      throw new DatasetError(message, { path: where });
    });
  }
  return (value as Record<string, unknown>[]).map((each, i) => ({
    where: `${file.path}: item ${i + 1}`,
    cells: header.map((key) => (each[key] === undefined || each[key] === null ? undefined : String(each[key]))),
  }));
}

/** Moments of rows; `columns` may come from the file's header or be made for a list without one. */
function readIntervals(file: AnnotationFile, columns: Columns, choices: ReadChoices): Annotations {
  refuseUnclear(file, columns, choices);
  const reader = new RowReader(file, columns, choices);
  for (const row of rowsOf(file, columns.header)) reader.add(row);
  return reader.annotations();
}

function refuseUnclear({ path }: AnnotationFile, { of, header }: Columns, { tiers, fps }: ReadChoices): void {
  if (of.label === undefined && of.labels === undefined && tiers === undefined) {
    const names = header.map((name) => name.trim()).join(', ');
    throw new DatasetError(`no column of labels; it has ${names}; expected --tier COLUMN for the one that holds them`, { path });
  }
  if (of.start === undefined && of.startFrame !== undefined && fps === undefined) {
    throw new DatasetError(`times are frames (${header[of.startFrame]}); expected --fps, the frames a second that they count`, {
      path,
    });
  }
}

/** The columns that `--tier` names, else those of labels. */
function labelColumns({ path }: AnnotationFile, { of, header }: Columns, { tiers }: ReadChoices): number[] {
  if (tiers === undefined) return [of.label, of.labels].filter((column) => column !== undefined).slice(0, 1);
  return tiers.map((tier) => {
    const column = header.findIndex((name) => name.trim() === tier);
    if (column >= 0) return column;
    throw new DatasetError(`no column ${tier}; it has ${header.map((name) => name.trim()).join(', ')}`, { path });
  });
}

class RowReader {
  readonly #films = new FilmCollector();
  readonly #labelColumns: readonly number[];
  #points = 0;

  constructor(
    readonly file: AnnotationFile,
    readonly columns: Columns,
    readonly choices: ReadChoices,
  ) {
    this.#labelColumns = labelColumns(file, columns, choices);
  }

  add(row: IntervalRow): void {
    const film = this.#filmOf(row);
    this.#films.film(film, this.#factsOf(row));
    const labels = this.#labelsOf(row);
    const times = this.#timesOf(row);
    if (labels.length === 0) {
      if (times.startSec === undefined && times.endSec === undefined) return;
      throw new DatasetError('the label is empty', { path: row.where });
    }
    const moment = { ...times, labels, ...this.#detailsOf(row), where: row.where };
    if (isPoint(moment)) this.#points++;
    this.#films.moment(film, moment);
  }

  annotations(): Annotations {
    const notes = this.#points === 0 ? [] : [`${counted(this.#points, 'rows')} without length: points in time`];
    return { films: this.#films.films(), notes };
  }

  #cell(row: IntervalRow, role: Role): string | undefined {
    const column = this.columns.of[role];
    return column === undefined ? undefined : row.cells[column]?.trim();
  }

  #filmOf(row: IntervalRow): string {
    if (this.columns.of.film === undefined)
      return onlyFilm(this.file.path, this.choices.film, 'a table without a column of videos');
    const film = this.#cell(row, 'film');
    if (film === undefined) throw new DatasetError('the video is empty', { path: row.where });
    return film;
  }

  #factsOf(row: IntervalRow): Omit<AnnotatedFilm, 'film' | 'moments'> {
    const split = splitCell(this.#cell(row, 'split'), row.where);
    const durationSec = this.#time(row, 'filmDuration');
    const fps = this.#time(row, 'fps');
    const complete = stretchesOf(this.#cell(row, 'complete'), row.where);
    return {
      ...(split && { split }),
      ...(durationSec !== undefined && { durationSec }),
      ...(fps !== undefined && { fps }),
      ...(complete && { complete }),
      where: row.where,
    };
  }

  #labelsOf(row: IntervalRow): string[] {
    const several = this.columns.of.labels;
    const labels = this.#labelColumns.flatMap((column) => {
      const cell = row.cells[column]?.trim();
      if (cell === undefined) return [];
      return column === several ? labelCell(cell, row.where) : [cell];
    });
    return [...new Set(labels)];
  }

  #timesOf(row: IntervalRow): Pick<Moment, 'startSec' | 'endSec'> {
    const inFrames = this.columns.of.start === undefined && this.columns.of.startFrame !== undefined;
    const startSec = inFrames ? this.#frame(row, 'startFrame', 0) : this.#time(row, 'start');
    const last = this.columns.header[this.columns.of.endFrame ?? -1] ?? '';
    const stated = inFrames ? this.#frame(row, 'endFrame', includesLast(last) ? 1 : 0) : this.#time(row, 'end');
    const endSec = stated ?? (startSec === undefined ? undefined : this.#byDuration(row, startSec));
    if (startSec !== undefined && endSec !== undefined && endSec < startSec) {
      throw new DatasetError(`the end (${endSec} s) is before the start (${startSec} s)`, { path: row.where });
    }
    return { ...(startSec !== undefined && { startSec }), ...(endSec !== undefined && { endSec }) };
  }

  /** Where there is no column of ends. A duration written as NA is a point in time, as in exports; an empty one leaves the end open. */
  #byDuration(row: IntervalRow, startSec: number): number | undefined {
    if (this.columns.of.end !== undefined || (this.#cell(row, 'duration') ?? '') === '') return undefined;
    return startSec + (this.#time(row, 'duration') ?? 0);
  }

  #time(row: IntervalRow, role: Role): number | undefined {
    const text = this.#cell(row, role);
    if (text === undefined || isMissingTime(text)) return undefined;
    const value = parseTime(text);
    const name = this.columns.header[this.columns.of[role] as number] as string;
    if (value === undefined) throw new DatasetError(`${name.trim()}: expected ${timeForms}, got "${text}"`, { path: row.where });
    return isMilliseconds(name) ? value / 1000 : value;
  }

  /** Frames count from 0. */
  #frame(row: IntervalRow, role: Role, after: number): number | undefined {
    const frame = this.#time(row, role);
    return frame === undefined ? undefined : (frame + after) / (this.choices.fps as number);
  }

  #detailsOf(row: IntervalRow): Pick<Moment, 'subject' | 'comment' | 'score' | 'attributes'> {
    const text = (column: number | undefined) => (column === undefined ? undefined : row.cells[column]);
    const subject = this.#cell(row, 'subject');
    const comment = text(this.columns.of.comment);
    const scoreText = this.#cell(row, 'score');
    const score = scoreText === undefined ? undefined : parseTime(scoreText);
    const isShare = score !== undefined && score >= 0 && score <= 1;
    const attributes = this.columns.attributes.flatMap(({ name, column }) => {
      const value = this.#labelColumns.includes(column) ? undefined : text(column);
      return value === undefined ? [] : [[name, value] as const];
    });
    if (scoreText !== undefined && !isShare)
      attributes.push([this.columns.header[this.columns.of.score as number] as string, scoreText]);
    return {
      ...(subject !== undefined && { subject }),
      ...(comment !== undefined && { comment }),
      ...(isShare && { score }),
      ...(attributes.length > 0 && { attributes: Object.fromEntries(attributes) }),
    };
  }
}
