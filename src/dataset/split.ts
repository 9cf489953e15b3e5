import { Rng } from '../rng.js';
import { byText, type FoundVideo, type Split } from './labelledVideos.js';
import { strataOf } from './labelSets.js';

/** Parts of each class that go to each split; they add up to 1. */
export interface SplitShares {
  readonly train: number;
  readonly val: number;
  readonly test: number;
}

export const defaultShares: SplitShares = { train: 0.8, val: 0.1, test: 0.1 };

type Named = Pick<FoundVideo, 'name' | 'label' | 'labels'>;

/** A split for every video, in the videos' order. Depends on names, labels and seed only, not on the order. */
export function splitByClass(videos: readonly Named[], shares: SplitShares, seed: number): Split[] {
  const splitOf = new Map<Named, Split>();
  const strata = strataOf(videos);
  for (const label of new Set(strata)) {
    const members = videos.filter((_, i) => strata[i] === label).sort((a, b) => byText(a.name, b.name));
    const counts = countsFor(members.length, shares);
    new Rng([seed, 'split', label]).shuffle(members).forEach((video, i) => {
      splitOf.set(video, i < counts.test ? 'test' : i < counts.test + counts.val ? 'val' : 'train');
    });
  }
  return videos.map((video) => splitOf.get(video) as Split);
}

/** Part of the training videos that becomes validation where the data has none. */
export const defaultValShare = 0.1;

/** train or val for every training video, in their order: `share` of each class, none of a class of one video. */
export const carveValidation = (training: readonly Named[], share: number, seed: number): Split[] =>
  splitByClass(training, { train: 1 - share, val: share, test: 0 }, seed);

/** Rounded shares; a class of a few videos keeps one for training first, then one for testing, then one for validation. */
export function countsFor(videos: number, shares: SplitShares): Record<Split, number> {
  const wish = (share: number) => (share === 0 ? 0 : Math.max(1, Math.round(videos * share)));
  const forTraining = shares.train === 0 ? 0 : 1;
  const test = Math.min(wish(shares.test), Math.max(0, videos - forTraining));
  const val = Math.min(wish(shares.val), Math.max(0, videos - forTraining - test));
  return { train: videos - test - val, val, test };
}

/** "80/10/10 by class, seed 0", kept with whatever was trained on it. */
export function describeShares(shares: SplitShares, seed: number, by = 'class'): string {
  const percent = [shares.train, shares.val, shares.test].map((share) => Math.round(share * 100));
  return `${percent.join('/')} by ${by}, seed ${seed}`;
}
