/** Two backends interleaved, run by run, with a check of equal outputs. */

import type { Backend, Run } from './backends.js';
import { CheckError } from './errors.js';
import { median, rounded, smallest, type Times } from './timing.js';

export interface Turns {
  /**
   * Runs a turn, of which the last is counted. A single short run would mostly measure how fast its weights come back into the
   * caches from which the other has pushed them.
   */
  readonly repeats: number;
  readonly warmUp: number;
  readonly counted: number;
  /** Largest relative difference allowed between what both compute. */
  readonly tolerance: number;
}

export interface Figures {
  readonly oursMs: number;
  readonly peerMs: number;
  /** Peer / ours of the medians: above 1, ours is faster. */
  readonly ratio: number;
  readonly oursMinMs: number;
  readonly peerMinMs: number;
  readonly ratioOfMinima: number;
  /** Largest relative difference between the results of both. */
  readonly difference: number;
  readonly oursRunsMs: Times;
  readonly peerRunsMs: Times;
}

/** Each backend first every other time; the last runs of every turn are compared. Throws a CheckError when they differ. */
export async function interleave(ours: Backend, theirs: Backend, turns: Turns): Promise<Figures> {
  const times = { ours: [] as number[], theirs: [] as number[] };
  let difference = 0;
  for (let i = 0; i < turns.warmUp + turns.counted; i++) {
    const early = i % 2 ? await turn(theirs, turns) : undefined;
    const a = await turn(ours, turns);
    const b = early ?? (await turn(theirs, turns));
    difference = Math.max(difference, relativeDifference(a.values, b.values));
    if (!(difference <= turns.tolerance)) throw new CheckError(fault(i, a.values, b.values, difference, turns.tolerance));
    if (i < turns.warmUp) continue;
    times.ours.push(a.ms);
    times.theirs.push(b.ms);
  }
  return { ...figures(times.ours, times.theirs), difference };
}

async function turn(backend: Backend, { repeats }: Turns): Promise<Run> {
  for (let i = 1; i < repeats; i++) await backend.run();
  return backend.run();
}

function fault(run: number, ours: ArrayLike<number>, theirs: ArrayLike<number>, difference: number, tolerance: number): string {
  const some = (values: ArrayLike<number>) => Array.from(values).slice(0, 4).join(', ');
  return `run ${run}: the two sides do not compute the same: ${some(ours)} ... here, ${some(theirs)} ... there; relative difference ${difference}, allowed ${tolerance}`;
}

/** Largest difference over the largest expected value; NaN when there is nothing to compare. */
export function relativeDifference(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length || got.length === 0) return Number.NaN;
  const all = Array.from(expected);
  const largest = Math.max(...all.map(Math.abs), 1e-30);
  return Math.max(...all.map((value, i) => Math.abs(value - (got[i] ?? Number.NaN)))) / largest;
}

function figures(ours: Times, theirs: Times): Omit<Figures, 'difference'> {
  return {
    oursMs: rounded(median(ours)),
    peerMs: rounded(median(theirs)),
    ratio: rounded(median(theirs) / median(ours)),
    oursMinMs: rounded(smallest(ours)),
    peerMinMs: rounded(smallest(theirs)),
    ratioOfMinima: rounded(smallest(theirs) / smallest(ours)),
    oursRunsMs: ours.map(rounded),
    peerRunsMs: theirs.map(rounded),
  };
}
