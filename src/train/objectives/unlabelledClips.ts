/**
 * Unlabelled clips, each with a weak view for the teacher and a strong one for the student. The choice depends only on seed and
 * pass; those of the next pass are prefetched.
 */

import type { Augment } from '../../clip/augmentOptions.js';
import { type ClipTensor, collateClips } from '../../clip/clipTensor.js';
import type { ClipDataset } from '../../dataset/clipDataset.js';
import { Rng } from '../../rng.js';

export interface UnlabelledOptions {
  /** Absolute paths, at least `count` of them. */
  readonly paths: readonly string[];
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
  private order: { readonly round: number; readonly paths: readonly string[] } | undefined;
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
        const { path, round } = this.item(pass * count + i);
        const view = (augment: Augment, name: string) =>
          ({ mode: 'train', keys: [seed, 'unlabelled', name, round, path], augment }) as const;
        return this.dataset.clips({ path }, [view(weak, 'weak'), view(strong, 'strong')]);
      }),
    );
    const batchOf = (view: 0 | 1) => collateClips(pairs.map((clips) => ({ clips, index: view })));
    return { weak: batchOf(0), strong: batchOf(1) };
  }

  /** Item `place` of an endless list: all videos in one order, then in another. */
  private item(place: number): { path: string; round: number } {
    const { paths, seed } = this.options;
    const round = Math.floor(place / paths.length);
    if (this.order?.round !== round) {
      this.order = { round, paths: new Rng([seed, 'unlabelled order', round]).shuffle(paths) };
    }
    return { path: this.order.paths[place % paths.length] as string, round };
  }
}
