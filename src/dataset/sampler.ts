/** Order and repetition of an epoch's videos: shuffled, repeated, class-balanced. Pure and seeded. */

import { Rng } from '../rng.js';

export interface SamplerOptions {
  readonly seed: number;
  readonly epoch: number;
  /** Different clips of a video that follow each other ("repeated augmentation", Hoffer et al. 2020); 1 by default. */
  readonly repeats?: number | undefined;
  /** classes: every class as often as the largest one, smaller ones going round again; none: every video once. */
  readonly classBalanced?: boolean | undefined;
}

/** One clip to sample: the index of its video, and its number among the epoch's clips of that video. */
export interface EpochItem {
  readonly video: number;
  readonly view: number;
}

/** The clips of one epoch, for videos of these classes. Depends on nothing else. */
export function sampleEpoch(labels: readonly number[], options: SamplerOptions): EpochItem[] {
  const { seed, epoch, repeats = 1, classBalanced = false } = options;
  const rng = new Rng([seed, 'order', epoch]);
  const once = labels.map((_, video) => ({ video, round: 0 }));
  const draws = classBalanced ? [...once, ...extraDraws(labels, rng.fork('balance'))] : once;
  return rng
    .shuffle(draws)
    .flatMap(({ video, round }) => Array.from({ length: repeats }, (_, i) => ({ video, view: round * repeats + i })));
}

function extraDraws(labels: readonly number[], rng: Rng): { video: number; round: number }[] {
  const members = new Map<number, number[]>();
  labels.forEach((label, video) => {
    members.set(label, [...(members.get(label) ?? []), video]);
  });
  const most = Math.max(...[...members.values()].map((videos) => videos.length));
  return [...members].flatMap(([label, videos]) => {
    const shuffled = rng.fork(label).shuffle(videos);
    return Array.from({ length: most - videos.length }, (_, i) => ({
      video: shuffled[i % shuffled.length] as number,
      round: 1 + Math.floor(i / shuffled.length),
    }));
  });
}
