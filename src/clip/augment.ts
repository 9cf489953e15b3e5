/**
 * Random views of a training clip: a random resized crop, a mirror where labels allow it, colour jitter. Drawn once per clip
 * from a seeded stream; applying it is writeClip's work.
 */
import { z } from 'zod';
import type { Rng } from '../rng.js';
import type { Box, ClipTransform, FrameShape } from './crop.js';
import type { Preprocess } from './preprocess.js';

const range = z
  .tuple([z.number().positive(), z.number().positive()])
  .refine(([low, high]) => low <= high, 'expected low <= high')
  .readonly();
const strength = z.number().min(0).max(0.95);

export const augmentSchema = z
  .strictObject({
    /** Area of the crop as a share of the largest square in the frame. */
    scale: range.refine(([, high]) => high <= 1, 'expected at most 1').default([0.65, 1]),
    /** Width over height of the crop, drawn evenly in its logarithm. */
    aspect: range.default([0.85, 1.18]),
    /** How far from the centre, where testing looks, the crop may lie: 0 not at all, 1 anywhere in the frame. */
    reach: z.number().min(0).max(1).default(0.3),
    /** Largest change of each factor: 0.3 draws from [0.7, 1.3]. */
    brightness: strength.default(0.2),
    contrast: strength.default(0.2),
    saturation: strength.default(0.2),
  })
  .readonly();

export type Augment = z.infer<typeof augmentSchema>;

export const defaultAugment: Augment = augmentSchema.parse({});

/**
 * The random transform of one training clip whose frames have this shape. Mirrors half of the clips where preprocessing allows
 * it.
 */
export function drawTransform(rng: Rng, frame: FrameShape, preprocess: Preprocess, augment: Augment): ClipTransform {
  const box = drawBox(rng, frame, augment);
  // Always drawn, so that the switch changes nothing else about a seed.
  const mirrored = rng.chance(0.5);
  const gain = (by: number) => rng.uniform(1 - by, 1 + by);
  const colour = {
    brightness: gain(augment.brightness),
    contrast: gain(augment.contrast),
    saturation: gain(augment.saturation),
  };
  return { box, flip: mirrored && preprocess.flip, colour };
}

/** A box of the drawn area and aspect, as far from the centre as it may reach; trimmed where it would stick out. */
export function drawBox(rng: Rng, frame: FrameShape, augment: Pick<Augment, 'scale' | 'aspect' | 'reach'>): Box {
  const square = Math.min(frame.width, frame.height);
  const area = square * square * rng.uniform(...augment.scale);
  const aspect = Math.exp(rng.uniform(Math.log(augment.aspect[0]), Math.log(augment.aspect[1])));
  const width = Math.min(Math.sqrt(area * aspect), frame.width);
  const height = Math.min(Math.sqrt(area / aspect), frame.height);
  const place = (room: number) => room * (0.5 + augment.reach * (rng.uniform() - 0.5));
  const x = place(frame.width - width);
  const y = place(frame.height - height);
  return { x, y, width, height };
}

/** The labels that speak of a side: a set with any of them should be trained without mirroring. */
export function sidedLabels(labels: readonly string[]): string[] {
  return labels.filter((label) =>
    /(^|[^a-z])(left|right|clockwise|counterclockwise|anticlockwise)([^a-z]|$)/i.test(spaced(label)),
  );
}

/** swipeLeft and SWIPE_LEFT both become words. */
function spaced(label: string): string {
  return label.replace(/([a-z])([A-Z])/g, '$1 $2');
}
