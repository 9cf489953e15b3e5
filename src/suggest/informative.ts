/**
 * Which clips to label next: those whose labels would teach most. A clip is worth the doubt of all clips like it that no label or
 * earlier choice covers yet: submodular coverage weighted by uncertainty (Wei, Iyer and Bilmes 2015, "Submodularity in data subset
 * selection and active learning"). Doubt alone chooses twins, and coverage alone what is known already.
 */
import { RowSpace } from '../train/linearProbe/rowSpace.js';
import { standardiseRows } from '../train/linearProbe/standardise.js';

export interface Candidates {
  /** [N, D] */
  readonly features: Float32Array;
  /** [N][K] probabilities, of one label or of several at once. */
  readonly scores: readonly ArrayLike<number>[];
  /** Whether several labels can be true at once. */
  readonly many?: boolean | undefined;
  /** [M, D] of clips that have labels. */
  readonly labelled?: Float32Array | undefined;
  /** Widths of blocks of features of one scale; absent: one block. */
  readonly blocks?: readonly number[] | undefined;
}

export interface Suggestion {
  /** Of the candidates. */
  readonly index: number;
  /** 0: sure; 1: could be either. */
  readonly uncertainty: number;
}

/** So many of the most uncertain candidates are compared with each other: cost grows as the square. */
const mostCompared = 2000;
/** Directions of features that are compared. */
const mostDirections = 256;
/**
 * Reach of likeness, as a share of the median squared distance, and power of the uncertainty. Of 0.1, 0.25 and 0.5, and of powers 1 and
 * 2, these took the fewest labels on two sets of clips (linear probe on frozen features, 6 draws).
 */
const reachShare = 0.25;
const doubtPower = 2;

/** The first `count` candidates to label, the most valuable first. */
export function informative(candidates: Candidates, count: number): Suggestion[] {
  if (candidates.scores.length === 0) return [];
  const doubts = candidates.scores.map((scores) => uncertaintyOf(scores, candidates.many ?? false));
  const compared = [...doubts.keys()]
    .sort((a, b) => (doubts[b] as number) - (doubts[a] as number) || a - b)
    .slice(0, mostCompared);
  const likeness = likenessOf(candidates, compared);
  const covered = Float64Array.from(compared, (_, i) => likeness.known(i));
  const left = new Set(compared.keys());
  const chosen: Suggestion[] = [];
  while (chosen.length < count && left.size > 0) {
    const next = best([...left], (i) => gain(i, likeness, covered, doubts, compared));
    left.delete(next);
    covered.forEach((value, j) => {
      covered[j] = Math.max(value, likeness.between(next, j));
    });
    const index = compared[next] as number;
    chosen.push({ index, uncertainty: doubts[index] as number });
  }
  return chosen;
}

/** 1 less the margin between the two best labels; of several labels at once, the greatest doubt of one of them. */
export function uncertaintyOf(scores: ArrayLike<number>, many: boolean): number {
  if (many) return Math.max(0, ...Array.from(scores, (score) => 1 - Math.abs(2 * score - 1)));
  const [first = 1, second = 0] = Array.from(scores).sort((a, b) => b - a);
  return 1 - (first - second);
}

function gain(
  i: number,
  likeness: Likeness,
  covered: Float64Array,
  doubts: readonly number[],
  compared: readonly number[],
): number {
  let sum = 0;
  covered.forEach((value, j) => {
    sum += (doubts[compared[j] as number] as number) ** doubtPower * Math.max(likeness.between(i, j) - value, 0);
  });
  return sum;
}

function best(among: readonly number[], value: (i: number) => number): number {
  let [at, most] = [among[0] as number, Number.NEGATIVE_INFINITY];
  for (const i of among) {
    const now = value(i);
    if (now > most) [at, most] = [i, now];
  }
  return at;
}

/** From 0, nothing alike, to 1. */
interface Likeness {
  /** Of two compared candidates. */
  between(i: number, j: number): number;
  /** Of a compared candidate and the labelled clip that is most like it. */
  known(i: number): number;
}

function likenessOf({ features, scores, labelled, blocks }: Candidates, compared: readonly number[]): Likeness {
  const width = features.length / scores.length;
  const before = labelled ?? new Float32Array(0);
  const rows = new Float32Array(compared.length * width + before.length);
  compared.forEach((index, i) => {
    rows.set(features.subarray(index * width, (index + 1) * width), i * width);
  });
  rows.set(before, compared.length * width);
  const count = rows.length / width;
  const space = new RowSpace(standardiseRows(rows, count, blocks), count, mostDirections);
  const squares = (i: number, j: number) => squaredDistance(space.coordinates, space.rank, i, j);
  const reach = reachShare * median(pairsOf(compared.length).map(([i, j]) => squares(i, j))) || 1;
  const alike = table(compared.length, (i, j) => Math.exp(-squares(i, j) / reach));
  return {
    between: (i, j) => alike[i * compared.length + j] as number,
    known: (i) => {
      let most = 0;
      for (let k = compared.length; k < count; k++) most = Math.max(most, Math.exp(-squares(i, k) / reach));
      return most;
    },
  };
}

/** [N, N], symmetric. */
function table(count: number, of: (i: number, j: number) => number): Float64Array {
  const out = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) out[i * count + j] = out[j * count + i] = of(i, j);
  }
  return out;
}

function squaredDistance(coordinates: Float64Array, rank: number, i: number, j: number): number {
  let sum = 0;
  for (let d = 0; d < rank; d++) {
    sum += ((coordinates[i * rank + d] as number) - (coordinates[j * rank + d] as number)) ** 2;
  }
  return sum;
}

/** Pairs enough for a median: each candidate with some others, always the same. */
function pairsOf(count: number): (readonly [number, number])[] {
  const steps = Array.from({ length: Math.min(count - 1, 40) }, (_, s) => 1 + Math.floor((s * (count - 1)) / 40));
  return [...new Set(steps)].flatMap((step) => Array.from({ length: count }, (_, i) => [i, (i + step) % count] as const));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}
