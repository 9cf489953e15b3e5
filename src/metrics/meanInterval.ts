import { ConfigError } from '../errors.js';

export interface MeanInterval {
  readonly mean: number;
  /** Sample standard deviation (n - 1); null of a single value. */
  readonly deviation: number | null;
  /** Ends of the 95 % interval of the mean; null of a single value. */
  readonly low: number | null;
  readonly high: number | null;
  readonly count: number;
}

/**
 * Mean, standard deviation and confidence interval mean -+ t * deviation / sqrt(n), n - 1 degrees of freedom (t = 12.7 for two
 * values). May exceed [0, 1] for shares. Throws a ConfigError for no values.
 */
export function meanInterval(values: readonly number[], confidence = 0.95): MeanInterval {
  const count = values.length;
  if (count === 0) throw new ConfigError('no values to take a mean of; expected at least one');
  const mean = values.reduce((a, b) => a + b, 0) / count;
  if (count === 1) return { mean, deviation: null, low: null, high: null, count };
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1));
  const half = (studentQuantile(count - 1, confidence) * deviation) / Math.sqrt(count);
  return { mean, deviation, low: mean - half, high: mean + half, count };
}

/** Student's t quantile, P(|T| <= t) = confidence, by bisection. */
export function studentQuantile(freedom: number, confidence: number): number {
  let [low, high] = [0, 1];
  while (withinStudent(high, freedom) < confidence) high *= 2;
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2;
    if (withinStudent(middle, freedom) < confidence) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** P(|T| <= t) for integer degrees of freedom: Abramowitz and Stegun, 26.7.3 and 26.7.4. */
function withinStudent(t: number, freedom: number): number {
  const angle = Math.atan(t / Math.sqrt(freedom));
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const odd = freedom % 2 === 1;
  let [term, sum] = odd ? [cosine, freedom > 1 ? cosine : 0] : [1, 1];
  for (let k = odd ? 3 : 2; k < freedom; k += 2) {
    term *= ((k - 1) / k) * cosine ** 2;
    sum += term;
  }
  return odd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
}
