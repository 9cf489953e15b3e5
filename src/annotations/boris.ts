/** BORIS: reads projects and all its exports of events, writes the aggregated one. */
import { DatasetError } from '../errors.js';
import type { AnnotatedFilm, Annotations, Moment } from './annotations.js';
import { modifierName } from './borisEvents.js';
import { isBorisProject, readBorisProject } from './borisProject.js';
import { isBorisTable, readBorisTable } from './borisTable.js';
import { isPoint } from './films.js';
import type { AnnotationFormat, Written } from './format.js';
import { Tally } from './reduce.js';
import { csvText } from './table.js';

export const boris: AnnotationFormat = {
  name: 'boris',
  title: 'BORIS (aggregated events)',
  holds: {
    ...{ points: true, overlap: true, manyFilms: true, subject: true, comment: true, attributes: true, score: false },
    ...{ background: false, split: false, open: false },
  },
  matches: (file) => isBorisProject(file) || isBorisTable(file),
  read: (file, choices) => (isBorisProject(file) ? readBorisProject : readBorisTable)(file, choices),
  write: writeAggregated,
};

/** Rows of BORIS 9's export of aggregated events. */
function writeAggregated({ films }: Annotations): Written {
  const tally = new Tally();
  const sets = mostModifiers(films);
  const rows = films.flatMap((film) => {
    if (film.moments.length === 0) tally.add('films without moments');
    refuseSeparators(film);
    return film.moments.flatMap((moment) => rowsOf(film, moment, { sets, tally }));
  });
  return { files: [{ name: '', content: csvText([headerFor(sets), ...rows]) }], losses: tally.losses() };
}

const headerFor = (sets: number): string[] => [
  ...['Observation id', 'Observation date', 'Description', 'Observation type', 'Source', 'Time offset (s)', 'Coding duration'],
  ...['Media duration (s)', 'FPS (frame/s)', 'Subject', 'Observation duration by subject by observation', 'Behavior'],
  'Behavioral category',
  ...Array.from({ length: sets }, (_, i) => `Modifier #${i + 1}`),
  ...['Behavior type', 'Start (s)', 'Stop (s)', 'Duration (s)', 'Media file name', 'Image index start', 'Image index stop'],
  ...['Image file path start', 'Image file path stop', 'Comment start', 'Comment stop'],
];

interface Writing {
  readonly sets: number;
  readonly tally: Tally;
}

function rowsOf(film: AnnotatedFilm, moment: Moment, { sets, tally }: Writing): string[][] {
  const { labels, attributes = {}, subject = 'No focal subject', comment = '' } = moment;
  const [startSec, endSec] = [moment.startSec as number, moment.endSec as number];
  const names = Array.from({ length: sets }, (_, i) => modifierName(i + 1));
  const others = Object.keys(attributes).filter((name) => !names.includes(name)).length;
  if (others > 0) tally.add('attributes that are no modifiers', false, others);
  const words = [subject === moment.subject ? subject : '', comment, ...names.map((name) => attributes[name] ?? '')];
  const none = words.filter((word) => /^(?:no focal subject|none|NA)$/i.test(word.trim())).length;
  if (none > 0) tally.add('subjects, comments and modifiers whose text means none', false, none);
  const point = isPoint(moment);
  return labels.map((label) => [
    ...[film.film, '', '', 'Media file', `player #1:${film.film}`, '0.0', 'NA', text(film.durationSec), text(film.fps)],
    ...[subject, 'NA', label, 'Not defined', ...names.map((name) => attributes[name] ?? '')],
    ...[point ? 'POINT' : 'STATE', text(startSec), text(endSec), point ? 'NA' : text(endSec - startSec), film.film],
    ...['', '', '', '', comment, ''],
  ]);
}

const text = (value: number | undefined): string => value?.toFixed(3) ?? 'NA';

function mostModifiers(films: readonly AnnotatedFilm[]): number {
  const names = films.flatMap(({ moments }) => moments.flatMap(({ attributes = {} }) => Object.keys(attributes)));
  return Math.max(0, ...names.map((name) => Number(/^modifier (\d{1,2})$/.exec(name)?.[1] ?? 0)));
}

function refuseSeparators({ film, where }: AnnotatedFilm): void {
  if (/[;|]/.test(film)) throw new DatasetError(`BORIS cannot name a film with ; or |: ${film}`, { path: where });
}
