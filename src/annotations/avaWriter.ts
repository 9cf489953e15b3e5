/** Writes an AVA list: a row for each key second inside a moment, and results where every moment has a score. */
import type { AnnotatedFilm, Annotations, Moment } from './annotations.js';
import { labelsOf } from './films.js';
import type { Written, WrittenFile } from './format.js';
import { allScored, scoresLost } from './predictions.js';
import { Tally } from './reduce.js';
import { csvText } from './table.js';

/** A list of names of classes comes with it, unless the labels are numbers already. */
export function writeAva(annotations: Annotations): Written {
  const tally = new Tally();
  const labels = labelsOf(annotations);
  const numbered = labels.every((label) => /^[1-9]\d*$/.test(label));
  const ids = new Map(labels.map((label, i) => [label, numbered ? label : String(i + 1)]));
  const scored = allScored(annotations);
  const rows = annotations.films.flatMap((film) => {
    const persons = personsOf(film, scored, tally);
    return film.moments.flatMap((moment) => rowsOf(moment, film.film, { ids, persons, scored, tally }));
  });
  const list = csvText(rows, '\n');
  const files: WrittenFile[] = numbered
    ? [{ name: '', content: list }]
    : [
        { name: 'ava.csv', content: list },
        {
          name: 'classes.csv',
          content: csvText(
            [...ids].map(([label, id]) => [id, label]),
            '\n',
          ),
        },
      ];
  return { files, losses: [...tally.losses(), ...(scored ? [] : scoresLost(annotations))] };
}

/** Numbers of persons: the subjects themselves where they are numbers. */
function personsOf({ moments }: AnnotatedFilm, scored: boolean, tally: Tally): ReadonlyMap<string, string> {
  const subjects = [...new Set(moments.flatMap(({ subject }) => subject ?? []))];
  if (subjects.length > 0 && scored) tally.add('subjects beside scores', false, subjects.length);
  if (subjects.every((subject) => /^\d+$/.test(subject))) return new Map(subjects.map((subject) => [subject, subject]));
  if (!scored) tally.add('names of subjects, now numbers', false, subjects.length);
  return new Map(subjects.map((subject, i) => [subject, String(i)]));
}

interface Naming {
  readonly ids: ReadonlyMap<string, string>;
  readonly persons: ReadonlyMap<string, string>;
  readonly scored: boolean;
  readonly tally: Tally;
}

function rowsOf(moment: Moment, film: string, { ids, persons, scored, tally }: Naming): string[][] {
  const seconds = keySeconds(moment, tally);
  const box = boxOf(moment, tally);
  const last = scored ? scoreText(moment.score ?? 0) : (persons.get(moment.subject ?? '') ?? '-1');
  return seconds.flatMap((second) => {
    return moment.labels.map((label) => [film, String(second).padStart(4, '0'), ...box, ids.get(label) ?? '', last]);
  });
}

/** With a point, which tells a score from a person. */
const scoreText = (score: number): string => (Number.isInteger(score) ? `${score}.0` : String(score));

/** The whole seconds inside a moment, each of which stands for half a second on both sides. */
function keySeconds({ startSec = 0, endSec = startSec }: Moment, tally: Tally): number[] {
  const first = Math.ceil(startSec);
  const seconds = Array.from({ length: Math.max(0, Math.ceil(endSec) - first) }, (_, i) => first + i);
  const [from, to] = [first - 0.5, first + seconds.length - 0.5];
  if (seconds.length === 0) tally.add('moments between two key seconds', true);
  else if (seconds.length > 1) tally.add('moments of several seconds, now one for each');
  if (seconds.length > 0 && (Math.max(0, from) !== startSec || to !== endSec))
    tally.add('times moved to half seconds around key seconds');
  return seconds;
}

function boxOf({ attributes = {} }: Moment, tally: Tally): string[] {
  const box = Object.hasOwn(attributes, 'box') ? (attributes['box'] ?? '').split(',') : [];
  const others = Object.keys(attributes).filter((name) => name !== 'box').length;
  if (others > 0) tally.add('attributes other than box', false, others);
  if (box.length === 4 && box.every((cell) => cell.trim() !== '' && Number(cell) >= 0 && Number(cell) <= 1)) return box;
  tally.add('moments without a box, now of the whole picture');
  return ['0', '0', '1', '1'];
}
