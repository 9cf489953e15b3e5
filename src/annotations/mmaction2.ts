/** Lists of mmaction2: text lines of a path and numbers. Labels are numbers. */
import { DatasetError } from '../errors.js';
import type { Annotations, Moment } from './annotations.js';
import { namesOfIds } from './charades.js';
import { FilmCollector } from './films.js';
import type { AnnotationFile, AnnotationFormat, ReadChoices } from './format.js';
import { textOf } from './text.js';

/** "path label [label..]", or "dir frames label [label..]". */
export const mmaction2: AnnotationFormat = {
  name: 'mmaction2',
  title: 'mmaction2 list (path label, or dir frames label)',
  matches: (file) => linesOf(file)?.every(({ numbers, isVideo }) => isVideo || numbers.length >= 2) === true,
  read: (file, choices) => readList(file, choices, wholeVideo),
};

/** "dir start_frame frames label": as many numbers as a list of two labels, so that both fit and the user says which. */
export const mmaction2Parts: AnnotationFormat = {
  name: 'mmaction2-parts',
  title: 'mmaction2 list of parts (dir start_frame frames label)',
  matches: (file) => linesOf(file)?.every(({ numbers, isVideo }) => !isVideo && numbers.length === 3) === true,
  read: (file, choices) => readList(file, choices, partOfVideo),
};

interface Line {
  readonly path: string;
  readonly isVideo: boolean;
  readonly numbers: readonly number[];
  readonly where: string;
}

const videoLine = /^(.+\.(?:mp4|avi|mkv|webm|mov|mpg|mpeg|m4v|flv|wmv|3gp|ts))((?:\s+\d+)+)$/i;
const folderLine = /^(\S.*?)((?:\s+\d+)+)$/;

/** Undefined where a line does not fit. */
function linesOf(file: AnnotationFile): Line[] | undefined {
  const text = textOf(file);
  if (/[,;\t]|-->/.test(text.slice(0, 1000)) || text.trim() === '') return undefined;
  const lines = text.split(/\r\n|\r|\n/).map((line, i): Line | undefined | 'empty' => {
    if (line.trim() === '') return 'empty';
    const video = videoLine.exec(line.trim());
    const [, path = '', numbers = ''] = video ?? folderLine.exec(line.trim()) ?? [];
    if (path === '' || /^\d+$/.test(path)) return undefined;
    return { path, isVideo: video !== null, numbers: numbers.trim().split(/\s+/).map(Number), where: `${file.path}:${i + 1}` };
  });
  return lines.includes(undefined) ? undefined : (lines.filter((line) => line !== 'empty') as Line[]);
}

type Read = (line: Line, choices: ReadChoices) => { moment: Omit<Moment, 'labels' | 'where'>; labels: readonly number[] };

const wholeVideo: Read = ({ numbers, isVideo }) => ({ moment: {}, labels: isVideo ? numbers : numbers.slice(1) });

const partOfVideo: Read = ({ numbers: [start = 0, frames = 0, ...labels], where }, { fps }) => {
  if (fps === undefined)
    throw new DatasetError('times are frames; expected --fps, the frames a second that they count', { path: where });
  return { moment: { startSec: start / fps, endSec: (start + frames) / fps }, labels };
};

function readList(file: AnnotationFile, choices: ReadChoices, read: Read): Annotations {
  const lines = linesOf(file);
  if (lines === undefined)
    throw new DatasetError('expected lines of a path and numbers with blanks between', { path: file.path });
  const films = new FilmCollector();
  for (const line of lines) {
    const { moment, labels } = read(line, choices);
    if (labels.length === 0) throw new DatasetError('no label', { path: line.where });
    const names = labels.map((id) => choices.classNames?.[String(id)] ?? String(id));
    films.moment(line.path, { ...moment, labels: names, where: line.where });
  }
  return { films: films.films(), ...namesOfIds(choices.classNames) };
}
