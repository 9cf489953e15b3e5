/**
 * Scores of overlapping windows -> bouts: stretches in which something is done, with nothing between them. Hysteresis as in Canny's
 * edges: a bout is where a label's score stays above `off` and at least once reaches `on`.
 */
import { ConfigError } from '../errors.js';
import { checkedWindow, type Segment, type WindowScores } from './timeline.js';

export interface BoutOptions {
  /** A moment's score is the mean of the windows whose middle is at most half of this away; 0 for the nearest alone. */
  readonly smoothSec: number;
  /** Score that a bout reaches at least once, and score below which it ends; off <= on. */
  readonly on: number;
  readonly off: number;
  /** Shorter bouts are dropped. */
  readonly minDurationSec: number;
  /** Two bouts of a label with nothing else between them become one when at most this lies between. */
  readonly bridgeSec: number;
}

/** A stretch of time, seconds. */
export type Interval = readonly [fromSec: number, toSec: number];

export interface Bout extends Segment {
  /** Where the score crosses from `off` to `on` and back, at least from one window to the next: the edges lie in their middles. */
  readonly startsIn: Interval;
  readonly endsIn: Interval;
}

export interface BoutLabels {
  readonly labels: readonly string[];
  /** The class that means that nothing is done. */
  readonly background?: string | undefined;
  /** Labels are independent, several may be true at once; otherwise at any moment only the best one. */
  readonly many?: boolean;
  /** Score from which each label holds, instead of `on`; `off` keeps its share of `on`. */
  readonly thresholds?: readonly number[] | undefined;
}

/**
 * Bouts in order of their start. Where several labels hold at once their bouts overlap, otherwise they do not. A bout never
 * reaches over a stretch that no window sees. Throws ConfigError for windows without length, scores that are not numbers or
 * options that contradict each other.
 */
export function boutsOf(windows: readonly WindowScores[], what: BoutLabels, options: BoutOptions): Bout[] {
  checkBoutOptions(options);
  const checked = windows.map((window) => checkedWindow(window, what.labels));
  const found = groupsOf(checked).flatMap((group) => boutsIn(track(group, what.labels.length, options.smoothSec), what, options));
  const apart = what.many ? found : disjoint(found);
  const whole = bridged(bridged(apart, what, options).filter(isLong(options)), what, options);
  return inOrder(whole).map(({ seconds: _, sum: __, ...bout }) => bout);
}

export function checkBoutOptions({ smoothSec, on, off, minDurationSec, bridgeSec }: BoutOptions): void {
  for (const [name, sec] of Object.entries({ smoothSec, minDurationSec, bridgeSec })) {
    if (!(sec >= 0 && Number.isFinite(sec))) throw new ConfigError(`${name}: expected seconds from 0, got ${sec}`);
  }
  if (!(on > 0 && on <= 1 && off > 0 && off <= on)) {
    throw new ConfigError(`bouts: expected scores with 0 < off <= on <= 1, got off ${off} and on ${on}`);
  }
}

/** Smoothed scores [moments][classes] at the middles of windows that touch. */
interface Track {
  readonly startSec: number;
  readonly endSec: number;
  readonly middles: readonly number[];
  readonly scores: readonly Float64Array[];
}

interface Building extends Bout {
  /** Over the moments inside: their number and the sum of the label's scores. */
  readonly seconds: number;
  readonly sum: number;
}

/** Windows by their middle, cut where no window looks. */
function groupsOf(windows: readonly WindowScores[]): WindowScores[][] {
  const groups: WindowScores[][] = [];
  let untilSec = Number.NEGATIVE_INFINITY;
  for (const window of [...windows].sort((a, b) => middleOf(a) - middleOf(b))) {
    if (window.startSec > untilSec) groups.push([]);
    groups.at(-1)?.push(window);
    untilSec = Math.max(untilSec, window.endSec);
  }
  return groups;
}

const middleOf = ({ startSec, endSec }: WindowScores): number => (startSec + endSec) / 2;

/** Sums run along with the moments, so that the work does not grow with `smoothSec`. */
function track(group: readonly WindowScores[], classes: number, smoothSec: number): Track {
  const middles = group.map(middleOf);
  const sums = new Float64Array(classes);
  const add = (i: number, sign: 1 | -1) => {
    for (let k = 0; k < classes; k++) sums[k] = (sums[k] ?? 0) + sign * (group[i]?.scores[k] ?? 0);
  };
  let [from, to] = [0, 0];
  const reach = smoothSec / 2 + 1e-6;
  const scores = middles.map((middle) => {
    for (; to < middles.length && (middles[to] ?? 0) <= middle + reach; to++) add(to, 1);
    for (; (middles[from] ?? 0) < middle - reach; from++) add(from, -1);
    return sums.map((sum) => sum / (to - from));
  });
  const startSec = group[0]?.startSec ?? 0;
  return { startSec, endSec: group.at(-1)?.endSec ?? 0, middles, scores };
}

function boutsIn(moments: Track, what: BoutLabels, options: BoutOptions): Building[] {
  const { labels, background, many = false, thresholds } = what;
  const winners = many ? undefined : moments.scores.map((scores) => best(scores, labels.indexOf(background ?? '')));
  return labels.flatMap((label, labelIndex) => {
    if (label === background) return [];
    const on = thresholds?.[labelIndex] ?? options.on;
    const levels = { on, off: (on * options.off) / options.on };
    return runsOf(moments, labelIndex, levels, winners).map((run) =>
      boutOf(moments, run, { label, labelIndex }, levels, winners),
    );
  });
}

/** The best label but for the background. */
function best(scores: Float64Array, background: number): number {
  let top = background === 0 ? 1 : 0;
  for (let k = 0; k < scores.length; k++) if (k !== background && (scores[k] ?? 0) > (scores[top] ?? 0)) top = k;
  return top;
}

interface Levels {
  readonly on: number;
  readonly off: number;
}

/** First and last moment of each run. */
type Run = readonly [first: number, last: number];

function runsOf({ scores }: Track, labelIndex: number, { on, off }: Levels, winners: readonly number[] | undefined): Run[] {
  const runs: Run[] = [];
  let [first, reached] = [-1, false];
  for (let i = 0; i <= scores.length; i++) {
    const score = scores[i]?.[labelIndex] ?? 0;
    const holds = score >= off && (winners === undefined || winners[i] === labelIndex);
    if (holds && first < 0) first = i;
    if (holds) reached ||= score >= on;
    if (holds || first < 0) continue;
    if (reached) runs.push([first, i - 1]);
    [first, reached] = [-1, false];
  }
  return runs;
}

function boutOf(
  { startSec, endSec, middles, scores }: Track,
  [first, last]: Run,
  { label, labelIndex }: Pick<Segment, 'label' | 'labelIndex'>,
  { on, off }: Levels,
  winners: readonly number[] | undefined,
): Building {
  const at = (i: number) => scores[i]?.[labelIndex] ?? 0;
  /** Where the score falls to a level from moment `inside` to the next one outside. */
  const crossing = (level: number, inside: number, outside: number): number => {
    const [from, to] = [middles[inside] as number, middles[outside]];
    if (to === undefined) return outside < 0 ? startSec : endSec;
    const lost = winners?.[outside] !== undefined && winners[outside] !== labelIndex ? lead(inside, outside) : 1;
    const share = at(outside) < level ? (at(inside) - level) / (at(inside) - at(outside)) : 1;
    return from + (to - from) * Math.min(Math.max(share, 0), lost);
  };
  /** Where the label that is best outside takes over. */
  const lead = (inside: number, outside: number): number => {
    const rival = winners?.[outside] ?? labelIndex;
    const [ahead, behind] = [at(inside) - (scores[inside]?.[rival] ?? 0), (scores[outside]?.[rival] ?? 0) - at(outside)];
    return ahead + behind > 0 ? ahead / (ahead + behind) : 0.5;
  };
  let [core, coreEnd] = [first, last];
  while (core < last && at(core) < on) core++;
  while (coreEnd > first && at(coreEnd) < on) coreEnd--;
  /** Between two windows nothing was seen, so no edge is known better than that. */
  const doubt = ([from, to]: Interval, inside: number, outside: number): Interval => {
    const stepSec = Math.abs((middles[outside] ?? middles[inside] ?? 0) - (middles[inside] ?? 0));
    const wider = Math.max(0, stepSec - (to - from)) / 2;
    return [from - wider, to + wider];
  };
  const startsIn = doubt([crossing(off, first, first - 1), crossing(on, core, core - 1)], first, first - 1);
  const endsIn = doubt([crossing(on, coreEnd, coreEnd + 1), crossing(off, last, last + 1)], last, last + 1);
  let sum = 0;
  for (let i = first; i <= last; i++) sum += at(i);
  const count = last - first + 1;
  const [from, to] = [middle(startsIn), middle(endsIn)];
  return { startSec: from, endSec: to, label, labelIndex, score: sum / count, startsIn, endsIn, seconds: count, sum };
}

const middle = ([from, to]: Interval): number => (from + to) / 2;

const inOrder = <Each extends Segment>(bouts: readonly Each[]): Each[] =>
  [...bouts].sort((a, b) => a.startSec - b.startSec || a.labelIndex - b.labelIndex);

/** Neighbours that reach into each other, by less than from one window to the next, meet in the middle. */
function disjoint(bouts: readonly Building[]): Building[] {
  const out: Building[] = [];
  for (const bout of inOrder(bouts)) {
    const before = out.at(-1);
    const meetSec = before && before.endSec > bout.startSec ? (before.endSec + bout.startSec) / 2 : undefined;
    if (before && meetSec !== undefined) out[out.length - 1] = { ...before, endSec: meetSec };
    out.push(meetSec === undefined ? bout : { ...bout, startSec: meetSec });
  }
  return out.filter(({ startSec, endSec }) => endSec > startSec);
}

/** Joins bouts of a label that are near each other; where one label holds at a time, only if no other is between. */
function bridged(bouts: readonly Building[], { many }: BoutLabels, { bridgeSec }: BoutOptions): Building[] {
  const out: Building[] = [];
  const lastOf = new Map<number, number>();
  for (const bout of inOrder(bouts)) {
    const place = many ? lastOf.get(bout.labelIndex) : out.length - 1;
    const before = out[place ?? -1];
    if (place !== undefined && before?.labelIndex === bout.labelIndex && bout.startSec - before.endSec <= bridgeSec) {
      out[place] = joined(before, bout);
    } else lastOf.set(bout.labelIndex, out.push(bout) - 1);
  }
  return out;
}

function joined(a: Building, b: Building): Building {
  const [seconds, sum] = [a.seconds + b.seconds, a.sum + b.sum];
  return { ...a, endSec: b.endSec, endsIn: b.endsIn, score: sum / seconds, seconds, sum };
}

const isLong =
  ({ minDurationSec }: BoutOptions) =>
  ({ startSec, endSec }: Segment): boolean =>
    endSec - startSec >= minDurationSec - 1e-9;
