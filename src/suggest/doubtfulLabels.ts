/**
 * Labels that look wrong: answers of classifiers that did not see the clip (nor its recording) contradict them with confidence. A class is
 * confident above the mean score that it gets on its own clips (Northcutt, Jiang and Chuang 2021, "Confident learning", JAIR 70).
 */

export interface DoubtfulLabel {
  readonly index: number;
  /** Place of the label that the clip more likely has. */
  readonly likely: number;
  /** Left-out probabilities of that label and of the given one. */
  readonly likelyScore: number;
  readonly givenScore: number;
}

/** A class of fewer clips is not known well enough to doubt its labels, or others' in its favour. */
const leastClips = 5;
/** A likelier label must be more likely than all others together. */
const leastScore = 0.5;

/** `scores` [N][K] are left-out probabilities, `labels` [N] what was given. The clearest contradictions first. */
export function doubtfulLabels(scores: readonly ArrayLike<number>[], labels: ArrayLike<number>): DoubtfulLabel[] {
  const thresholds = meanOwnScores(scores, labels);
  const out: DoubtfulLabel[] = [];
  scores.forEach((row, index) => {
    const given = labels[index] as number;
    const likely = confidentClass(row, thresholds);
    if (likely === undefined || likely === given || !Number.isFinite(thresholds[given])) return;
    out.push({ index, likely, likelyScore: row[likely] as number, givenScore: row[given] as number });
  });
  const contradiction = ({ likelyScore, givenScore }: DoubtfulLabel) => likelyScore - givenScore;
  return out.sort((a, b) => contradiction(b) - contradiction(a) || a.index - b.index);
}

/** [K] mean score of each class on clips that were given it; infinite for a class of too few. */
function meanOwnScores(scores: readonly ArrayLike<number>[], labels: ArrayLike<number>): number[] {
  const classes = scores[0]?.length ?? 0;
  return Array.from({ length: classes }, (_, k) => {
    const own = scores.filter((_, i) => labels[i] === k).map((row) => row[k] as number);
    return own.length < leastClips ? Number.POSITIVE_INFINITY : own.reduce((sum, score) => sum + score, 0) / own.length;
  });
}

/** The most probable of the classes that reach their threshold. */
function confidentClass(row: ArrayLike<number>, thresholds: readonly number[]): number | undefined {
  let found: number | undefined;
  thresholds.forEach((threshold, k) => {
    if (
      (row[k] as number) >= Math.max(threshold, leastScore) &&
      (found === undefined || (row[k] as number) > (row[found] as number))
    )
      found = k;
  });
  return found;
}
