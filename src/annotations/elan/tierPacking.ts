/** Spreads moments over tiers, since annotations of one tier do not overlap. */
import type { Moment } from '../annotations.js';

export interface PlacedMoment {
  readonly startMs: number;
  readonly endMs: number;
  readonly label: string;
  readonly moment: Moment;
}

export interface WrittenTier {
  readonly name: string;
  readonly subject: string | undefined;
  /** In order of time. */
  readonly moments: readonly PlacedMoment[];
}

/** One tier a subject, or one a label and subject where moments of a subject overlap; a label that overlaps itself has further tiers. */
export function packedTiers(placed: readonly PlacedMoment[]): WrittenTier[] {
  const bySubject = grouped(placed, ({ moment }) => moment.subject);
  const overlap = [...bySubject.values()].some((moments) => layersOf(moments).length > 1);
  return [...bySubject].flatMap(([subject, moments]) => {
    const byName = overlap ? grouped(moments, ({ label }) => label) : new Map([['label', moments]]);
    return [...byName].flatMap(([name, same]) => layersOf(same).map((layer) => ({ name, subject, moments: layer })));
  });
}

function grouped<Key>(placed: readonly PlacedMoment[], keyOf: (moment: PlacedMoment) => Key): Map<Key, PlacedMoment[]> {
  const groups = new Map<Key, PlacedMoment[]>();
  for (const each of placed) groups.set(keyOf(each), []);
  for (const each of placed) groups.get(keyOf(each))?.push(each);
  return groups;
}

/** Moments without overlap: each goes into the first layer whose last one has ended. */
function layersOf(placed: readonly PlacedMoment[]): PlacedMoment[][] {
  const layers: PlacedMoment[][] = [];
  for (const each of [...placed].sort((a, b) => a.startMs - b.startMs)) {
    const free = layers.find((layer) => (layer.at(-1)?.endMs ?? 0) <= each.startMs);
    if (free === undefined) layers.push([each]);
    else free.push(each);
  }
  return layers;
}
