/** Which split each sample is of: as the data says, or divided here, with the segments of a film on one side where that can be. */
import { splitByGroup } from './groupSplit.js';
import { type Groups, groupsOf } from './groups.js';
import { type FoundVideo, labelsOf, type Split, splitNames } from './labelledVideos.js';
import { counted } from './some.js';
import { defaultShares, defaultValShare, describeShares, type SplitShares, splitByClass } from './split.js';

export interface SplitOptions {
  /** Used when the data says nothing about splits; 80/10/10 by default. */
  readonly shares?: SplitShares;
  /** Part of train that becomes val when the data has train and no val; 0.1 by default, 0 keeps all of train. */
  readonly valShare?: number;
  /** Seed of the splits and of the background drawn here; 0 by default. */
  readonly seed?: number;
  /** Leave aside what the data says of splits, and make none: all videos are `train`. For folds, which make their own. */
  readonly ignoreSplits?: boolean;
}

export interface Settled {
  readonly splits: readonly Split[];
  readonly splitBy: string;
  readonly notes: readonly string[];
}

/** What is known of a sample before it has a split. */
type Sample = Pick<FoundVideo, 'path' | 'segment' | 'name' | 'label' | 'labels' | 'columns'>;

/** The dataset's own split, else a seeded one; val out of train where only val is missing. */
export function settleSplits(videos: readonly FoundVideo[], options: SplitOptions): Settled {
  const seed = options.seed ?? 0;
  const given = videos.map((video) => video.split);
  if (options.ignoreSplits) {
    const notes = given.some((split) => split !== undefined) ? ['the splits that the data came with are left aside'] : [];
    return { splits: given.map(() => 'train'), splitBy: 'none', notes };
  }
  if (given.some((split) => split === undefined)) {
    const shares = options.shares ?? defaultShares;
    const { splits, by, notes } = divided(videos, shares, seed);
    const how = describeShares(shares, seed, by);
    return { splits, splitBy: how, notes: [`no split given: divided ${how}${countsText(by, splits)}`, ...notes] };
  }
  const splits = given as Split[];
  const leak = leakNotes(videos, splits);
  const share = options.valShare ?? defaultValShare;
  if (splits.includes('val') || !splits.includes('train') || share === 0) return { splits, splitBy: 'as given', notes: leak };
  const training = videos.filter((video) => video.split === 'train');
  const carved = carvedValidation(training, share, seed);
  const ofTraining = new Map(training.map((video, i) => [video, carved.splits[i] as Split]));
  const how = `${Math.round(share * 100)} % of train by ${carved.by}, seed ${seed}`;
  return {
    splits: videos.map((video) => ofTraining.get(video) ?? (video.split as Split)),
    splitBy: `as given, val = ${how}`,
    notes: [...leak, `no val given: took ${how}${countsText(carved.by, carved.splits)}`, ...carved.notes],
  };
}

export interface Divided {
  readonly splits: readonly Split[];
  /** "class", or what kept samples together: "film". */
  readonly by: string;
  readonly notes: readonly string[];
}

/** train or val for training samples, in their order: `share` of each class, none of a class of one. */
export const carvedValidation = (training: readonly Sample[], share: number, seed: number): Divided =>
  divided(training, { train: 1 - share, val: share, test: 0 }, seed);

/** By groups where the samples have some and they can be divided; else by class, which is said. */
function divided(videos: readonly Sample[], shares: SplitShares, seed: number): Divided {
  const groups = groupsOf(videos);
  const labels = videos.map(labelsOf);
  const apart = groups && splitByGroup(labels, groups, shares, seed);
  if (apart) return { splits: apart, by: groups.by, notes: [] };
  return { splits: splitByClass(videos, shares, seed), by: 'class', notes: groups ? [mixedNote(groups)] : [] };
}

/** Why a film is on both sides after all. */
export function mixedNote({ by, count }: Groups): string {
  const why = count === 1 ? 'there is only one' : 'each part needs its classes, and too few are in several';
  return `samples of one ${by.replace('column ', 'value of the column ')} are on both sides of the split, since ${why}: results on other films will be worse`;
}

/** What a split by groups comes to, since it keeps the shares only as far as groups allow. */
function countsText(by: string, splits: readonly Split[]): string {
  if (by === 'class') return '';
  const counts = splitNames.map((name) => `${name} ${splits.filter((split) => split === name).length}`);
  return ` (${counts.join(', ')})`;
}

/** Segments of one film in several splits make results look better than they are. */
function leakNotes(videos: readonly Sample[], splits: readonly Split[]): string[] {
  const trained = new Set(videos.flatMap(({ path, segment }, i) => (segment && splits[i] === 'train' ? [path] : [])));
  const leaking = videos.filter(({ path, segment }, i) => segment && splits[i] !== 'train' && trained.has(path));
  if (leaking.length === 0) return [];
  const films = counted(new Set(leaking.map(({ path }) => path)).size, 'film');
  return [
    `${counted(leaking.length, 'segment')} for validation and testing are of ${films} that training sees: results on other films will be worse`,
  ];
}
