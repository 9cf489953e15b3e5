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
    /** Area of the crop as a share of what is to be seen of the frame. */
    scale: v.optional(
      v.pipe(
        range,
        v.check(([, high]) => high <= 1, 'expected at most 1'),
      ),
      [0.65, 1],
    ),
    /** Width over height of the crop, as a multiple of the network's own, drawn evenly in its logarithm. */
    aspect: v.optional(range, [0.85, 1.18]),
    /** How far from the centre, where testing looks, the crop may lie: 0 not at all, 1 anywhere in the frame. */
    maxCropOffset: v.optional(share, 0.3),
    /** Largest change of each factor: 0.3 draws from [0.7, 1.3]. */
    brightness: v.optional(strength, 0.2),
    contrast: v.optional(strength, 0.2),
    saturation: v.optional(strength, 0.2),
    /** Share of the video that a clip spans, drawn evenly, and placed anywhere: less than 1 is slower motion. */
    temporalScale: v.optional(
      v.pipe(
        range,
        v.check(([, high]) => high <= 1, 'expected at most 1'),
      ),
      [1, 1],
    ),
    /** How far from its segment's centre a frame may be drawn: 0 the centre, 1 anywhere in the segment. */
    jitter: v.optional(share, 1),
    /** RandAugment: operations a clip (0 for none) and their magnitude in [0, 1]. */
    operations: v.optional(integer(0, 10), 0),
    magnitude: v.optional(share, 0.3),
    /** Share of clips in which a box of 2 to 20 % of the area is erased (filled with noise). */
    randomErasing: v.optional(share, 0),
    /** Share of clips of which only 2 or 4 frames are kept, held for random times (temporal warping of SVFormer). */
    temporalWarp: v.optional(share, 0),
  }),
  v.readonly(),
);

export type Augment = v.InferOutput<typeof augmentSchema>;

export const defaultAugment: Augment = v.parse(augmentSchema, {});
