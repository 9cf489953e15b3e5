import type { AnnotatedFilm, Annotations, Moment } from './annotations.js';
import { attributePrefix, roleOf } from './columns.js';
import { labelsOf } from './films.js';
import type { Loss, Written } from './format.js';
import { labelsText } from './labelCell.js';
import { stretchesText } from './stretches.js';
import { csvText } from './table.js';

interface Column {
  readonly name: string;
  /** Left out when no row has it. */
  readonly always?: boolean;
  cell(film: AnnotatedFilm, moment: Moment | undefined): string | undefined;
}

const numberText = (value: number | undefined) => (value === undefined ? undefined : String(value));

/** A row a moment, and one for a film without any; times with all their digits. */
export function writeCsv(annotations: Annotations): Written {
  const rows = annotations.films.flatMap((film) =>
    (film.moments.length === 0 ? [undefined] : film.moments).map((moment) => [film, moment] as const),
  );
  const columns = columnsFor(annotations).filter(({ always, cell }) => always || rows.some((row) => cell(...row) !== undefined));
  const cells = rows.map((row) => columns.map(({ cell }) => cell(...row) ?? ''));
  const content = csvText([columns.map(({ name }) => name), ...cells], '\n');
  return { files: [{ name: '', content }], losses: lossesOf(annotations) };
}

function columnsFor({ films }: Annotations): Column[] {
  const moments = films.flatMap((film) => film.moments);
  const several = moments.some(({ labels }) => labels.length > 1);
  const attributes = [...new Set(moments.flatMap((moment) => Object.keys(moment.attributes ?? {})))];
  return [
    { name: 'path', always: true, cell: ({ film }) => film },
    several
      ? { name: 'labels', always: true, cell: (_, moment) => moment && labelsText(moment.labels) }
      : { name: 'label', always: true, cell: (_, moment) => moment?.labels[0] },
    { name: 'start', always: true, cell: (_, moment) => numberText(moment?.startSec) },
    { name: 'end', always: true, cell: (_, moment) => numberText(moment?.endSec) },
    { name: 'subject', cell: (_, moment) => moment?.subject },
    { name: 'comment', cell: (_, moment) => moment?.comment },
    { name: 'score', cell: (_, moment) => numberText(moment?.score) },
    { name: 'split', cell: ({ split }) => split },
    { name: 'film_duration', cell: ({ durationSec }) => numberText(durationSec) },
    { name: 'film_fps', cell: ({ fps }) => numberText(fps) },
    { name: 'complete', cell: ({ complete }) => complete && stretchesText(complete) },
    ...attributes.map((name): Column => ({ name: columnName(name), cell: (_, moment) => moment?.attributes?.[name] })),
  ];
}

const columnName = (attribute: string): string =>
  roleOf(attribute) !== undefined || attribute.startsWith(attributePrefix) ? `${attributePrefix}${attribute}` : attribute;

function lossesOf(annotations: Annotations): Loss[] {
  const used = new Set(labelsOf({ films: annotations.films }));
  const unused = (annotations.labels ?? []).filter((label) => !used.has(label)).length;
  return unused === 0 ? [] : [{ count: unused, what: 'classes without moments', moments: false }];
}
