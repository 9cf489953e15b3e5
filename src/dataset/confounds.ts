/**
 * How much of the class a clip's length or shape gives away: leave-one-out nearest class mean on single numbers. A network that
 * sees them (stretched frames, clips cut to the action) can learn them instead of motion, and tests well for the wrong reason.
 */

export interface GuessedBy {
  /** Share of videos whose class is guessed right, and what guessing the largest class gets. */
  readonly accuracy: number;
  readonly chance: number;
}

/** Leave-one-out accuracy of the nearest class mean of `values`; ties, as among equal values, go to the largest class. */
export function guessedBy(values: readonly number[], labels: readonly string[]): GuessedBy {
  const classes = new Map<string, { sum: number; count: number }>();
  values.forEach((value, i) => {
    const held = classes.get(labels[i] as string) ?? { sum: 0, count: 0 };
    classes.set(labels[i] as string, { sum: held.sum + value, count: held.count + 1 });
  });
  const bySize = [...classes].sort(([, a], [, b]) => b.count - a.count);
  const right = values.filter((value, i) => nearest(bySize, value, labels[i] as string) === labels[i]).length;
  return { accuracy: right / values.length, chance: (bySize[0]?.[1].count ?? 0) / values.length };
}

function nearest(classes: readonly [string, { sum: number; count: number }][], value: number, own: string): string | undefined {
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const [label, { sum, count }] of classes) {
    const others = label === own ? count - 1 : count;
    if (others === 0) continue;
    const apart = Math.abs((label === own ? sum - value : sum) / others - value);
    // Rounding must not break a tie between equal means.
    if (apart < least - 1e-9) [best, least] = [label, apart];
  }
  return best;
}

/** Whether that is more than chance explains: three standard deviations and ten points. */
export function isTelling({ accuracy, chance }: GuessedBy, videos: number): boolean {
  return accuracy - chance > Math.max(0.1, 3 * Math.sqrt((chance * (1 - chance)) / videos));
}
