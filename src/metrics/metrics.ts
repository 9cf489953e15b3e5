import { ConfigError } from '../errors.js';
import { topK } from './softmax.js';

/** One test clip: its true class, and a score for every class. Higher means likelier; they need not be probabilities. */
export interface ScoredClip {
  readonly labelIndex: number;
  readonly scores: ArrayLike<number>;
}

export interface ClassMetrics {
  readonly label: string;
  /** Test clips of this class. */
  readonly count: number;
  readonly correct: number;
  /** correct / clips that were given this label; null when none was. */
  readonly precision: number | null;
  /** correct / count; null when the class has no test clip. */
  readonly recall: number | null;
}

export interface Metrics {
  readonly count: number;
  readonly correct: number;
  /** Share of clips whose best class is the true one. */
  readonly top1: number;
  /** Share of clips whose true class is among the best min(5, classes). */
  readonly top5: number;
  /** Mean recall over the classes that have test clips: each class weighs the same. */
  readonly meanClassAccuracy: number;
  /** confusion[true class][predicted class], in clips. */
  readonly confusion: readonly (readonly number[])[];
  readonly perClass: readonly ClassMetrics[];
}

/** Metrics of scored clips over these labels. Throws `ConfigError` for no clips, a label out of range or NaN scores. */
export function computeMetrics(clips: readonly ScoredClip[], labels: readonly string[]): Metrics {
  if (clips.length === 0) throw new ConfigError('no clips to compute an accuracy of; expected at least one');
  const confusion = labels.map(() => new Array<number>(labels.length).fill(0));
  let correct = 0;
  let amongFive = 0;
  for (const clip of clips) {
    checkClip(clip, labels);
    const best = topK(clip.scores, 5);
    const predicted = best[0]?.labelIndex ?? 0;
    const row = confusion[clip.labelIndex] ?? [];
    row[predicted] = (row[predicted] ?? 0) + 1;
    if (predicted === clip.labelIndex) correct++;
    if (best.some(({ labelIndex }) => labelIndex === clip.labelIndex)) amongFive++;
  }
  const perClass = labels.map((label, index) => classMetrics(label, index, confusion));
  return {
    count: clips.length,
    correct,
    top1: correct / clips.length,
    top5: amongFive / clips.length,
    meanClassAccuracy: mean(perClass.flatMap(({ recall }) => (recall === null ? [] : [recall]))),
    confusion,
    perClass,
  };
}

/** Top-1 over clips whose true class is one of these (such as reversal pairs); all classes compete. */
export function top1Among(
  clips: readonly ScoredClip[],
  labelIndices: ReadonlySet<number>,
): { count: number; correct: number; top1: number } {
  const chosen = clips.filter(({ labelIndex }) => labelIndices.has(labelIndex));
  if (chosen.length === 0) throw new ConfigError('none of the clips is of one of the chosen classes; expected at least one');
  const correct = chosen.filter((clip) => topK(clip.scores, 1)[0]?.labelIndex === clip.labelIndex).length;
  return { count: chosen.length, correct, top1: correct / chosen.length };
}

/**
 * Wilson's 95 % score interval of a proportion (z = 1.96), valid for few clips and extreme shares. E. B. Wilson, J. Am. Stat.
 * Assoc. 22 (1927), 209-212. Needs 0 <= correct <= count and count >= 1.
 */
export function wilsonInterval(correct: number, count: number, z = 1.96): { low: number; high: number } {
  if (!(count >= 1 && correct >= 0 && correct <= count)) {
    throw new ConfigError(`no interval for ${correct} correct of ${count}; expected 0 <= correct <= count and count >= 1`);
  }
  const share = correct / count;
  const scale = 1 + z ** 2 / count;
  const centre = (share + z ** 2 / (2 * count)) / scale;
  const half = (z / scale) * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2));
  return { low: correct === 0 ? 0 : centre - half, high: correct === count ? 1 : centre + half };
}

function classMetrics(label: string, index: number, confusion: readonly (readonly number[])[]): ClassMetrics {
  const count = sum(confusion[index] ?? []);
  const given = sum(confusion.map((row) => row[index] ?? 0));
  const correct = confusion[index]?.[index] ?? 0;
  return { label, count, correct, precision: given ? correct / given : null, recall: count ? correct / count : null };
}

function checkClip({ labelIndex, scores }: ScoredClip, labels: readonly string[]): void {
  if (!Number.isInteger(labelIndex) || labelIndex < 0 || labelIndex >= labels.length) {
    throw new ConfigError(`a clip has the class ${labelIndex}; expected 0 to ${labels.length - 1}`);
  }
  if (scores.length !== labels.length)
    throw new ConfigError(`a clip has ${scores.length} scores; expected one for each of ${labels.length} labels`);
  if (Array.from(scores).some(Number.isNaN))
    throw new ConfigError('a clip has a score that is not a number: the weights have diverged');
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}
