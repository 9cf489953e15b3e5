/** All formats of labelling programs, and how a file's format is found. A new one is a file in this folder and a line here. */
import { ConfigError, DatasetError } from '../errors.js';
import { activityNet } from './activityNet.js';
import type { Annotations } from './annotations.js';
import { ava } from './ava.js';
import { bento } from './bento.js';
import { boris } from './boris.js';
import { charades } from './charades.js';
import { srt, webVtt } from './cues.js';
import { cvat } from './cvat.js';
import { deepEthogram } from './deepEthogram.js';
import { elan } from './elan/elan.js';
import { elanTab } from './elanTab.js';
import { fiftyOne } from './fiftyOne.js';
import { counted } from './films.js';
import type { AnnotationFile, AnnotationFormat, ReadChoices, WriteChoices, Written } from './format.js';
import { intervalTable } from './intervalTable.js';
import { labelStudio } from './labelStudio/labelStudio.js';
import { mmaction2, mmaction2Parts } from './mmaction2.js';
import { refusalOf } from './recognised.js';
import { reduceTo } from './reduce.js';
import { headerOf } from './table.js';
import { baseName, jsonOf, jsonOrNothing, textOf } from './text.js';
import { via } from './via/via.js';
import { vidat } from './vidat.js';

export const annotationFormats: readonly AnnotationFormat[] = [
  intervalTable,
  charades,
  mmaction2,
  mmaction2Parts,
  elanTab,
  boris,
  deepEthogram,
  webVtt,
  srt,
  activityNet,
  fiftyOne,
  labelStudio,
  elan,
  via,
  ava,
  cvat,
  vidat,
  bento,
];

export type Reader = AnnotationFormat & Required<Pick<AnnotationFormat, 'read'>>;
export type Writer = AnnotationFormat & Required<Pick<AnnotationFormat, 'write' | 'holds'>>;

const canRead = (format: AnnotationFormat): format is Reader => format.read !== undefined;
const canWrite = (format: AnnotationFormat): format is Writer => format.write !== undefined && format.holds !== undefined;

export const readers: readonly Reader[] = annotationFormats.filter(canRead);
export const writers: readonly Writer[] = annotationFormats.filter(canWrite);

function named<Format extends AnnotationFormat>(formats: readonly Format[], name: string, option: string): Format {
  const found = formats.find((format) => format.name === name);
  if (found !== undefined) return found;
  const names = formats.map((format) => format.name).join(', ');
  throw new ConfigError(`${option} ${name}: no such format; expected one of ${names}`);
}

export const readerNamed = (name: string): Reader => named(readers, name, '--from');
export const writerNamed = (name: string): Writer => named(writers, name, '--to');

/** The format of a file by its content. DatasetError that says what was seen, where none or several match. */
export function formatOf(file: AnnotationFile): Reader {
  const refusal = refusalOf(file);
  if (refusal !== undefined) throw new DatasetError(refusal, { path: file.path });
  const matching = formatsFor(file);
  const [first] = matching;
  if (first !== undefined && matching.length === 1) return first;
  if (matching.length === 0 && /^\s*[[{]/.test(textOf(file))) jsonOf(file);
  const names = (matching.length > 0 ? matching : readers).map(({ name }) => name).join(', ');
  const fault = matching.length > 0 ? 'of more than one format' : `of no format that is known; it has ${seenIn(file)}`;
  throw new DatasetError(`${fault}; say which with --from: ${names}`, { path: file.path });
}

/** Every format that a file may be of. */
export const formatsFor = (file: AnnotationFile): readonly Reader[] => readers.filter((format) => format.matches(file));

function seenIn(file: AnnotationFile): string {
  if (file.bytes.length === 0) return 'no content';
  const json = jsonOrNothing(file);
  if (json !== undefined) return Array.isArray(json) ? `a JSON list of ${json.length}` : `JSON with ${list(Object.keys(json))}`;
  const header = headerOf(file);
  return header.length > 1
    ? `a first line with the cells ${list(header)}`
    : `the first line "${textOf(file).trim().split('\n')[0]?.slice(0, 60)}"`;
}

const list = (names: readonly string[]): string => names.slice(0, 8).join(', ') + (names.length > 8 ? ', ..' : '');

/** The annotations of one file. DatasetError with file and place; ConfigError for an unknown `from`. */
export function parseAnnotations(file: AnnotationFile, choices: ReadChoices = {}, from?: string): Annotations {
  const format = from === undefined ? formatOf(file) : readerNamed(from);
  const annotations = format.read(file, choices);
  return choices.subjects === undefined ? annotations : ofSubjects(annotations, choices.subjects, file.path);
}

/** Moments of these subjects only, and a note of how many were left out. DatasetError for a subject that has none. */
export function ofSubjects(annotations: Annotations, subjects: readonly string[], path: string): Annotations {
  const all = annotations.films.flatMap(({ moments }) => moments.map(({ subject = '' }) => subject));
  const missing = subjects.find((subject) => !all.includes(subject));
  if (missing !== undefined) {
    const names = [...new Set(all)].map((name) => name || '"" (none)').join(', ');
    throw new DatasetError(`no moment of the subject ${missing}; there are ${names}`, { path });
  }
  const left = all.filter((subject) => !subjects.includes(subject)).length;
  const notes = left === 0 ? [] : [`${counted(left, 'moments')} of other subjects left out`];
  const films = annotations.films.map((film) => ({
    ...film,
    moments: film.moments.filter(({ subject = '' }) => subjects.includes(subject)),
  }));
  return { ...annotations, films, notes: [...annotations.notes, ...notes] };
}

/** The files of a format, and everything that it cannot hold. */
export function writeAnnotations(format: Writer, annotations: Annotations, choices: WriteChoices = {}): Written {
  const { annotations: held, losses } = reduceTo(format.holds, annotations, choices);
  const { files, losses: further } = format.write(held, choices);
  return { files, losses: [...losses, ...further] };
}

/** The format that an output's name asks for; undefined where several or none do. */
export function writerFor(path: string): Writer | undefined {
  const name = baseName(path).toLowerCase();
  const fitting = writers.filter(({ ending }) => ending !== undefined && name.endsWith(ending));
  const longest = Math.max(...fitting.map(({ ending = '' }) => ending.length));
  const best = fitting.filter(({ ending = '' }) => ending.length === longest);
  return best.length === 1 ? best[0] : undefined;
}
