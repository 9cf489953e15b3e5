import * as v from 'valibot';
import { integer, number, positive, share } from '../schema.js';

const range = v.pipe(
  v.strictTuple([positive, positive]),
  v.check(([low, high]) => low <= high, 'expected low <= high'),
  v.readonly(),
);
const strength = number(0, 0.95);

export const augmentSchema = v.pipe(
  v.strictObject({
    /** Area of the crop as a share of the visible frame. */
    scale: v.optional(
      v.pipe(
        range,
        v.check(([, high]) => high <= 1, 'expected at most 1'),
      ),
      [0.65, 1],
    ),
    /** Aspect of the crop as a multiple of the network's own, log-uniform. */
    aspect: v.optional(range, [0.85, 1.18]),
    /** Offset of the crop from the centre, where testing looks: 0 none, 1 anywhere in the frame. */
    maxCropOffset: v.optional(share, 0.3),
    /** Largest change of each factor: 0.3 draws from [0.7, 1.3]. */
    brightness: v.optional(strength, 0.2),
    contrast: v.optional(strength, 0.2),
    saturation: v.optional(strength, 0.2),
    /** Share of the video that a clip spans, uniform and placed anywhere: less than 1 is slower motion. */
    temporalScale: v.optional(
      v.pipe(
        range,
        v.check(([, high]) => high <= 1, 'expected at most 1'),
      ),
      [1, 1],
    ),
    /** Jitter of a frame within its segment: 0 the centre, 1 anywhere. */
    jitter: v.optional(share, 1),
    /** RandAugment: operations a clip (0 for none) and their magnitude in [0, 1]. */
    operations: v.optional(integer(0, 10), 0),
    magnitude: v.optional(share, 0.3),
    /** Share of clips with a box of 2 to 20 % of the area erased (filled with noise). */
    randomErasing: v.optional(share, 0),
    /** Share of clips with temporal warping (SVFormer): 2 or 4 frames, held for random times. */
    temporalWarp: v.optional(share, 0),
  }),
  v.readonly(),
);

export type Augment = v.InferOutput<typeof augmentSchema>;

export const defaultAugment: Augment = v.parse(augmentSchema, {});
