import { DatasetError } from '../errors.js';
import type { AnnotatedFilm, Annotations } from './annotations.js';
import { isPoint, labelsOf } from './films.js';
import type { WriteChoices, Written } from './format.js';
import { filePerFilm } from './perFilm.js';
import { Tally } from './reduce.js';
import { isOffGrid, offGrid } from './span.js';
import { csvText } from './table.js';

/** 1 where a class is, 0 where it is not, -1 where nobody looked: outside of complete stretches and the class's moments. */
export function writeDeepEthogram(annotations: Annotations, { fps }: WriteChoices): Written {
  const labels = labelsOf(annotations);
  const reserved = labels.find((label) => /^(?:background|none)$/i.test(label));
  if (reserved !== undefined) throw new DatasetError(`DeepEthogram keeps the name ${reserved} for frames without label`);
  const tally = new Tally();
  const files = filePerFilm(annotations, '_labels.csv', (film) => frameTable(film, { labels, fps: rateOf(film, fps), tally }));
  return { files, losses: tally.losses() };
}

function rateOf(film: AnnotatedFilm, asked: number | undefined): number {
  const fps = asked ?? film.fps;
  if (fps !== undefined) return fps;
  throw new DatasetError(`DeepEthogram has a row a frame, and the rate of ${film.film} is not stated; expected --fps`, {
    path: film.where,
  });
}

interface Grid {
  readonly labels: readonly string[];
  readonly fps: number;
  readonly tally: Tally;
}

function frameTable(film: AnnotatedFilm, { labels, fps, tally }: Grid): string {
  const spans = film.moments.flatMap((moment) => {
    const from = isPoint(moment)
      ? Math.floor((moment.startSec as number) * fps + 1e-6)
      : Math.round((moment.startSec as number) * fps);
    const to = isPoint(moment) ? from + 1 : Math.round((moment.endSec as number) * fps);
    if (isPoint(moment)) tally.add('points (written as one frame)');
    const moved = !isPoint(moment) && (isOffGrid(moment.startSec as number, fps) || isOffGrid(moment.endSec as number, fps));
    if (to > from && moved) tally.add(offGrid);
    if (to > from) return [{ from, to, columns: moment.labels.map((label) => labels.indexOf(label) + 1) }];
    tally.add('moments shorter than a frame', true);
    return [];
  });
  const stated = film.durationSec === undefined ? undefined : Math.round(film.durationSec * fps);
  if (stated === undefined) tally.add('lengths of films (not stated: rows end with the last moment)');
  const count = stated ?? Math.max(0, ...spans.map(({ to }) => to));
  const width = labels.length + 1;
  const cells = new Int8Array(count * width).fill(-1);
  for (const { startSec, endSec } of film.complete ?? []) lookAt(cells, width, { from: startSec * fps, to: endSec * fps });
  for (const { from, to, columns } of spans) {
    if (to > count) tally.add('moments cut at the end of the film');
    for (const column of columns) mark(cells, { from, to: Math.min(to, count), column, width }, tally);
  }
  const rows = Array.from({ length: count }, (_, i) => `${i},${cells.subarray(i * width, (i + 1) * width).join(',')}\n`);
  return `${csvText([['', 'background', ...labels]], '\n')}${rows.join('')}`;
}

/** Frames of a complete stretch: background until something is marked. The first column is the background's. */
function lookAt(cells: Int8Array, width: number, { from, to }: { from: number; to: number }): void {
  const end = Math.min(cells.length / width, Math.round(to));
  for (let frame = Math.round(from); frame < end; frame++)
    cells.fill(0, frame * width, (frame + 1) * width).fill(1, frame * width, frame * width + 1);
}

interface Span {
  readonly from: number;
  readonly to: number;
  readonly column: number;
  readonly width: number;
}

/** Counts moments that touch or overlap another of their class: they read as one. */
function mark(cells: Int8Array, { from, to, column, width }: Span, tally: Tally): void {
  const is = (frame: number) => cells[frame * width + column] === 1;
  let met = (from > 0 && is(from - 1)) || (to < cells.length / width && is(to));
  for (let frame = from; frame < to; frame++) {
    met ||= is(frame);
    cells[frame * width + column] = 1;
    cells[frame * width] = 0;
  }
  if (met) tally.add('moments joined with one of their class');
}
