/** Which tiers of an ELAN document hold the labels, and what its other tiers say of them. */
import { DatasetError } from '../../errors.js';
import type { Moment } from '../annotations.js';
import type { ReadChoices } from '../format.js';
import type { ElanAnnotation, ElanTier } from './annotation.js';
import type { ElanDocument } from './document.js';

/** Linguistic types of documents that were written by this package. */
export const ownTypes = { labels: 'labels', comments: 'comments', attributes: 'attributes' } as const;

/** The tier's name; by ELAN's convention "moves@ann" is the tier "moves" of the participant ann. */
export function nameOf({ id, participant }: ElanTier): string {
  const suffix = `@${participant}`;
  return id.endsWith(suffix) && id.length > suffix.length ? id.slice(0, -suffix.length) : id;
}

export interface ChosenTiers {
  readonly tiers: readonly ElanTier[];
  /** For the user: tiers that are not read. */
  readonly left: readonly string[];
}

/**
 * The tiers that the user named; otherwise the only ones of one name, or all where no annotation has a value. DatasetError that lists
 * all tiers with their numbers of annotations where it is not clear.
 */
export function chosenTiers(document: ElanDocument, { tiers: named, subjects }: ReadChoices, path: string): ChosenTiers {
  const filled = document.tiers.filter(({ annotations }) => annotations.length > 0);
  const possible = ofSubjects(filled, subjects, path);
  const tiers = named === undefined ? clearTiers(possible, path) : namedTiers(possible, named, path);
  const read = new Set(tiers.flatMap((tier) => [tier, ...associated(tier, document)]));
  const left = filled.filter((tier) => !read.has(tier));
  return { tiers, left: left.length === 0 ? [] : [`tiers left out (choose with --tier): ${listed(left)}`] };
}

function ofSubjects(tiers: readonly ElanTier[], subjects: readonly string[] | undefined, path: string): readonly ElanTier[] {
  if (subjects === undefined) return tiers;
  const participants = [...new Set(tiers.map(({ participant }) => participant))].filter((each) => each !== undefined);
  const unknown = subjects.find((subject) => !participants.includes(subject));
  if (unknown === undefined)
    return tiers.filter(({ participant }) => participant !== undefined && subjects.includes(participant));
  throw new DatasetError(`no tier is of ${unknown}; its participants are ${participants.join(', ') || 'not named'}`, { path });
}

function namedTiers(tiers: readonly ElanTier[], named: readonly string[], path: string): ElanTier[] {
  const unknown = named.find((name) => !tiers.some((tier) => tier.id === name || nameOf(tier) === name));
  if (unknown !== undefined)
    throw new DatasetError(`no tier called ${unknown} has annotations; expected ${listed(tiers)}`, { path });
  return tiers.filter((tier) => named.includes(tier.id) || named.includes(nameOf(tier)));
}

function clearTiers(tiers: readonly ElanTier[], path: string): readonly ElanTier[] {
  const own = tiers.filter(({ type, parent }) => type === ownTypes.labels && parent === undefined);
  if (own.length > 0) return own;
  const outer = tiers.filter(({ parent }) => parent === undefined);
  const nameless = outer.every(({ annotations }) => annotations.every(({ value }) => value === ''));
  if (nameless || new Set(outer.map(nameOf)).size === 1) return outer;
  throw new DatasetError(`several tiers may hold the labels; choose with --tier: ${listed(tiers)}`, { path });
}

const listed = (tiers: readonly ElanTier[]): string => {
  const shown = tiers.slice(0, 30).map(({ id, annotations }) => `${id} (${annotations.length})`);
  return shown.join(', ') + (tiers.length > 30 ? ` and ${tiers.length - 30} more` : '');
};

/** Annotations whose label is the tier's name. */
export const unnamedIn = (tiers: readonly ElanTier[]): number =>
  tiers.flatMap(({ annotations }) => annotations).filter(({ value }) => value === '').length;

/** Tiers with one value for each annotation of a tier, through several levels. */
function associated(tier: ElanTier, document: ElanDocument, level = 0): ElanTier[] {
  const direct = document.children(tier).filter(({ constraint }) => constraint === 'Symbolic_Association');
  return level > 8 ? [] : direct.flatMap((child) => [child, ...associated(child, document, level + 1)]);
}

type Details = Pick<Moment, 'comment' | 'attributes'>;

/** What associated tiers say of each annotation of a tier: comments, and attributes by the name of the tier. */
export function detailsOf(tier: ElanTier, document: ElanDocument): (annotation: ElanAnnotation) => Details {
  const owners = new Map(tier.annotations.map(({ id }) => [id, id]));
  const said = new Map<string, Map<string, string>>();
  for (const child of associated(tier, document)) {
    const name = attributeName(child, tier);
    for (const { id, parent, value } of child.annotations) {
      const owner = owners.get(parent ?? '');
      if (owner === undefined) continue;
      owners.set(id, owner);
      const details = said.get(owner) ?? new Map<string, string>();
      said.set(owner, details.set(name, details.has(name) ? `${details.get(name)}, ${value}` : value));
    }
  }
  return ({ id }) => detailsFrom(said.get(id) ?? new Map());
}

/** No tier is called so: tells comments from an attribute of that name. */
const commentName = '\u0000comment';

function attributeName(child: ElanTier, tier: ElanTier): string {
  if (child.type === ownTypes.comments) return commentName;
  const suffix = `@${tier.id}`;
  return child.id.endsWith(suffix) && child.id.length > suffix.length ? child.id.slice(0, -suffix.length) : nameOf(child);
}

function detailsFrom(said: ReadonlyMap<string, string>): Details {
  const comment = said.get(commentName);
  const attributes = [...said].filter(([name]) => name !== commentName);
  return {
    ...(comment !== undefined && { comment }),
    ...(attributes.length > 0 && { attributes: Object.fromEntries(attributes) }),
  };
}
