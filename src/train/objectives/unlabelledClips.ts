/**
 * Unlabelled clips, each with a weak view for the teacher and a strong one for the student. The choice depends only on seed and
 * pass; those of the next pass are prefetched.
 */

import type { Augment } from '../../clip/augmentOptions.js';
import { type ClipTensor, collateClips } from '../../clip/clipTensor.js';
import type { ClipDataset } from '../../dataset/clipDataset.js';
import { partKey, type VideoPart } from '../../dataset/videoPart.js';
import { Rng } from '../../rng.js';

export interface UnlabelledOptions {
  /** At least `count` of them. */
  readonly videos: readonly VideoPart[];
  /** Clips a pass. */
  readonly count: number;
  readonly seed: number;
  readonly weak: Augment;
  readonly strong: Augment;
}

/** Both views of the same clips. */
export interface UnlabelledBatch {
  readonly weak: ClipTensor;
  readonly strong: ClipTensor;
}

export class UnlabelledClips {
  /** The order of the latest round: shuffling for every clip would take time in proportion to the videos. */
  private order: { readonly round: number; readonly videos: readonly VideoPart[] } | undefined;
  private ahead: { readonly pass: number; readonly batch: Promise<UnlabelledBatch> } | undefined;

  constructor(
    private readonly dataset: ClipDataset,
    private readonly options: UnlabelledOptions,
  ) {}

  async at(pass: number): Promise<UnlabelledBatch> {
    const now = this.ahead?.pass === pass ? this.ahead.batch : this.read(pass);
    const batch = await now;
    const next = this.read(pass + 1);
    next.catch(() => {}); // the next pass awaits it, if any
    this.ahead = { pass: pass + 1, batch: next };
    return batch;
  }

  private async read(pass: number): Promise<UnlabelledBatch> {
    const { count, seed, weak, strong } = this.options;
    const pairs = await Promise.all(
      Array.from({ length: count }, (_, i) => {
        const { video, round } = this.item(pass * count + i);
        const view = (augment: Augment, name: string) =>
          ({ mode: 'train', keys: [seed, 'unlabelled', name, round, partKey(video)], augment }) as const;
        return this.dataset.clips(video, [view(weak, 'weak'), view(strong, 'strong')]);
      }),
    );
    const batchOf = (view: 0 | 1) => collateClips(pairs.map((clips) => ({ clips, index: view })));
    return { weak: batchOf(0), strong: batchOf(1) };
  }

  /** Item `place` of an endless list: all videos in one order, then in another. */
  private item(place: number): { video: VideoPart; round: number } {
    const { videos, seed } = this.options;
    const round = Math.floor(place / videos.length);
    if (this.order?.round !== round) {
      this.order = { round, videos: new Rng([seed, 'unlabelled order', round]).shuffle(videos) };
    }
    return { video: this.order.videos[place % videos.length] as VideoPart, round };
  }
}
