/** The times of a list's row: which part of the film it labels, before anything is known of the film. */
import { isMissingTime, parseTime, timeForms } from '../annotations/time.js';

/** As stated, in seconds of a player's clock or in the film's own frames (from 0, the end not included); undefined: left open. */
export interface RowTimes {
  readonly unit: 'seconds' | 'frames';
  readonly start: number | undefined;
  readonly end: number | undefined;
}

/** Times, what is wrong with them, or neither for a row that names a whole video. */
export interface ReadTimes {
  readonly times?: RowTimes;
  readonly fault?: string;
}

const columns = { seconds: ['start', 'end'], frames: ['start_frame', 'end_frame'] } as const;

export interface SplitRow extends ReadTimes {
  /** The cells that are no times. */
  readonly rest: Readonly<Record<string, string>>;
}

/** Takes the times out of a row: the columns start and end, or start_frame and end_frame where those are empty or absent. */
export function takeTimes(cells: Readonly<Record<string, string>>): SplitRow {
  const names = [...columns.seconds, ...columns.frames] as readonly string[];
  const rest = Object.fromEntries(Object.entries(cells).filter(([name]) => !names.includes(name)));
  for (const unit of ['seconds', 'frames'] as const) {
    const read = readTimes(cells, unit);
    if (read !== undefined) return { ...read, rest };
  }
  return { rest };
}

function readTimes(cells: Readonly<Record<string, string>>, unit: RowTimes['unit']): ReadTimes | undefined {
  const texts = columns[unit].map((name) => (Object.hasOwn(cells, name) ? (cells[name] ?? '') : ''));
  if (texts.every(isMissingTime)) return undefined;
  const [start, end] = texts.map((text) => (isMissingTime(text) ? undefined : numberOf(text, unit)));
  const bad = texts.findIndex((_, i) => Number.isNaN([start, end][i]));
  if (bad >= 0) {
    const expected = unit === 'seconds' ? timeForms : 'a whole frame number from 0';
    return { fault: `${columns[unit][bad]}: expected ${expected}, got "${texts[bad]?.trim()}"` };
  }
  return checkTimes({ unit, start, end });
}

function numberOf(text: string, unit: RowTimes['unit']): number {
  const value = unit === 'seconds' ? parseTime(text) : /^\s*-?\d+(\.0*)?\s*$/.test(text) ? Number(text) : undefined;
  return value ?? Number.NaN;
}

/** What is wrong whatever the film. */
export function checkTimes(times: RowTimes): ReadTimes {
  const { unit, start = 0, end } = times;
  const text = (value: number) => (unit === 'seconds' ? `${value} s` : `frame ${value}`);
  if (start < 0) return { fault: `starts at ${text(start)}, before its film` };
  if (end !== undefined && end < start) return { fault: `ends at ${text(end)}, before its start at ${text(start)}` };
  if (end === start) return { fault: `is empty: starts and ends at ${text(start)}` };
  return { times };
}
