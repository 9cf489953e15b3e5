/** Splits and parts that keep groups whole, with each class spread as evenly as that allows. Seeded. */
import { Rng } from '../rng.js';
import type { Groups } from './groups.js';
import type { Split } from './labelledVideos.js';
import type { SplitShares } from './split.js';

/** Orders tried; the best by classes covered, then by distance from the shares. */
const tries = 64;

/** The class of each sample, or its classes where it has several at once. */
type LabelSets = readonly (string | readonly string[])[];

/** [groups][classes] samples. */
type Counts = readonly Float64Array[];

/**
 * A split for every sample. Undefined where a part that was asked for would stay empty, since the rest must keep each of its classes; of two
 * groups, validation goes without.
 */
export function splitByGroup(labels: LabelSets, groups: Groups, shares: SplitShares, seed: number): Split[] | undefined {
  const counts = countsOf(labels, groups);
  const rng = new Rng([seed, 'split', 'groups']);
  let best: Attempt | undefined;
  for (let i = 0; i < tries; i++) {
    const attempt = tryOrder(counts, rng.fork(i).shuffle([...counts.keys()]), shares);
    if (best === undefined || attempt.cost < best.cost) best = attempt;
  }
  if (best === undefined || lacks(best.sides, groups, shares)) return undefined;
  return Array.from(groups.of, (group) => best.sides[group] ?? 'train');
}

function lacks(sides: readonly Split[], { count }: Groups, { val, test }: SplitShares): boolean {
  const isEmpty = (split: Split) => !sides.includes(split);
  return (test > 0 && isEmpty('test')) || (val > 0 && isEmpty('val') && (test === 0 || count > 2));
}

/** Parts of about equal size, as `count` sets of groups: the part of each sample, from 0. */
export function partsByGroup(labels: LabelSets, groups: Groups, count: number, seed: number): number[] {
  const counts = countsOf(labels, groups);
  const size = (group: number) => sum(counts[group] as Float64Array);
  const order = new Rng([seed, 'folds', 'groups']).shuffle([...counts.keys()]).sort((a, b) => size(b) - size(a));
  const held = Array.from({ length: count }, () => new Float64Array(counts[0]?.length ?? 0));
  const partOf = new Map<number, number>();
  order.forEach((group, i) => {
    const own = counts[group] as Float64Array;
    // The first groups open a part each, so that none stays empty.
    const part = i < count ? i : leastBy(held, (there) => sum(own.map((n, k) => n * (2 * (there[k] as number) + n))));
    held[part]?.forEach((n, k, there) => {
      there[k] = n + (own[k] as number);
    });
    partOf.set(group, part);
  });
  return Array.from(groups.of, (group) => partOf.get(group) ?? 0);
}

function countsOf(labels: LabelSets, groups: Groups): Counts {
  const places = new Map([...new Set(labels.flat())].sort().map((label, i) => [label, i]));
  const counts = Array.from({ length: groups.count }, () => new Float64Array(places.size));
  labels.forEach((set, i) => {
    const row = counts[groups.of[i] as number] as Float64Array;
    for (const label of [set].flat()) {
      const place = places.get(label) as number;
      row[place] = (row[place] as number) + 1;
    }
  });
  return counts;
}

interface Attempt {
  readonly sides: readonly Split[];
  readonly cost: number;
}

function tryOrder(counts: Counts, order: readonly number[], shares: SplitShares): Attempt {
  const sides: Split[] = counts.map(() => 'train');
  const total = totalOf(counts);
  const left = Float64Array.from(total);
  let cost = 0;
  for (const split of ['test', 'val'] as const) {
    if (shares[split] === 0) continue;
    const wanted = total.map((n) => n * shares[split]);
    const held = new Float64Array(total.length);
    const isFree = (group: number) => sides[group] === 'train' && canLeave(left, counts[group] as Float64Array);
    const move = (group: number) => {
      sides[group] = split;
      counts[group]?.forEach((n, k) => {
        held[k] = (held[k] as number) + n;
        left[k] = (left[k] as number) - n;
      });
    };
    for (const group of order) {
      if (isFree(group) && distance(added(held, counts[group] as Float64Array), wanted) < distance(held, wanted)) move(group);
    }
    const candidates = order.filter(isFree);
    if (held.every((n) => n === 0) && candidates.length > 0)
      move(candidates[leastBy(candidates, (group) => distance(counts[group] as Float64Array, wanted))] as number);
    cost += 1000 * held.filter((n) => n === 0).length + distance(held, wanted);
  }
  return { sides, cost };
}

/** Training keeps at least one of each class. */
const canLeave = (left: Float64Array, own: Float64Array): boolean => own.every((n, k) => n === 0 || (left[k] as number) > n);

const added = (a: Float64Array, b: Float64Array): Float64Array => a.map((n, k) => n + (b[k] as number));

/** Squared, in shares of what is wanted of each class. */
const distance = (held: Float64Array, wanted: Float64Array): number =>
  sum(held.map((n, k) => ((n - (wanted[k] as number)) / (wanted[k] as number)) ** 2));

const totalOf = (counts: Counts): Float64Array => counts.reduce(added, new Float64Array(counts[0]?.length ?? 0));

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);

function leastBy<T>(items: readonly T[], cost: (item: T) => number): number {
  const costs = items.map(cost);
  return costs.indexOf(Math.min(...costs));
}
