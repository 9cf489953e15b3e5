/** Records of a VIA 3 project as moments. */
import { DatasetError } from '../../errors.js';
import type { Annotations, Moment } from '../annotations.js';
import { counted, FilmCollector } from '../films.js';
import type { ReadChoices } from '../format.js';
import { Tally } from '../reduce.js';
import { type Span, spanOf } from '../span.js';
import type { ViaAttribute, ViaProject, ViaRecord } from './project.js';

/** What VIA calls a row of its time line that has no name. */
const noName = '_DEFAULT';

export function annotationsOf(project: ViaProject, choices: ReadChoices, path: string): Annotations {
  const labelIds = labelAttributes(project, choices.tiers, path);
  const left = new Tally();
  const films = new FilmCollector();
  for (const { film, where } of project.films) films.film(film, { where });
  for (const record of project.records) {
    const moment = momentOf(record, project.attributes, labelIds, left);
    if (moment !== undefined && record.film !== undefined) films.moment(record.film, moment);
  }
  const notes = left.losses().map(({ count, what }) => counted(count, what));
  return { films: films.films(), notes: [...project.notes, ...notes] };
}

function momentOf(
  record: ViaRecord,
  attributes: ViaProject['attributes'],
  labelIds: ReadonlySet<string>,
  left: Tally,
): Moment | undefined {
  const id = [...record.values.keys()].find((each) => labelIds.has(each));
  const labels = [...labelIds].flatMap((each) => labelsOf(attributes.get(each), record.values.get(each), left));
  if (record.film === undefined || id === undefined || labels.length === 0) {
    left.add(record.film === undefined ? 'records of pictures or sound left out' : 'records without a label left out');
    return undefined;
  }
  return { ...timeOf(record), labels: [...new Set(labels)], ...said(record, attributes, labelIds), where: record.where };
}

function timeOf({ times, where }: ViaRecord): Span {
  if (times.length > 2) throw new DatasetError(`expected two times of a segment, got ${times.length}`, { path: where });
  return spanOf(times[0], times[1] ?? times[0], where);
}

/** Option ids as their texts; an id that is no option was typed by hand and is the text itself. */
function labelsOf(attribute: ViaAttribute | undefined, value: string | undefined, left: Tally): string[] {
  if (attribute === undefined || value === undefined || value.trim() === '') return [];
  if (value === noName && !attribute.options.has(value)) {
    left.add('rows without a name: the name of the attribute is the label');
    return [attribute.name];
  }
  return textsOf(attribute, value).filter((text) => text.trim() !== '');
}

function textsOf({ isCheckbox, options }: ViaAttribute, value: string): string[] {
  const ids = isCheckbox && !options.has(value) ? value.split(',').filter((id) => id !== '') : [value];
  return ids.map((id) => options.get(id) ?? id);
}

/** Other attributes of the record; `subject` and `comment` are these. The shape of a box is an attribute too. */
function said(
  { values, shape }: ViaRecord,
  attributes: ViaProject['attributes'],
  labelIds: ReadonlySet<string>,
): Partial<Moment> {
  const others = [...values].flatMap(([id, value]) => {
    const attribute = attributes.get(id);
    return attribute === undefined || labelIds.has(id) || value === ''
      ? []
      : [[attribute.name, textsOf(attribute, value).join(', ')] as const];
  });
  const named = new Map([...others, ...(shape.length > 0 ? [['xy', JSON.stringify(shape)] as const] : [])]);
  const [subject, comment] = [named.get('subject'), named.get('comment')];
  const rest = [...named].filter(([name]) => !facts.includes(name));
  return {
    ...(subject !== undefined && { subject }),
    ...(comment !== undefined && { comment }),
    ...(rest.length > 0 && { attributes: Object.fromEntries(rest) }),
  };
}

const facts = ['subject', 'comment'];

/**
 * The attributes that hold the labels, by id: those that the user named; otherwise the only one of segments, where choices go before
 * free texts. DatasetError that lists them where it is not clear or the name is unknown.
 */
function labelAttributes(project: ViaProject, named: readonly string[] | undefined, path: string): ReadonlySet<string> {
  const counts = countsOf(project.records);
  const used = [...project.attributes].filter(([id]) => (counts.get(id) ?? 0) > 0);
  const fail = (fault: string): never => {
    const listed = used.map(([id, { name }]) => `${name} (${counts.get(id)})`).join(', ') || 'none';
    throw new DatasetError(`${fault}: ${listed}`, { path });
  };
  const unknown = named?.find((name) => !used.some(([id, attribute]) => attribute.name === name || id === name));
  if (unknown !== undefined) fail(`no attribute called ${unknown} has values; expected one of`);
  if (named !== undefined)
    return new Set(used.filter(([id, { name }]) => named.includes(name) || named.includes(id)).map(([id]) => id));
  const candidates = used.filter(([, { name }]) => !facts.includes(name));
  const choices = candidates.filter(([, { isText }]) => !isText);
  const likely = choices.length > 0 ? choices : candidates;
  if (likely.length > 1) fail('several attributes may hold the labels; choose with --tier');
  return new Set(likely.map(([id]) => id));
}

/** Values by attribute, of segments where there are any. */
function countsOf(records: readonly ViaRecord[]): Map<string, number> {
  const segments = records.filter(({ times }) => times.length === 2);
  const counts = new Map<string, number>();
  for (const id of (segments.length > 0 ? segments : records).flatMap(({ values }) => [...values.keys()])) {
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}
