/** Whether moments are predictions, for formats that write truth and predictions differently. */
import type { Annotations } from './annotations.js';
import type { Loss } from './format.js';
import { Tally } from './reduce.js';

/** Every moment has a score, and there is one. */
export function allScored({ films }: Annotations): boolean {
  const moments = films.flatMap((film) => film.moments);
  return moments.length > 0 && moments.every(({ score }) => score !== undefined);
}

/** Scores of some moments only: truth, which has none. */
export function scoresLost({ films }: Annotations): readonly Loss[] {
  const tally = new Tally();
  for (const { score } of films.flatMap(({ moments }) => moments)) if (score !== undefined) tally.add('scores');
  return tally.losses();
}
