/** What a format cannot hold, counted and taken out before it is written. */
import type { AnnotatedFilm, Annotations, Moment } from './annotations.js';
import { counted, isPoint } from './films.js';
import type { Holds, Loss, WriteChoices } from './format.js';

export interface Reduced {
  readonly annotations: Annotations;
  readonly losses: readonly Loss[];
}

/** The annotations without what `holds` denies, so that a writer meets only what it can write, and what that was. */
export function reduceTo(holds: Holds, annotations: Annotations, { aroundSec }: WriteChoices): Reduced {
  const tally = new Tally();
  const films = annotations.films.map((film) => {
    const moments = film.moments.flatMap((moment) => {
      const placed = placedMoment(moment, film, { holds, aroundSec, tally });
      return placed === undefined ? [] : [plainMoment(placed, holds, tally)];
    });
    return { ...plainFilm(film, holds, tally), moments };
  });
  return { annotations: { ...annotations, films }, losses: tally.losses() };
}

/** Counts by kind, in the order of first use. */
export class Tally {
  readonly #counts = new Map<string, Loss>();

  add(what: string, moments = false, count = 1): void {
    const before = this.#counts.get(what)?.count ?? 0;
    this.#counts.set(what, { count: before + count, what, moments });
  }

  losses(): Loss[] {
    return [...this.#counts.values()];
  }
}

interface Placing {
  readonly holds: Holds;
  readonly aroundSec: number | undefined;
  readonly tally: Tally;
}

/** The moment with the start, end and width that the format asks for; undefined where it has none. */
function placedMoment(moment: Moment, { durationSec }: AnnotatedFilm, { holds, aroundSec, tally }: Placing): Moment | undefined {
  const { startSec, endSec } = moment;
  if (!holds.open && (startSec === undefined || endSec === undefined)) {
    if (endSec === undefined && durationSec === undefined) {
      tally.add('moments without end', true);
      return undefined;
    }
    const whole = { startSec: startSec ?? 0, endSec: endSec ?? (durationSec as number) };
    if (endSec !== undefined || whole.endSec > whole.startSec) return { ...moment, ...whole };
    tally.add('moments from beyond the stated end of their film', true);
    return undefined;
  }
  if (holds.points || !isPoint(moment)) return moment;
  if (aroundSec === undefined) {
    tally.add('points', true);
    return undefined;
  }
  const at = startSec as number;
  return { ...moment, startSec: micros(Math.max(0, at - aroundSec / 2)), endSec: micros(at + aroundSec / 2) };
}

/** Without the rounding errors of sums. */
const micros = (sec: number): number => Math.round(sec * 1e6) / 1e6;

function plainMoment(moment: Moment, holds: Holds, tally: Tally): Moment {
  const { subject, comment, attributes, score, ...rest } = moment;
  const keep = <T>(value: T | undefined, held: boolean, what: string): value is T => {
    if (value !== undefined && !held) tally.add(what);
    return value !== undefined && held;
  };
  return {
    ...rest,
    ...(keep(subject, holds.subject, 'subjects') && { subject }),
    ...(keep(comment, holds.comment, 'comments') && { comment }),
    ...(keep(attributes, holds.attributes, 'moments with attributes') && { attributes }),
    ...(keep(score, holds.score, 'scores') && { score }),
  };
}

function plainFilm(film: AnnotatedFilm, holds: Holds, tally: Tally): AnnotatedFilm {
  const { split, complete, ...rest } = film;
  if (split !== undefined && !holds.split) tally.add('films with a split');
  if (complete !== undefined && !holds.background) tally.add('films with complete stretches');
  return { ...rest, ...(holds.split && split && { split }), ...(holds.background && complete && { complete }) };
}

/** "12 points and 3 subjects cannot be held by WebVTT"; undefined where nothing is lost. */
export function describeLosses(losses: readonly Loss[], title: string): string | undefined {
  if (losses.length === 0) return undefined;
  const wholeFirst = [...losses].sort((a, b) => Number(b.moments) - Number(a.moments));
  const parts = wholeFirst.map(({ count, what, moments }) => counted(count, what) + (moments ? ' (left out whole)' : ''));
  return `${parts.join(', ')} cannot be held by ${title}`;
}
