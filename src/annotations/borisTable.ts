/** BORIS's exports of events: tabular (before and from 8.9) and aggregated, of every version. */
import { DatasetError } from '../errors.js';
import type { Annotations } from './annotations.js';
import { type CodedEvent, codedMoment, pairedEvents, Unpaired } from './borisEvents.js';
import { type ObservationMedia, ObservationPlacer } from './borisMedia.js';
import { plainName } from './columns.js';
import { counted, FilmCollector } from './films.js';
import type { AnnotationFile, ReadChoices } from './format.js';
import { Tally } from './reduce.js';
import { headerOf, type TableRow, tableOf } from './table.js';
import { isMissingTime, parseTime, timeForms } from './time.js';

export function isBorisTable(file: AnnotationFile): boolean {
  const header = headerOf(file).map(plainName);
  if (header.includes('behavior_type') && (header.includes('start_s') || header.includes('time'))) return true;
  return header[0] === 'observation_id' && headerPlace(tableOf(file).rows) !== undefined;
}

/** The row of the column names: the first, or below the preamble where the first cell is `Time`. */
function headerPlace(rows: readonly TableRow[]): number | undefined {
  const place = rows.findIndex(({ cells }) => {
    const names = cells.map(plainName);
    return names.includes('behavior') && (names.includes('start_s') || names.includes('time'));
  });
  return place < 0 ? undefined : place;
}

/** DatasetError with the row. */
export function readBorisTable(file: AnnotationFile, choices: ReadChoices): Annotations {
  const { rows } = tableOf(file);
  const place = headerPlace(rows);
  if (place === undefined)
    throw new DatasetError('not an export of BORIS: no row of column names with Behavior', { path: file.path });
  const reader = new TableReader(file.path, rows[place]?.cells ?? [], rows.slice(0, place), choices);
  return reader.read(rows.slice(place + 1));
}

/** Independent variables put any names in the middle: what stands before them is the first of its name, what follows the last. */
class TableReader {
  readonly #films = new FilmCollector();
  readonly #left = new Tally();
  readonly #unpaired: Unpaired;
  readonly #names: readonly string[];
  readonly #placers = new Map<string, ObservationPlacer>();
  readonly #events = new Map<string, CodedEvent[]>();
  /** Observations of several cameras. */
  readonly #cameras = new Set<string>();

  constructor(
    readonly path: string,
    header: readonly string[],
    readonly preamble: readonly TableRow[],
    choices: ReadChoices,
  ) {
    this.#unpaired = new Unpaired(choices.unpaired);
    this.#names = header.map(plainName);
  }

  read(rows: readonly TableRow[]): Annotations {
    const aggregated = this.#names.includes('start_s');
    const skipped = new Set<string>();
    for (const row of rows) {
      const id = this.#observationOf(row);
      if (this.#isFilmed(row)) aggregated ? this.#state(row, id) : this.#event(row, id);
      else skipped.add(id);
    }
    for (const [id, events] of this.#events) {
      const moments = pairedEvents(events, this.#unpaired, `${this.path}: observation "${id}"`);
      for (const moment of moments) this.#placers.get(id)?.place(moment);
    }
    const films = this.#films.films();
    const reasons = [...skipped].map((id) => `observation "${id}" is LIVE or of pictures: it has no film`);
    if (films.length === 0) throw new DatasetError(reasons.join('; ') || 'no events', { path: this.path });
    const left = this.#left.losses().map(({ count, what }) => counted(count, what));
    const cameras = [...this.#cameras].map(
      (id) => `observation "${id}": all cameras are taken to start together, since exports do not say otherwise`,
    );
    return { films, notes: [...reasons.map((reason) => `left out: ${reason}`), ...cameras, ...this.#unpaired.notes(), ...left] };
  }

  #first({ cells }: TableRow, ...names: readonly string[]): string {
    const column = names.map((name) => this.#names.indexOf(name)).find((place) => place >= 0);
    return column === undefined ? '' : (cells[column]?.trim() ?? '');
  }

  #last({ cells }: TableRow, name: string): string {
    const column = this.#names.lastIndexOf(name);
    return column < 0 ? '' : (cells[column]?.trim() ?? '');
  }

  /** R writes NA in place of an empty cell. */
  #text(row: TableRow, name: string): string {
    const text = this.#last(row, name);
    return text === 'NA' ? '' : text;
  }

  #observationOf(row: TableRow): string {
    return this.#first(row, 'observation_id') || (this.#said('observation_id')[0] ?? '');
  }

  /** The cells of a row of the preamble, after its name. */
  #said(name: string): readonly string[] {
    return this.preamble.find(({ cells }) => plainName(cells[0] ?? '') === name)?.cells.slice(1) ?? [];
  }

  #isFilmed(row: TableRow): boolean {
    const source = this.#sourceOf(row);
    return (
      !/^live|pictures|images/i.test(this.#first(row, 'observation_type')) && source !== '' && !/^(?:na|live)$/i.test(source)
    );
  }

  /** "player #1:a.mp4;b.mp4|player #2:c.mp4", or the preamble's players. */
  #sourceOf(row: TableRow): string {
    const players = this.preamble.filter(({ cells }) => /^player #\d+$/i.test(cells[0]?.trim() ?? ''));
    const said = players.map(({ cells }) => `${cells[0]?.trim()}:${cells.slice(1).join(';')}`).join('|');
    return said || this.#first(row, 'source', 'media_file', 'media_file_path');
  }

  #placer(row: TableRow, id: string): ObservationPlacer {
    const known = this.#placers.get(id);
    if (known !== undefined) return known;
    const placer = new ObservationPlacer(this.#mediaOf(row, id), this.#films, this.#left);
    this.#placers.set(id, placer);
    return placer;
  }

  #mediaOf(row: TableRow, id: string): ObservationMedia {
    const where = `${this.path}: observation "${id}"`;
    const players = playersOf(this.#sourceOf(row));
    if (players.length > 1) this.#cameras.add(id);
    const films = players.flatMap((player) => player.films);
    const perFilm = (...names: readonly string[]) => {
      const values = this.#first(row, ...names).split(/[;|]/);
      return new Map(
        films.flatMap((film, i) =>
          positive(values.length === films.length ? values[i] : undefined).map((value) => [film, value]),
        ),
      );
    };
    const lengths = perFilm('media_duration_s', 'total_length');
    const offset = this.#first(row, 'time_offset_s') || this.#said('time_offset_s')[0] || '0';
    const timeOffsetSec = parseTime(offset);
    if (timeOffsetSec === undefined)
      throw new DatasetError(`Time offset (s): expected ${timeForms}, got "${offset}"`, { path: where });
    return { where, players, lengths, fps: perFilm('fps_frame_s', 'fps'), offsets: new Map(), timeOffsetSec };
  }

  /** A row of the tabular export. */
  #event(row: TableRow, id: string): void {
    this.#placer(row, id);
    const where = this.#where(row);
    const status = (this.#last(row, 'behavior_type') || this.#last(row, 'status')).toUpperCase();
    if (status !== 'START' && status !== 'STOP' && status !== 'POINT') {
      throw new DatasetError(`expected START, STOP or POINT, got "${status}"`, { path: where });
    }
    const event = {
      ...this.#coded(row),
      modifiers: this.#modifiers(row).join('|'),
      comment: this.#text(row, 'comment'),
      status,
    } as const;
    const timeSec = this.#time(row, 'time');
    if (timeSec === undefined) throw new DatasetError('the time is empty', { path: where });
    const events = this.#events.get(id) ?? [];
    this.#events.set(id, events);
    events.push({ ...event, timeSec });
  }

  /** A row of the aggregated export. */
  #state(row: TableRow, id: string): void {
    const [startSec, endSec] = [this.#time(row, 'start_s'), this.#time(row, 'stop_s')];
    const coded = { ...this.#coded(row), modifiers: this.#modifiers(row) };
    const comments = [this.#text(row, 'comment_start'), this.#text(row, 'comment_stop')];
    const placer = this.#placer(row, id);
    if (startSec !== undefined && endSec !== undefined) {
      if (endSec < startSec)
        throw new DatasetError(`the stop (${endSec} s) is before the start (${startSec} s)`, { path: coded.where });
      placer.place(codedMoment({ ...coded, startSec, endSec, comments }));
      return;
    }
    const timeSec = startSec ?? endSec;
    if (timeSec === undefined) throw new DatasetError('neither start nor stop', { path: coded.where });
    const status = startSec === undefined ? 'STOP' : 'START';
    const event = {
      ...coded,
      modifiers: coded.modifiers.join('|'),
      comment: comments.join(' ').trim(),
      timeSec,
      status,
    } as const;
    const moment = this.#unpaired.take(event, `${this.path}: observation "${id}"`);
    if (moment !== undefined) placer.place(moment);
  }

  #coded(row: TableRow): Pick<CodedEvent, 'subject' | 'code' | 'where'> {
    const where = this.#where(row);
    const code = this.#last(row, 'behavior');
    if (code === '') throw new DatasetError('the behavior is empty', { path: where });
    const subject = this.#text(row, 'subject');
    return { subject: /^no focal subject$/i.test(subject) ? '' : subject, code, where };
  }

  #modifiers({ cells }: TableRow): string[] {
    const numbered = this.#names.flatMap((name, column) => (/^modifier_\d+$/.test(name) ? [cells[column]?.trim() ?? ''] : []));
    const joined = this.#names.lastIndexOf('modifiers');
    const modifiers = numbered.length > 0 || joined < 0 ? numbered : (cells[joined] ?? '').split('|');
    return modifiers.map((text) => (text === 'NA' ? '' : text));
  }

  #where({ line }: TableRow): string {
    return `${this.path}:${line}`;
  }

  #time(row: TableRow, name: string): number | undefined {
    const text = this.#last(row, name);
    if (isMissingTime(text)) return undefined;
    const value = parseTime(text);
    if (value !== undefined) return value;
    throw new DatasetError(`${name}: expected ${timeForms}, got "${text}"`, { path: this.#where(row) });
  }
}

function positive(cell: string | undefined): number[] {
  const value = cell === undefined ? undefined : parseTime(cell);
  return value !== undefined && value > 0 ? [value] : [];
}

function playersOf(source: string): { number: number; films: string[] }[] {
  return source.split(/\|\s*|\s+(?=player #\d+:)/).map((part, i) => {
    const [, number, films = part] = /^\s*player #(\d+):(.*)$/is.exec(part) ?? [];
    return {
      number: number === undefined ? i + 1 : Number(number),
      films: films.split(';').flatMap((film) => film.trim() || []),
    };
  });
}
