/** Writes EAF 3.0: tiers by subject, and by label where labels overlap; comments and attributes on tiers associated with them. */
import type { AnnotatedFilm, Annotations, Moment } from '../annotations.js';
import type { Written } from '../format.js';
import { filePerFilm } from '../perFilm.js';
import { Tally } from '../reduce.js';
import { escapeXml, isXmlText } from '../xmlText.js';
import { ownTypes } from './labelTiers.js';
import { type PlacedMoment, packedTiers, type WrittenTier } from './tierPacking.js';

export function writeElan(annotations: Annotations): Written {
  const tally = new Tally();
  const files = filePerFilm(annotations, '.eaf', (film) => documentOf(film, tally));
  return { files, losses: tally.losses() };
}

function documentOf({ film, moments }: AnnotatedFilm, tally: Tally): string {
  const placed = moments.flatMap((moment) => placedMoments(cleaned(moment, tally), tally));
  const tiers = packedTiers(placed);
  const ids = new Ids();
  const body = tiers.map((tier) => tierXml(tier, ids, tally));
  const root = [
    ...[`AUTHOR=""`, `DATE="${new Date().toISOString()}"`, 'FORMAT="3.0"', 'VERSION="3.0"'],
    ...[
      'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"',
      'xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd"',
    ],
  ];
  return `${[
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<ANNOTATION_DOCUMENT ${root.join(' ')}>`,
    ` <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">${mediaXml(cleanText(film, tally))}</HEADER>`,
    ' <TIME_ORDER>',
    ...ids.slots(),
    ' </TIME_ORDER>',
    ...body.flat(),
    ...typesXml,
    '</ANNOTATION_DOCUMENT>',
  ].join('\n')}\n`;
}

const typesXml = [
  ` <LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="${ownTypes.labels}" TIME_ALIGNABLE="true"/>`,
  ...[ownTypes.comments, ownTypes.attributes].map(
    (id) =>
      ` <LINGUISTIC_TYPE CONSTRAINTS="Symbolic_Association" GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="${id}" TIME_ALIGNABLE="false"/>`,
  ),
  ' <CONSTRAINT DESCRIPTION="1-1 association with a parent annotation" STEREOTYPE="Symbolic_Association"/>',
];

/** Absolute paths become the addresses that ELAN writes, other names stay what they are. */
function mediaXml(film: string): string {
  const absolute = /^(?:[a-z]:[/\\]|\/)/i.test(film);
  const address = absolute ? `file:///${encodeURI(film.replaceAll('\\', '/').replace(/^\//, '')).replaceAll('#', '%23')}` : film;
  const relative = absolute || /^[a-z]+:/i.test(film) ? '' : ` RELATIVE_MEDIA_URL="${escapeXml(`./${film}`)}"`;
  return `<MEDIA_DESCRIPTOR MEDIA_URL="${escapeXml(address)}" MIME_TYPE="video/mp4"${relative}/>`;
}

/** One for each label, in whole milliseconds and at least one long. */
function placedMoments(moment: Moment, tally: Tally): PlacedMoment[] {
  const startMs = Math.round((moment.startSec ?? 0) * 1000);
  const endMs = Math.round((moment.endSec ?? 0) * 1000);
  if (endMs <= startMs) tally.add('moments shorter than a millisecond, now one long', false, moment.labels.length);
  return moment.labels.map((label) => ({ startMs, endMs: Math.max(endMs, startMs + 1), label, moment }));
}

function cleanText(text: string, tally: Tally): string {
  if (isXmlText(text)) return text;
  tally.add('texts with characters that XML forbids, now \uFFFD');
  return [...text].map((character) => (isXmlText(character) ? character : '\uFFFD')).join('');
}

function cleaned(moment: Moment, tally: Tally): Moment {
  const clean = (text: string) => cleanText(text, tally);
  const { subject, comment, attributes } = moment;
  return {
    ...moment,
    labels: moment.labels.map(clean),
    ...(subject !== undefined && { subject: clean(subject) }),
    ...(comment !== undefined && { comment: clean(comment) }),
    ...(attributes !== undefined && {
      attributes: Object.fromEntries(Object.entries(attributes).map(([name, text]) => [clean(name), clean(text)])),
    }),
  };
}

/** Ids of annotations, of tiers, and of time slots in order of time. */
class Ids {
  readonly #times: number[] = [];
  readonly #tiers = new Set<string>();
  #annotations = 0;

  annotation(): string {
    this.#annotations += 1;
    return `a${this.#annotations}`;
  }

  /** Slots get their final number only when all are known: see `slots`. */
  slot(timeMs: number): string {
    this.#times.push(timeMs);
    return `ts${this.#times.length}`;
  }

  tier(id: string): string {
    let free = id;
    for (let i = 2; this.#tiers.has(free); i++) free = `${id}#${i}`;
    this.#tiers.add(free);
    return free;
  }

  isTaken(id: string): boolean {
    return this.#tiers.has(id);
  }

  slots(): string[] {
    const slots = this.#times.map((timeMs, i) => ({ timeMs, id: `ts${i + 1}` })).sort((a, b) => a.timeMs - b.timeMs);
    return slots.map(({ timeMs, id }) => `  <TIME_SLOT TIME_SLOT_ID="${id}" TIME_VALUE="${timeMs}"/>`);
  }
}

function tierXml({ name, subject, moments }: WrittenTier, ids: Ids, tally: Tally): string[] {
  const id = ids.tier(subject === undefined ? name : `${name}@${subject}`);
  const participant = subject === undefined ? '' : ` PARTICIPANT="${escapeXml(subject)}"`;
  const placed = moments.map((each) => ({ ...each, id: ids.annotation() }));
  const annotations = placed.map(({ id: annotation, startMs, endMs, label }) => {
    const slots = `TIME_SLOT_REF1="${ids.slot(startMs)}" TIME_SLOT_REF2="${ids.slot(endMs)}"`;
    return annotationXml(`ALIGNABLE_ANNOTATION ANNOTATION_ID="${annotation}" ${slots}`, label);
  });
  const open = ` <TIER LINGUISTIC_TYPE_REF="${ownTypes.labels}"${participant} TIER_ID="${escapeXml(id)}">`;
  return [open, ...annotations, ' </TIER>', ...detailTiers(id, participant, placed, ids, tally)];
}

const annotationXml = (tag: string, value: string): string => {
  const [name] = tag.split(' ');
  return `  <ANNOTATION><${tag}><ANNOTATION_VALUE>${escapeXml(value)}</ANNOTATION_VALUE></${name}></ANNOTATION>`;
};

type Placed = PlacedMoment & { readonly id: string };

function detailTiers(parent: string, participant: string, placed: readonly Placed[], ids: Ids, tally: Tally): string[] {
  const names = new Set(placed.flatMap(({ moment }) => Object.keys(moment.attributes ?? {})));
  const attributes = [...names].map((name) => {
    const attribute = ({ attributes: said }: Moment) =>
      said !== undefined && Object.hasOwn(said, name) ? said[name] : undefined;
    return { name, type: ownTypes.attributes, of: attribute };
  });
  const tiers = [...attributes, { name: 'comment', type: ownTypes.comments, of: ({ comment }: Moment) => comment }];
  return tiers.flatMap(({ name, type, of }) => {
    const said = placed.flatMap(({ id, moment }) => {
      const text = of(moment);
      return text === undefined ? [] : [{ id, text }];
    });
    if (said.length === 0) return [];
    const id = `${name}@${parent}`;
    if (type === ownTypes.attributes && ids.isTaken(id)) {
      tally.add('attributes whose tier would have the name of another', false, said.length);
      return [];
    }
    const open = ` <TIER LINGUISTIC_TYPE_REF="${type}" PARENT_REF="${escapeXml(parent)}"${participant} TIER_ID="${escapeXml(ids.tier(id))}">`;
    const refs = said.map(({ id: ref, text }) => {
      return annotationXml(`REF_ANNOTATION ANNOTATION_ID="${ids.annotation()}" ANNOTATION_REF="${ref}"`, text);
    });
    return [open, ...refs, ' </TIER>'];
  });
}
