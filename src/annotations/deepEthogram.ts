/** DeepEthogram: a row a frame, a column a class; a file beside each film. */
import { DatasetError } from '../errors.js';
import type { AnnotatedFilm, Annotations, Moment } from './annotations.js';
import type { AnnotationFile, AnnotationFormat, ReadChoices } from './format.js';
import { runsOf } from './runs.js';
import { headerOf, tableOf } from './table.js';
import { stemOf, textOf } from './text.js';
import { writeDeepEthogram } from './writeDeepEthogram.js';

export const deepEthogram: AnnotationFormat = {
  name: 'deepethogram',
  title: 'DeepEthogram',
  ending: '_labels.csv',
  frames: 'film',
  holds: {
    ...{ points: true, overlap: true, manyFilms: false, subject: false, comment: false, attributes: false, score: false },
    ...{ background: true, split: false, open: false },
  },
  matches: isFrameTable,
  read: readFrames,
  write: writeDeepEthogram,
};

/** An empty first cell, then classes; rows that count frames from 0. */
function isFrameTable(file: AnnotationFile): boolean {
  const header = headerOf(file);
  if (header.length < 2 || header[0]?.trim() !== '' || !/^[^\r\n]*\r?\n"?0"?[,;\t]/.test(textOf(file))) return false;
  if (header.filter((name) => /_[xyp]$/.test(name)).length >= 12) return false; // SimBA: key points of bodies
  const first = tableOf(file).rows[1]?.cells ?? [];
  return first.length === header.length && first.every((cell) => /^-?[01](?:[.,]0+)?$/.test(cell.trim()));
}

/** The film's name without ending: what is left of "mouse_labels.csv". */
export const filmOfLabels = (path: string): string => stemOf(path).replace(/_(?:labels?|predictions?|scores?)$/i, '');

const isBackground = (name: string): boolean => /^(?:background|none)$/i.test(name);

function readFrames(file: AnnotationFile, { fps, film = filmOfLabels(file.path) }: ReadChoices): Annotations {
  if (fps === undefined) {
    throw new DatasetError('a table of frames without times; expected --fps, or its film (--videos) to take it from', {
      path: file.path,
    });
  }
  const [header, ...rows] = tableOf(file).rows;
  const names = (header?.cells ?? []).slice(1).map((name) => name.trim());
  const frames = rows.map((row, i) => frameCells(file.path, row, { expected: i, columns: names.length }));
  const classes = names.map((name, column) => ({ name, column })).filter(({ name }) => !isBackground(name));
  const seconds = ({ from, to }: { from: number; to: number }) => ({
    startSec: secondsOf(from, fps),
    endSec: secondsOf(to, fps),
  });
  const moments = classes.flatMap(({ name, column }) =>
    runsOf(frames.length, (i) => frames[i]?.[column] === 1).map((run): Moment => {
      return { ...seconds(run), labels: [name], where: `${file.path}:${rows[run.from]?.line ?? 0}` };
    }),
  );
  const complete = runsOf(frames.length, (i) => frames[i]?.every((cell) => cell !== -1) === true).map(seconds);
  const facts = { film, durationSec: secondsOf(frames.length, fps), fps, complete, where: file.path };
  return {
    films: [{ ...facts, moments: moments.sort((a, b) => (a.startSec as number) - (b.startSec as number)) }],
    labels: classes.map(({ name }) => name),
    notes: notesOf(frames.length, complete, fps),
  };
}

/** To the microsecond: measured rates end in rounding errors. */
const secondsOf = (frame: number, fps: number): number => Math.round((frame / fps) * 1e6) / 1e6;

function notesOf(frames: number, complete: NonNullable<AnnotatedFilm['complete']>, fps: number): string[] {
  const looked = complete.reduce((sum, { startSec, endSec }) => sum + Math.round((endSec - startSec) * fps), 0);
  return looked === frames ? [] : [`${frames - looked} of ${frames} frames not looked at for every class: no background`];
}

interface Expected {
  readonly expected: number;
  readonly columns: number;
}

function frameCells(
  path: string,
  { line, cells }: { line: number; cells: readonly string[] },
  { expected, columns }: Expected,
): number[] {
  const where = `${path}:${line}`;
  if (Number(cells[0]) !== expected) throw new DatasetError(`expected frame ${expected}, got "${cells[0]}"`, { path: where });
  const values = cells.slice(1).map((cell) => Number(cell.trim().replace(',', '.') || Number.NaN));
  if (values.length !== columns) throw new DatasetError(`expected ${columns + 1} cells, got ${cells.length}`, { path: where });
  const wrong = values.findIndex((value) => value !== 0 && value !== 1 && value !== -1);
  if (wrong < 0) return values;
  throw new DatasetError(`expected 1, 0 or -1 (not looked at), got "${cells[wrong + 1]}"`, { path: where });
}
