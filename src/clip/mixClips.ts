/**
 * mixup (Zhang et al. 2018, arXiv 1710.09412) and cutmix (Yun et al. 2019, arXiv 1905.04899; one box for all frames) within a
 * batch; targets are mixed in proportion.
 */

import type { Rng } from '../rng.js';
import { type ClipTensor, framesAt, frameValues } from './clipTensor.js';

export interface MixOptions {
  /** Shape of the Beta distribution that the share of mixup is drawn from; 0 for no mixup. */
  readonly mixup: number;
  /** The same for the area of cutmix; 0 for no cutmix. */
  readonly cutmix: number;
  /** Share of batches that are mixed. */
  readonly mixProb: number;
}

/** Clips and targets [B, classes]; both are written over. */
export interface MixableBatch {
  readonly clips: ClipTensor;
  readonly targets: Float32Array;
}

/** Mixes each clip with another of the batch, or leaves the batch unchanged, at random. With both kinds on, one of them. */
export function mixClips({ clips, targets }: MixableBatch, rng: Rng, options: MixOptions): void {
  const { mixup, cutmix, mixProb } = options;
  if (mixup === 0 && cutmix === 0) return;
  if (!rng.chance(mixProb)) return;
  const useCutmix = cutmix > 0 && (mixup === 0 || rng.chance(0.5));
  const share = beta(rng, useCutmix ? cutmix : mixup);
  const partners = derangement(rng, clips.count);
  const kept = useCutmix ? pasteBoxes(clips, partners, drawBox(rng, share, clips)) : blendClips(clips, partners, share);
  mixTargets(targets, targets.length / clips.count, partners, kept);
}

interface PixelBox {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Area about 1 - share, clipped at the border. */
function drawBox(rng: Rng, share: number, { height, width }: Pick<ClipTensor, 'height' | 'width'>): PixelBox {
  const [halfX, halfY] = [(Math.sqrt(1 - share) * width) / 2, (Math.sqrt(1 - share) * height) / 2];
  const [x, y] = [rng.integer(width), rng.integer(height)];
  const at = (value: number, edge: number) => Math.min(Math.max(Math.round(value), 0), edge);
  return { left: at(x - halfX, width), right: at(x + halfX, width), top: at(y - halfY, height), bottom: at(y + halfY, height) };
}

function pasteBoxes(clips: ClipTensor, partners: readonly number[], box: PixelBox): number {
  const { height, width } = clips;
  const count = box.right - box.left;
  const rows = Array.from({ length: box.bottom - box.top }, (_, y) => ({ from: (box.top + y) * width + box.left, count }));
  pasteRows(clips, partners, rows);
  return 1 - (count * rows.length) / (height * width);
}

/** Part of a row: `count` pixels of each channel from `from` on. */
export interface RowPart {
  readonly from: number;
  readonly count: number;
}

/** Writes these pixels of the partners over those of each clip, in all frames. */
export function pasteRows(clips: ClipTensor, partners: readonly number[], rows: readonly RowPart[]): void {
  const [image, plane] = [frameValues(clips), clips.height * clips.width];
  for (let t = 0; t < clips.frames; t++) {
    const frames = framesAt(clips, t);
    const before = frames.slice();
    for (const { from, count } of rows) {
      for (let at = from; at < image; at += plane) {
        partners.forEach((partner, b) => {
          frames.set(before.subarray(partner * image + at, partner * image + at + count), b * image + at);
        });
      }
    }
  }
}

function blendClips(clips: ClipTensor, partners: readonly number[], share: number): number {
  const image = frameValues(clips);
  for (let t = 0; t < clips.frames; t++) {
    const frames = framesAt(clips, t);
    const before = frames.slice();
    partners.forEach((partner, b) => {
      const [to, from] = [b * image, partner * image];
      for (let i = 0; i < image; i++) {
        frames[to + i] = share * (frames[to + i] as number) + (1 - share) * (before[from + i] as number);
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
