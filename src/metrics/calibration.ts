import { ConfigError } from '../errors.js';
import type { ScoredClip } from './metrics.js';
import { averageViews, topK } from './softmax.js';

/** Clips whose top score is in one interval. */
export interface ReliabilityBin {
  readonly low: number;
  readonly high: number;
  readonly count: number;
  /** Mean of the best scores; null where the bin is empty. */
  readonly confidence: number | null;
  /** Accuracy; null for an empty bin. */
  readonly accuracy: number | null;
}

export interface CalibrationReport {
  /**
   * Expected calibration error over 15 bins of equal width (Guo et al. 2017): mean of |accuracy - confidence| by clips, 0 to 1.
   */
  readonly ece: number;
  /** The same over bins of equal counts, which few clips in a bin mislead less (Nixon et al. 2019). */
  readonly adaptiveEce: number;
  /** Mean negative log likelihood of the true class, nats. */
  readonly nll: number;
  /** Mean squared distance of the scores from the truth, summed over classes, 0 to 2. */
  readonly brier: number;
  readonly bins: readonly ReliabilityBin[];
}

/** Views of one clip, logits [views][classes], and its true class. */
export interface LogitClip {
  readonly labelIndex: number;
  readonly logits: readonly ArrayLike<number>[];
}

export interface FittedTemperature {
  readonly temperature: number;
  readonly nllBefore: number;
  readonly nllAfter: number;
}

export interface UnknownThreshold {
  /** Predictions with a lower top score are unknown. */
  readonly below: number;
  /** Share of clips that are answered, and of these the right ones. */
  readonly coverage: number;
  readonly precision: number;
}

const binCount = 15;
const leastScore = 1e-12;
/** Minimum number of clips for a fit. */
export const leastCalibrationClips = 20;
/** A fitted temperature outside this range points to other faults. */
export const temperatureRange = { least: 0.1, most: 10 };

/** How well scores (probabilities [classes]) match accuracy. Throws a ConfigError without clips. */
export function calibrationReport(clips: readonly ScoredClip[]): CalibrationReport {
  if (clips.length === 0) throw new ConfigError('no clips to tell a calibration of; expected at least one');
  const answers = clips.map(verdictOf);
  const bins = equalWidths(answers);
  return {
    ece: gap(bins, clips.length),
    adaptiveEce: gap(equalCounts(answers), clips.length),
    nll: meanOf(clips, nllOf),
    brier: meanOf(clips, brierOf),
    bins,
  };
}

/**
 * The temperature T that maximises the likelihood of the true classes under softmax(logits / T), averaged over the views (Guo et
 * al. 2017). With one view no prediction changes. Throws a ConfigError for fewer than 20 clips, and when all or none are correct:
 * the likelihood then has no maximum.
 */
export function fitTemperature(clips: readonly LogitClip[]): FittedTemperature {
  if (clips.length < leastCalibrationClips)
    throw new ConfigError(`a temperature needs at least ${leastCalibrationClips} videos to be fitted on, got ${clips.length}`);
  const right = clips.filter((clip) => verdictOf(scored(clip, 1)).right).length;
  if (right === clips.length || right === 0) {
    const how = right === 0 ? 'none' : 'all';
    throw new ConfigError(
      `${how} of the ${clips.length} videos are answered rightly: they cannot tell how sure an answer should be`,
    );
  }
  const nllAt = (logT: number) => meanOf(clips, (clip) => nllOf(scored(clip, Math.exp(logT))));
  const temperature = Math.exp(leastOf(nllAt, Math.log(temperatureRange.least), Math.log(temperatureRange.most)));
  return { temperature, nllBefore: nllAt(0), nllAfter: nllAt(Math.log(temperature)) };
}

/** Probabilities of a clip at a temperature. */
export function scored({ labelIndex, logits }: LogitClip, temperature: number): ScoredClip & { readonly scores: number[] } {
  return { labelIndex, scores: averageViews(logits, temperature) };
}

/**
 * The lowest threshold with a precision of at least `wanted`, hence the largest coverage. Throws a ConfigError when there is
 * none.
 */
export function unknownThreshold(clips: readonly ScoredClip[], wanted: number): UnknownThreshold {
  if (!(wanted > 0 && wanted <= 1)) throw new ConfigError(`unknown: expected a share of right answers in (0, 1], got ${wanted}`);
  const answers = clips.map(verdictOf).sort((a, b) => b.score - a.score);
  let right = 0;
  let found: UnknownThreshold | undefined;
  for (const [i, { score, right: isRight }] of answers.entries()) {
    right += Number(isRight);
    const precision = right / (i + 1);
    if (answers[i + 1]?.score === score || precision < wanted) continue; // equal scores are accepted or rejected together
    const all = i + 1 === answers.length;
    found = { below: all ? 0 : score, coverage: (i + 1) / answers.length, precision };
  }
  if (found) return found;
  throw new ConfigError(
    `no threshold makes ${Number((100 * wanted).toFixed(2))} % of the answers right: of the surest of ${answers.length} videos too many are wrong; ask for less`,
  );
}

/** A score, and whether what it was given to is right. */
export interface Verdict {
  readonly score: number;
  readonly right: boolean;
}

function verdictOf({ labelIndex, scores }: ScoredClip): Verdict {
  const [best] = topK(scores, 1);
  return { score: best?.score ?? 0, right: best?.labelIndex === labelIndex };
}

const nllOf = ({ labelIndex, scores }: ScoredClip): number => -Math.log(Math.max(scores[labelIndex] ?? 0, leastScore));

const brierOf = ({ labelIndex, scores }: ScoredClip): number =>
  Array.from(scores).reduce((sum, score, i) => sum + (score - (i === labelIndex ? 1 : 0)) ** 2, 0);

function meanOf<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0) / items.length;
}

/** Bins (low, high]; a score of 0 is in the first. */
export function equalWidths(answers: readonly Verdict[]): ReliabilityBin[] {
  const members = Array.from({ length: binCount }, (): Verdict[] => []);
  for (const answer of answers) {
    const place = Math.ceil(answer.score * binCount) - 1;
    members[Math.min(Math.max(place, 0), binCount - 1)]?.push(answer);
  }
  return members.map((each, i) => bin(each, i / binCount, (i + 1) / binCount));
}

export function equalCounts(answers: readonly Verdict[]): ReliabilityBin[] {
  const sorted = [...answers].sort((a, b) => a.score - b.score);
  const count = Math.min(binCount, sorted.length);
  return Array.from({ length: count }, (_, i) => {
    const members = sorted.slice(Math.floor((i * sorted.length) / count), Math.floor(((i + 1) * sorted.length) / count));
    return bin(members, members[0]?.score ?? 0, members.at(-1)?.score ?? 0);
  });
}

function bin(members: readonly Verdict[], low: number, high: number): ReliabilityBin {
  if (members.length === 0) return { low, high, count: 0, confidence: null, accuracy: null };
  const confidence = meanOf(members, ({ score }) => score);
  return { low, high, count: members.length, confidence, accuracy: meanOf(members, ({ right }) => Number(right)) };
}

export function gap(bins: readonly ReliabilityBin[], clips: number): number {
  return (
    bins.reduce((sum, { count, confidence, accuracy }) => sum + count * Math.abs((accuracy ?? 0) - (confidence ?? 0)), 0) / clips
  );
}

/** Grid search, then golden section: several views may give several minima. */
export function leastOf(value: (x: number) => number, from: number, to: number): number {
  const step = (to - from) / 48;
  const grid = Array.from({ length: 49 }, (_, i) => from + i * step);
  const values = grid.map(value);
  const best = grid[values.indexOf(Math.min(...values))] ?? from;
  return goldenSection(value, Math.max(best - step, from), Math.min(best + step, to));
}

function goldenSection(value: (x: number) => number, from: number, to: number): number {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [from, to];
  for (let i = 0; i < 40; i++) {
    const [left, right] = [high - ratio * (high - low), low + ratio * (high - low)];
    if (value(left) < value(right)) high = right;
    else low = left;
  }
  return (low + high) / 2;
}
