/** Starts and stops of BORIS to moments. */
import { DatasetError } from '../errors.js';
import type { Moment } from './annotations.js';
import { counted } from './films.js';

export interface CodedEvent {
  /** As stored, offsets still in it. */
  readonly timeSec: number;
  readonly subject: string;
  readonly code: string;
  /** Sets joined by |. */
  readonly modifiers: string;
  readonly comment: string;
  readonly status: 'START' | 'STOP' | 'POINT';
  readonly where: string;
}

/** Marks events START and STOP in turn: of one subject, code and modifiers, in order of time, as BORIS itself does. */
export function withStatus(events: readonly Omit<CodedEvent, 'status'>[], isPoint: (code: string) => boolean): CodedEvent[] {
  const open = new Set<string>();
  return [...events].sort(inTime).map((event) => {
    if (isPoint(event.code)) return { ...event, status: 'POINT' };
    const key = keyOf(event);
    const started = open.delete(key);
    if (!started) open.add(key);
    return { ...event, status: started ? 'STOP' : 'START' };
  });
}

const inTime = (a: { timeSec: number }, b: { timeSec: number }): number => a.timeSec - b.timeSec;

const keyOf = ({ subject, code, modifiers }: Omit<CodedEvent, 'status'>): string => JSON.stringify([subject, code, modifiers]);

/** States that were begun or ended only, and what becomes of them. */
export class Unpaired {
  readonly #found: { readonly event: CodedEvent; readonly path: string }[] = [];

  constructor(readonly choice: 'end' | 'drop' | undefined) {}

  /** The moment that the choice makes of a lone start or stop; undefined for none. */
  take(event: CodedEvent, path: string): Moment | undefined {
    this.#found.push({ event, path });
    if (this.choice !== 'end') return undefined;
    return event.status === 'START' ? momentOf(event, undefined) : momentOf(undefined, event);
  }

  /** What was decided, for the notes. DatasetError where nothing was. */
  notes(): string[] {
    const [first] = this.#found;
    if (first === undefined) return [];
    const names = [...new Set(this.#found.map(({ event }) => nameOf(event)))].join('; ');
    const count = counted(this.#found.length, 'states');
    if (this.choice === 'drop') return [`${count} without start or end dropped: ${names}`];
    if (this.choice === 'end')
      return [`${count} without start or end taken to last from the beginning or to the end of the film: ${names}`];
    throw new DatasetError(`${count} without start or end: ${names}; expected --unpaired end (to the end of the film) or drop`, {
      path: first.path,
    });
  }
}

function nameOf({ code, subject, timeSec, status }: CodedEvent): string {
  return `${code}${subject && ` of ${subject}`} ${status === 'START' ? 'begun' : 'ended'} at ${timeSec} s`;
}

/** Moments in order of their start, with stored times. */
export function pairedEvents(events: readonly CodedEvent[], unpaired: Unpaired, path: string): Moment[] {
  const open = new Map<string, CodedEvent>();
  const moments: (Moment | undefined)[] = [];
  for (const event of [...events].sort(inTime)) {
    const key = keyOf(event);
    const start = open.get(key);
    if (event.status === 'POINT') moments.push(momentOf(event, event));
    else if (event.status === 'START') {
      if (start !== undefined) moments.push(unpaired.take(start, path));
      open.set(key, event);
    } else {
      moments.push(start === undefined ? unpaired.take(event, path) : momentOf(start, event));
      open.delete(key);
    }
  }
  for (const event of open.values()) moments.push(unpaired.take(event, path));
  return moments.filter((moment) => moment !== undefined).sort((a, b) => (a.startSec ?? 0) - (b.startSec ?? 0));
}

function momentOf(start: CodedEvent | undefined, end: CodedEvent | undefined): Moment {
  const event = (start ?? end) as CodedEvent;
  const comments = start === end ? [event.comment] : [start?.comment, end?.comment];
  return codedMoment({
    ...(start && { startSec: start.timeSec }),
    ...(end && { endSec: end.timeSec }),
    subject: event.subject,
    code: event.code,
    modifiers: event.modifiers.split('|'),
    comments,
    where: event.where,
  });
}

export interface Coded {
  readonly startSec?: number;
  readonly endSec?: number;
  readonly subject: string;
  readonly code: string;
  readonly modifiers: readonly string[];
  readonly comments: readonly (string | undefined)[];
  readonly where: string;
}

/** "modifier 1": as many as sets of modifiers. */
export const modifierName = (set: number): string => `modifier ${set}`;

/** No subject, no modifier and no comment are left out. */
export function codedMoment({ subject, code, modifiers, comments, ...rest }: Coded): Moment {
  const given = comments.filter((comment) => comment !== undefined && comment.trim() !== '');
  const chosen = modifiers.flatMap((text, i) => (/^(?:|none)$/i.test(text.trim()) ? [] : [[modifierName(i + 1), text.trim()]]));
  return {
    ...rest,
    labels: [code],
    ...(subject !== '' && { subject }),
    ...(given.length > 0 && { comment: [...new Set(given)].join('; ') }),
    ...(chosen.length > 0 && { attributes: Object.fromEntries(chosen) as Record<string, string> }),
  };
}
