/** Time slots of an ELAN document; those without time lie evenly between the timed ones around them, as ELAN shows them. */
import type { XmlElement } from '../xml.js';
import type { ElanAnnotation, ElanTier, SpanMs } from './annotation.js';
import { faultAt } from './annotation.js';

export class TimeSlots {
  readonly #times = new Map<string, number | undefined>();

  /** Tiers with parents before children, whose outer slots are their parents'. */
  constructor(root: XmlElement, tiers: readonly ElanTier[]) {
    for (const slot of root.first('TIME_ORDER')?.all('TIME_SLOT') ?? []) {
      this.#times.set(slot.required('TIME_SLOT_ID'), timeOf(slot));
    }
    for (const tier of tiers) this.#spread(tier);
  }

  /** DatasetError for a slot that is not there or cannot have a time, and for an end before the start. */
  span(annotation: ElanAnnotation, [first, last]: readonly [string, string]): SpanMs {
    const [startMs, endMs] = [this.#time(first, annotation), this.#time(last, annotation)];
    if (endMs < startMs) faultAt(annotation, `ends at ${endMs} ms, before it starts at ${startMs} ms`);
    return { startMs, endMs };
  }

  #time(slot: string, annotation: ElanAnnotation): number {
    if (!this.#times.has(slot)) faultAt(annotation, `refers to the time slot ${slot}, which is not there`);
    return (
      this.#times.get(slot) ??
      faultAt(annotation, `begins or ends at the time slot ${slot}, which has no time and no neighbours with one`)
    );
  }

  /** Along chains in which an annotation's end slot is the next one's start slot. */
  #spread({ annotations }: ElanTier): void {
    const pairs = annotations.flatMap(({ slots }) => (slots === undefined ? [] : [slots]));
    const next = new Map(pairs);
    const starts = pairs.map(([first]) => first).filter((slot) => this.#times.get(slot) !== undefined);
    for (const start of new Set(starts)) this.#spreadFrom(start, next);
  }

  #spreadFrom(start: string, next: ReadonlyMap<string, string>): void {
    const between = new Set<string>();
    let slot = next.get(start);
    while (slot !== undefined && this.#times.has(slot) && this.#times.get(slot) === undefined && !between.has(slot)) {
      between.add(slot);
      slot = next.get(slot);
    }
    const [from, to] = [this.#times.get(start), slot === undefined ? undefined : this.#times.get(slot)];
    if (from === undefined || to === undefined) return;
    const step = (to - from) / (between.size + 1);
    [...between].forEach((each, i) => {
      this.#times.set(each, from + step * (i + 1));
    });
  }
}

function timeOf(slot: XmlElement): number | undefined {
  const text = slot.attribute('TIME_VALUE');
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,15}(?:\.\d+)?$/.test(text)) slot.fail(`has TIME_VALUE="${text}", expected milliseconds`);
  return Number(text);
}
