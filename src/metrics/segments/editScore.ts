/** Segmental edit score (Lea et al. 2016): whether the right things come in the right order, whatever their times. */
import { mean } from './averagePrecision.js';
import { type FilmSegments, inOrder } from './segments.js';

/** 1 less the Levenshtein distance of the films' label sequences as a share of the longer one; the mean over films, 0 to 1. */
export function editScore(films: readonly FilmSegments[]): number {
  return mean(films.map(({ truth, predicted }) => similarity(sequence(truth), sequence(predicted))));
}

const sequence = (segments: Parameters<typeof inOrder>[0]): string[] => inOrder(segments).map(({ label }) => label);

function similarity(a: readonly string[], b: readonly string[]): number {
  const longer = Math.max(a.length, b.length);
  return longer === 0 ? 1 : 1 - levenshtein(a, b) / longer;
}

function levenshtein(a: readonly string[], b: readonly string[]): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, left] of a.entries()) {
    const next = [i + 1];
    for (const [j, right] of b.entries()) {
      next.push(Math.min((row[j] ?? 0) + (left === right ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
