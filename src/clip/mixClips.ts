/**
 * Mixes the clips of a training batch pairwise: mixup (Zhang et al. 2018, arXiv 1710.09412) blends two clips, cutmix (Yun et al. 2019,
 * arXiv 1905.04899) puts a box of one into the other, the same box in all frames. Targets are mixed in the same proportion.
 */

import type { Rng } from '../rng.js';

export interface MixOptions {
  /** Shape of the Beta distribution that the share of mixup is drawn from; 0 for no mixup. */
  readonly mixup: number;
  /** The same for the area of cutmix; 0 for no cutmix. */
  readonly cutmix: number;
  /** Share of batches that are mixed. */
  readonly mixChance: number;
}

/** Pixels [T*B, 3, H, W] with time outermost, and targets [B, classes]; both are written over. */
export interface MixableBatch {
  readonly clips: Float32Array;
  readonly targets: Float32Array;
  readonly size: number;
  readonly frames: number;
  readonly height: number;
  readonly width: number;
}

/** Mixes each clip with another of the batch, or leaves the batch as it is: as the stream says. With both kinds on, one of them. */
export function mixClips(batch: MixableBatch, rng: Rng, options: MixOptions): void {
  const { mixup, cutmix, mixChance } = options;
  if (mixup === 0 && cutmix === 0) return;
  if (!rng.chance(mixChance)) return;
  const useCutmix = cutmix > 0 && (mixup === 0 || rng.chance(0.5));
  const share = beta(rng, useCutmix ? cutmix : mixup);
  const partners = derangement(rng, batch.size);
  const kept = useCutmix ? pasteBoxes(batch, partners, drawBox(rng, share, batch)) : blendClips(batch, partners, share);
  mixTargets(batch.targets, batch.targets.length / batch.size, partners, kept);
}

interface PixelBox {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** A box of about 1 - share of the area, centred anywhere, cut off at the border. */
function drawBox(rng: Rng, share: number, { height, width }: Pick<MixableBatch, 'height' | 'width'>): PixelBox {
  const [halfX, halfY] = [(Math.sqrt(1 - share) * width) / 2, (Math.sqrt(1 - share) * height) / 2];
  const [x, y] = [rng.integer(width), rng.integer(height)];
  const at = (value: number, edge: number) => Math.min(Math.max(Math.round(value), 0), edge);
  return { left: at(x - halfX, width), right: at(x + halfX, width), top: at(y - halfY, height), bottom: at(y + halfY, height) };
}

/** Puts the partner's box into each clip. Gives the share of a clip that stays its own. */
function pasteBoxes({ clips, size, frames, height, width }: MixableBatch, partners: readonly number[], box: PixelBox): number {
  const plane = height * width;
  const image = 3 * plane;
  const pasted = box.right - box.left;
  for (let t = 0; t < frames; t++) {
    const before = clips.slice(t * size * image, (t + 1) * size * image);
    partners.forEach((partner, b) => {
      for (let c = 0; c < 3; c++) {
        for (let y = box.top; y < box.bottom; y++) {
          const at = c * plane + y * width + box.left;
          clips.set(before.subarray(partner * image + at, partner * image + at + pasted), (t * size + b) * image + at);
        }
      }
    });
  }
  return 1 - (pasted * (box.bottom - box.top)) / plane;
}

function blendClips({ clips, size, frames, height, width }: MixableBatch, partners: readonly number[], share: number): number {
  const image = 3 * height * width;
  for (let t = 0; t < frames; t++) {
    const before = clips.slice(t * size * image, (t + 1) * size * image);
    partners.forEach((partner, b) => {
      const to = (t * size + b) * image;
      const from = partner * image;
      for (let i = 0; i < image; i++) {
        clips[to + i] = share * (clips[to + i] as number) + (1 - share) * (before[from + i] as number);
      }
    });
  }
  return share;
}

/** Rows of targets [B, classes] in the proportion in which their clips were mixed. */
export function mixTargets(targets: Float32Array, classes: number, partners: readonly number[], kept: number): void {
  const before = targets.slice();
  partners.forEach((partner, b) => {
    for (let k = 0; k < classes; k++) {
      const [own, other] = [before[b * classes + k] as number, before[partner * classes + k] as number];
      targets[b * classes + k] = kept * own + (1 - kept) * other;
    }
  });
}

/** A partner for each clip, never itself: a shuffled cycle. */
export function derangement(rng: Rng, size: number): number[] {
  const order = rng.shuffle(Array.from({ length: size }, (_, i) => i));
  const partners = new Array<number>(size).fill(0);
  order.forEach((clip, i) => {
    partners[clip] = order[(i + 1) % size] as number;
  });
  return partners;
}

/** Beta(a, a) as the share of two gamma variables. */
export function beta(rng: Rng, a: number): number {
  const [x, y] = [gamma(rng, a), gamma(rng, a)];
  return x + y === 0 ? 0.5 : x / (x + y);
}

/** Marsaglia and Tsang 2000, with their boost for shapes below 1. */
function gamma(rng: Rng, shape: number): number {
  if (shape < 1) return gamma(rng, shape + 1) * (1 - rng.uniform()) ** (1 / shape);
  const d = shape - 1 / 3;
  for (;;) {
    const x = rng.normal();
    const v = (1 + x / Math.sqrt(9 * d)) ** 3;
    const u = 1 - rng.uniform();
    if (v > 0 && Math.log(u) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}
