/** McNemar's exact test: do two networks differ on the same clips? Only clips on which one alone is right count. */
import { ConfigError } from '../errors.js';

/**
 * Two-sided p value of `onlyFirst` clips right for the first alone against `onlySecond` right for the second alone: how often a
 * fair coin would be at least as lopsided. 1 when they never differ. Q. McNemar, Psychometrika 12 (1947), 153-157.
 */
export function mcnemarExact(onlyFirst: number, onlySecond: number): number {
  for (const count of [onlyFirst, onlySecond]) {
    if (!(Number.isInteger(count) && count >= 0)) throw new ConfigError(`McNemar's test needs counts of clips, got ${count}`);
  }
  const differing = onlyFirst + onlySecond;
  let logTerm = -differing * Math.LN2; // of C(n, k) / 2^n; 2^n overflows
  let tail = Math.exp(logTerm);
  for (let k = 1; k <= Math.min(onlyFirst, onlySecond); k++) {
    logTerm += Math.log((differing - k + 1) / k);
    tail += Math.exp(logTerm);
  }
  return Math.min(1, 2 * tail);
}

/** Holm-adjusted p values for multiple comparisons, in the order given. S. Holm, Scand. J. Stat. 6 (1979), 65-70. */
export function holmAdjusted(pValues: readonly number[]): number[] {
  const order = pValues.map((_, i) => i).sort((a, b) => (pValues[a] ?? 1) - (pValues[b] ?? 1));
  const adjusted = pValues.map(() => 1);
  let least = 0;
  order.forEach((index, rank) => {
    least = Math.min(1, Math.max(least, (pValues[index] ?? 1) * (pValues.length - rank)));
    adjusted[index] = least;
  });
  return adjusted;
}
