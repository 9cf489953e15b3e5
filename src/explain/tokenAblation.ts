/** Token importance by ablation: logits with a token against logits without it, for one clip or many labelled ones. */
import { sigmoid } from '../metrics/sigmoid.js';
import { softmax } from '../metrics/softmax.js';

/** The effect of one ablation on one clip. */
export interface AblationEffect {
  /** Predicted class without ablation; its probability without and with. */
  readonly predictedIndex: number;
  readonly score: number;
  readonly blindScore: number;
  /** Predicted class under ablation. */
  readonly blindPredictedIndex: number;
  /**
   * [classes] lost evidence: logit without minus logit with ablation, both centred over the classes, since a common shift changes
   * no prediction. Above 0: the ablated part supports the class. Sums to 0.
   */
  readonly evidence: readonly number[];
}

/** With several labels at once probabilities are sigmoids, and evidence is not centred: each class has a logit of its own. */
export function ablationEffect(untouched: ArrayLike<number>, blind: ArrayLike<number>, multiLabel = false): AblationEffect {
  const [before, after] = multiLabel ? [sigmoid(untouched), sigmoid(blind)] : [softmax(untouched), softmax(blind)];
  const predictedIndex = largestOf(before);
  return {
    predictedIndex,
    score: before[predictedIndex] ?? 0,
    blindScore: after[predictedIndex] ?? 0,
    blindPredictedIndex: largestOf(after),
    evidence: multiLabel ? difference(Array.from(untouched), Array.from(blind)) : difference(centred(untouched), centred(blind)),
  };
}

const difference = (a: readonly number[], b: readonly number[]): number[] => a.map((value, i) => value - (b[i] ?? 0));

function centred(logits: ArrayLike<number>): number[] {
  const values = Array.from(logits);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value - mean);
}

/** Place of the largest; of equal ones the first. */
export const largestOf = (values: readonly number[]): number =>
  values.reduce((best, value, i) => (value > (values[best] ?? Number.NEGATIVE_INFINITY) ? i : best), 0);

/** Effect of one ablation over all clips of a class. */
export interface ClassEffect {
  /** Clips of the class. */
  readonly count: number;
  /** Evidence for the true class that goes, mean over the clips, and the standard error of the mean (0 for one clip). */
  readonly evidence: number;
  readonly standardError: number;
  /** Probability of the true class that goes, mean. */
  readonly probability: number;
  /** Clips in which evidence goes, and in which more goes than with any other of the rivals. */
  readonly lower: number;
  readonly leads: number;
  /** Clips correct only without, and only with ablation. */
  readonly lost: number;
  readonly gained: number;
  /** Most frequent prediction for the lost clips, and its count. */
  readonly lostTo?: { readonly labelIndex: number; readonly count: number };
}

/** The token that a class depends on most. */
export interface Driver {
  readonly subject: number;
  readonly effect: ClassEffect;
}

interface Sums {
  evidence: number[];
  probability: number;
  leads: number;
  gained: number;
  /** Predictions of formerly correct clips. */
  lost: number[];
}

/** Accumulates effects over labelled clips; a subject is an ablated token or place. */
export class EffectTable {
  private readonly sums: readonly (readonly Sums[])[];
  private right = 0;
  private clips = 0;

  constructor(
    readonly subjects: number,
    readonly classes: number,
    /** Number of leading subjects that compete for classes: the tokens. */
    readonly rivals = subjects,
  ) {
    const empty = () => ({ evidence: [], probability: 0, leads: 0, gained: 0, lost: [] });
    this.sums = Array.from({ length: subjects }, () => Array.from({ length: classes }, empty));
  }

  /** Adds a clip of this class: logits without ablation, and per subject. */
  add(labelIndex: number, untouched: ArrayLike<number>, blind: readonly ArrayLike<number>[]): void {
    const before = softmax(untouched);
    const wasRight = largestOf(before) === labelIndex;
    this.clips++;
    if (wasRight) this.right++;
    const effects = blind.map((logits) => ablationEffect(untouched, logits));
    const gone = effects.map(({ evidence }) => evidence[labelIndex] ?? 0);
    effects.forEach(({ blindPredictedIndex }, subject) => {
      const sums = this.sums[subject]?.[labelIndex];
      if (!sums) throw new RangeError(`subject ${subject}, class ${labelIndex}: expected ${this.subjects} and ${this.classes}`);
      const isRight = blindPredictedIndex === labelIndex;
      sums.evidence.push(gone[subject] ?? 0);
      sums.probability += (before[labelIndex] ?? 0) - (softmax(blind[subject] ?? [])[labelIndex] ?? 0);
      sums.leads += largestOf(gone.slice(0, this.rivals)) === subject && (gone[subject] ?? 0) > 0 ? 1 : 0;
      if (wasRight && !isRight) sums.lost.push(blindPredictedIndex);
      sums.gained += !wasRight && isRight ? 1 : 0;
    });
  }

  /** Top-1 accuracy without ablation and with this subject ablated. */
  top1(subject?: number): number {
    const own = subject === undefined ? [] : (this.sums[subject] ?? []);
    const change = own.reduce((sum, { lost, gained }) => sum + gained - lost.length, 0);
    return (this.right + change) / this.clips;
  }

  effect(subject: number, labelIndex: number): ClassEffect {
    const { evidence, probability, lost, ...counts } = this.sums[subject]?.[labelIndex] ?? emptySums;
    const count = evidence.length;
    const mean = evidence.reduce((sum, value) => sum + value, 0) / Math.max(count, 1);
    const squares = evidence.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return {
      count,
      evidence: mean,
      standardError: count > 1 ? Math.sqrt(squares / (count - 1) / count) : 0,
      probability: probability / Math.max(count, 1),
      lower: evidence.filter((value) => value > 0).length,
      ...counts,
      lost: lost.length,
      ...(lost.length > 0 && { lostTo: mostFrequent(lost) }),
    };
  }

  /** The rival whose blindness takes most evidence from a class, when that is clear. */
  driverOf(labelIndex: number): Driver | undefined {
    const effects = Array.from({ length: this.rivals }, (_, subject) => this.effect(subject, labelIndex));
    const subject = largestOf(effects.map(({ evidence }) => evidence));
    const effect = effects[subject];
    return effect !== undefined && isClear(effect) ? { subject, effect } : undefined;
  }
}

/** The most frequent class and its count; the first of equals. */
function mostFrequent(labelIndices: readonly number[]): { labelIndex: number; count: number } {
  const countOf = (wanted: number) => labelIndices.filter((labelIndex) => labelIndex === wanted).length;
  const labelIndex = [...labelIndices].sort((a, b) => countOf(b) - countOf(a) || a - b)[0] ?? -1;
  return { labelIndex, count: countOf(labelIndex) };
}

const emptySums: Sums = { evidence: [], probability: 0, leads: 0, gained: 0, lost: [] };

/** With fewer clips of a class, the standard error is itself unreliable. */
const leastClips = 5;

/** More than two standard errors above 0, over five clips or more. */
export const isClear = ({ count, evidence, standardError }: ClassEffect): boolean =>
  count >= leastClips && evidence > 2 * standardError;
