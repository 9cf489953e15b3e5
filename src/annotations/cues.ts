/** WebVTT and SRT: a cue a moment, a file a film. */
import { DatasetError } from '../errors.js';
import type { AnnotatedFilm, Annotations, Moment } from './annotations.js';
import { counted } from './films.js';
import type { AnnotationFile, AnnotationFormat, Holds, ReadChoices, Written } from './format.js';
import { filePerFilm } from './perFilm.js';
import { Tally } from './reduce.js';
import { stemOf, textOf } from './text.js';

const holds: Holds = {
  ...{ points: false, overlap: true, manyFilms: false, subject: false, comment: false, attributes: false, score: false },
  ...{ background: false, split: false, open: false },
};

export const webVtt: AnnotationFormat = {
  name: 'webvtt',
  title: 'WebVTT',
  ending: '.vtt',
  holds,
  matches: (file) => /^WEBVTT(?:\s|$)/.test(textOf(file)),
  read: (file, choices) => readCues(file, choices, vttText),
  write: (annotations) => writeCues(annotations, '.vtt', vttFile),
};

export const srt: AnnotationFormat = {
  name: 'srt',
  title: 'SRT',
  ending: '.srt',
  holds,
  matches: (file) => /^\s*(?:\d+[ \t]*\r?\n)?\s*\d+:\d+:\d+[,.]\d+\s*-->/.test(textOf(file)),
  read: (file, choices) => readCues(file, choices, (text) => ({ text })),
  write: (annotations) => writeCues(annotations, '.srt', srtFile),
};

interface CueText {
  readonly text: string;
  readonly subject?: string;
}

const timing = /^(.+?)-->\s*(\S+)/;

function readCues(file: AnnotationFile, { film }: ReadChoices, plain: (text: string) => CueText): Annotations {
  const lines = linesOf(textOf(file));
  const skipped = new Tally();
  const moments = lines.flatMap(({ text: line, isTiming, inComment }, i): Moment[] => {
    const [, start, end] = isTiming ? (timing.exec(line) ?? []) : [];
    if (start === undefined || end === undefined || inComment) return [];
    const where = `${file.path}:${i + 1}`;
    if (/nan/i.test(start + end)) skipped.add('cues without a time left out');
    else {
      const { text, subject } = plain(cueText(lines, i + 1));
      if (text !== '') return [cue(start, end, { where, text, ...(subject !== undefined && { subject }) })];
      skipped.add('cues without text left out');
    }
    return [];
  });
  for (let i = 0; i < blocksWithoutTimes(lines); i++) skipped.add('blocks without times left out');
  const notes = skipped.losses().map(({ count, what }) => counted(count, what));
  return { films: [{ film: film ?? stemOf(file.path), moments, where: file.path }], notes };
}

interface Line {
  readonly text: string;
  /** The number of its block: blocks lie between empty lines. */
  readonly block: number;
  /** Whether a comment, a style or a region began above it in its block. */
  readonly inComment: boolean;
  readonly isTiming: boolean;
}

/** Text may hold an arrow too: times are complete, or stand first in their block or after its number. */
function linesOf(file: string): Line[] {
  let [block, from, inComment] = [0, 0, false];
  return file.split(/\r\n|\r|\n/).map((text, i, all) => {
    if (all[i - 1] === '') [block, from, inComment] = [block + 1, i, false];
    const isTiming = text.includes('-->') && (/\d+:\d+[.,]\d+\s*-->/.test(text) || i - from <= 1);
    const line = { text, block, inComment, isTiming };
    inComment ||= /^(?:NOTE|STYLE|REGION)(?:\s|$)/.test(text);
    return line;
  });
}

/** Text that belongs to no cue: an arrow with a fault, or what follows an empty line within a cue. */
function blocksWithoutTimes(lines: readonly Line[]): number {
  const all = new Set(lines.filter(({ text }) => text.trim() !== '').map(({ block }) => block));
  for (const { text, block, inComment, isTiming } of lines) {
    if (isTiming || inComment || /^(?:WEBVTT|NOTE|STYLE|REGION)(?:\s|$)/.test(text)) all.delete(block);
  }
  return all.size;
}

/** Up to an empty line; or up to the next cue, where the empty line is missing. */
function cueText(lines: readonly Line[], from: number): string {
  let end = from;
  while (end < lines.length && lines[end]?.text.trim() !== '' && !lines[end]?.isTiming) end++;
  const missing = lines[end]?.isTiming && /^\d+$/.test(lines[end - 1]?.text.trim() ?? '');
  return lines
    .slice(from, missing ? end - 1 : end)
    .map(({ text }) => text.trim())
    .join(' ')
    .trim();
}

function cue(start: string, end: string, { where, text, subject }: CueText & { where: string }): Moment {
  const [startSec, endSec] = [cueTime(start, where), cueTime(end, where)];
  if (endSec < startSec) throw new DatasetError(`the end (${endSec} s) is before the start (${startSec} s)`, { path: where });
  return { startSec, endSec, labels: [text], ...(subject && { subject }), where };
}

/** The digits after the point count thousandths, even where a program writes fewer than three. */
function cueTime(text: string, where: string): number {
  const [, h = '0', m, s, fraction] = /^\s*(?:(\d+):)?(\d+):(\d+)[.,](\d+)\s*$/.exec(text) ?? [];
  if (m === undefined || s === undefined || fraction === undefined || Number(s) > 60) {
    throw new DatasetError(`expected times such as 00:01:02.500, got "${text.trim()}"`, { path: where });
  }
  const ms = fraction.length > 3 ? Number(`0.${fraction}`) * 1000 : Number(fraction);
  return (((Number(h) * 60 + Number(m)) * 60 + Number(s)) * 1000 + ms) / 1000;
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', nbsp: '\u00a0', quot: '"', lrm: '', rlm: '' };

/** Without tags; `<v Ann>` names who it is. */
function vttText(text: string): CueText {
  const subject = /<v(?:\.[^\s>]*)?\s+([^>]+)>/.exec(text)?.[1]?.trim();
  const plain = text.replace(/<[^>]*>/g, '');
  const decoded = plain.replace(/&(\w+);/g, (whole, name: string) => entities[name] ?? whole).trim();
  return { text: decoded, ...(subject !== undefined && { subject }) };
}

function writeCues(annotations: Annotations, ending: string, content: (cues: readonly Cue[]) => string): Written {
  const tally = new Tally();
  const files = filePerFilm(annotations, ending, (film) => content(cuesOf(film, tally)));
  return { files, losses: tally.losses() };
}

interface Cue {
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
}

/** In order of their start, one a label. */
function cuesOf({ moments }: AnnotatedFilm, tally: Tally): Cue[] {
  const cues = moments.flatMap(({ startSec = 0, endSec = 0, labels }) => {
    const [startMs, endMs] = [Math.round(startSec * 1000), Math.round(endSec * 1000)];
    if (endMs > startMs) return labels.map((label) => ({ startMs, endMs, text: label.replace(/\s+/g, ' ').trim() }));
    tally.add('moments shorter than a millisecond', true);
    return [];
  });
  return cues.sort((a, b) => a.startMs - b.startMs);
}

function clock(ms: number, mark: string): string {
  const pad = (value: number, digits = 2) => String(value).padStart(digits, '0');
  const [h, m, s] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, Math.floor(ms / 1000) % 60];
  return `${pad(h)}:${pad(m)}:${pad(s)}${mark}${pad(ms % 1000, 3)}`;
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const vttFile = (cues: readonly Cue[]): string =>
  `WEBVTT\n${cues.map(({ startMs, endMs, text }) => `\n${clock(startMs, '.')} --> ${clock(endMs, '.')}\n${escaped(text)}\n`).join('')}`;

const srtFile = (cues: readonly Cue[]): string =>
  cues.map(({ startMs, endMs, text }, i) => `${i + 1}\n${clock(startMs, ',')} --> ${clock(endMs, ',')}\n${text}\n`).join('\n');
