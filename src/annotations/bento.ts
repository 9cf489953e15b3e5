/** Bento's `.annot`: channels of behaviours with starts and stops in seconds, the frame of a stop included. */
import { DatasetError } from '../errors.js';
import type { Annotations, Moment } from './annotations.js';
import { onlyFilm } from './films.js';
import type { AnnotationFile, AnnotationFormat, ReadChoices } from './format.js';
import { gridFps, spanOf } from './span.js';
import { textOf } from './text.js';

export const bento: AnnotationFormat = {
  name: 'bento',
  title: 'Bento',
  matches: (file) => /^\s*Bento annotation file/i.test(textOf(file)),
  read: readBento,
};

interface Bout {
  readonly channel: string;
  readonly label: string;
  readonly times: readonly number[];
  readonly where: string;
}

function readBento(file: AnnotationFile, choices: ReadChoices): Annotations {
  const text = textOf(file);
  const header = (name: string) => new RegExp(`^${name}[^:\\n]*:[ \\t]*(\\S[^\\r\\n]*)$`, 'im').exec(text)?.[1]?.trim();
  const rate = Number(header('Annotation framerate'));
  const film = onlyFilm(file.path, choices.film ?? header('Movie file'), 'Bento file');
  const fps = gridFps(choices.fps ?? (rate > 0 ? rate : undefined), 'its last frames', file.path);
  const bouts = boutsOf(text, file.path);
  const channels = chosenChannels(bouts, choices.tiers, file.path);
  const moments = bouts.filter(({ channel }) => channels.includes(channel)).map((bout) => momentOf(bout, fps));
  return { films: [{ film, fps, moments, where: file.path }], notes: [] };
}

function momentOf({ label, times: [start, stop], where }: Bout, fps: number): Moment {
  return { ...spanOf(start, stop === undefined ? undefined : stop + 1 / fps, where), labels: [label], where };
}

/** Blocks `Ch1----` hold behaviours `>run`, whose rows follow `Start Stop Duration`. */
function boutsOf(text: string, path: string): Bout[] {
  const bouts: Bout[] = [];
  let [channel, label] = ['', ''];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const where = `${path}:${i + 1}`;
    const block = /^(\S.*?)-{3,}\s*$/.exec(line);
    if (block !== null) [channel, label] = [block[1] ?? '', ''];
    else if (line.startsWith('>')) label = line.slice(1).trim();
    else if (label !== '' && line.trim() !== '' && !/^\s*Start\b/i.test(line))
      bouts.push({ channel, label, times: timesIn(line, where), where });
  }
  return bouts;
}

function timesIn(line: string, where: string): number[] {
  const cells = line.trim().split(/\s+/);
  const times = cells.map(Number);
  if (cells.length === 3 && times.every(Number.isFinite)) return times;
  throw new DatasetError(`expected start, stop and duration in seconds, got ${line.trim()}`, { path: where });
}

function chosenChannels(bouts: readonly Bout[], named: readonly string[] | undefined, path: string): readonly string[] {
  const channels = [...new Set(bouts.map(({ channel }) => channel))];
  const unknown = named?.find((name) => !channels.includes(name));
  if (unknown === undefined && (named !== undefined || channels.length < 2)) return named ?? channels;
  const counts = channels.map((name) => `${name} (${bouts.filter(({ channel }) => channel === name).length})`).join(', ');
  const fault =
    unknown === undefined ? 'several channels hold labels; choose with --tier' : `no channel is called ${unknown}; expected`;
  throw new DatasetError(`${fault}: ${counts || 'none'}`, { path });
}
