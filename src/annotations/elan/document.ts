/** Tiers and annotations of an ELAN document, and the time of each annotation. */
import type { XmlElement } from '../xml.js';
import { type ElanAnnotation, type ElanTier, faultAt, type SpanMs } from './annotation.js';
import { TimeSlots } from './timeSlots.js';

/** Levels of tiers and references; ELAN's users have a handful. */
const maxLevels = 64;

export class ElanDocument {
  readonly tiers: readonly ElanTier[];
  readonly #slots: TimeSlots;
  readonly #annotations = new Map<string, ElanAnnotation>();
  readonly #siblings = new Map<ElanAnnotation, readonly ElanAnnotation[]>();

  constructor(root: XmlElement) {
    const types = root.all('LINGUISTIC_TYPE');
    const constraints = new Map(types.map((type) => [type.attribute('LINGUISTIC_TYPE_ID'), type.attribute('CONSTRAINTS')]));
    this.tiers = root.all('TIER').map((tier) => tierOf(tier, constraints));
    this.#slots = new TimeSlots(root, this.#parentsFirst());
    for (const annotation of this.tiers.flatMap(({ annotations }) => annotations)) {
      if (this.#annotations.has(annotation.id)) faultAt(annotation, 'is there twice');
      this.#annotations.set(annotation.id, annotation);
    }
    for (const tier of this.tiers)
      for (const group of subdivisions(tier)) for (const each of group) this.#siblings.set(each, group);
  }

  children(tier: ElanTier): ElanTier[] {
    return this.tiers.filter(({ parent }) => parent === tier.id);
  }

  /** DatasetError for a time that cannot be known, an unknown parent or a circle of parents. */
  span(annotation: ElanAnnotation, level = 0): SpanMs {
    if (level > maxLevels) faultAt(annotation, 'refers to itself, or through too many levels');
    if (annotation.slots !== undefined) return this.#slots.span(annotation, annotation.slots);
    const parent = this.#annotations.get(annotation.parent ?? '');
    if (parent === undefined) return faultAt(annotation, `refers to ${annotation.parent}, which is not there`);
    return this.#share(annotation, this.span(parent, level + 1));
  }

  /** An associated value has its parent's time; the parts of a subdivision share it evenly. */
  #share(annotation: ElanAnnotation, { startMs, endMs }: SpanMs): SpanMs {
    const siblings = this.#siblings.get(annotation) ?? [annotation];
    const part = (endMs - startMs) / siblings.length;
    const i = siblings.indexOf(annotation);
    return { startMs: startMs + i * part, endMs: i === siblings.length - 1 ? endMs : startMs + (i + 1) * part };
  }

  #parentsFirst(): ElanTier[] {
    const byId = new Map(this.tiers.map((tier) => [tier.id, tier]));
    const levelOf = (tier: ElanTier, level = 0): number => {
      const parent = level > maxLevels ? undefined : byId.get(tier.parent ?? '');
      return parent === undefined ? level : levelOf(parent, level + 1);
    };
    const levels = this.tiers.map((tier) => ({ tier, level: levelOf(tier) }));
    return levels.sort((a, b) => a.level - b.level).map(({ tier }) => tier);
  }
}

/** Annotations of one parent, in the order of PREVIOUS_ANNOTATION. */
function subdivisions({ annotations, constraint }: ElanTier): ElanAnnotation[][] {
  if (constraint === 'Symbolic_Association') return [];
  const byParent = new Map<string, ElanAnnotation[]>();
  for (const annotation of annotations) {
    if (annotation.parent === undefined) continue;
    const group = byParent.get(annotation.parent);
    if (group === undefined) byParent.set(annotation.parent, [annotation]);
    else group.push(annotation);
  }
  return [...byParent.values()].map(inOrder);
}

function inOrder(siblings: readonly ElanAnnotation[]): ElanAnnotation[] {
  const ids = new Set(siblings.map(({ id }) => id));
  const after = new Map(siblings.map((each) => [each.previous, each]));
  const ordered = new Set<ElanAnnotation>();
  let next = siblings.find(({ previous }) => previous === undefined || !ids.has(previous));
  while (next !== undefined && !ordered.has(next)) {
    ordered.add(next);
    next = after.get(next.id);
  }
  const lost = siblings.find((each) => !ordered.has(each));
  if (lost !== undefined) faultAt(lost, 'is in no order: PREVIOUS_ANNOTATION of it and its siblings makes no chain');
  return [...ordered];
}

function tierOf(tier: XmlElement, constraints: ReadonlyMap<string | undefined, string | undefined>): ElanTier {
  const type = tier.attribute('LINGUISTIC_TYPE_REF') ?? '';
  return {
    id: tier.required('TIER_ID'),
    type,
    participant: tier.attribute('PARTICIPANT') || undefined,
    parent: tier.attribute('PARENT_REF'),
    constraint: constraints.get(type)?.replaceAll(' ', '_'),
    annotations: tier.all('ANNOTATION').flatMap(({ children }) => children.map(annotationOf)),
  };
}

function annotationOf(element: XmlElement): ElanAnnotation {
  const common = {
    id: element.required('ANNOTATION_ID'),
    value: element.first('ANNOTATION_VALUE')?.text.trim() ?? '',
    where: element.where,
  };
  if (element.name === 'ALIGNABLE_ANNOTATION') {
    return { ...common, slots: [element.required('TIME_SLOT_REF1'), element.required('TIME_SLOT_REF2')] };
  }
  if (element.name !== 'REF_ANNOTATION') element.fail('is no annotation; expected ALIGNABLE_ANNOTATION or REF_ANNOTATION');
  const previous = element.attribute('PREVIOUS_ANNOTATION');
  return { ...common, parent: element.required('ANNOTATION_REF'), ...(previous !== undefined && { previous }) };
}
