import { z } from 'zod';

const range = z
  .tuple([z.number().positive(), z.number().positive()])
  .refine(([low, high]) => low <= high, 'expected low <= high')
  .readonly();
const strength = z.number().min(0).max(0.95);

export const augmentSchema = z
  .strictObject({
    /** Area of the crop as a share of what is to be seen of the frame. */
    scale: range.refine(([, high]) => high <= 1, 'expected at most 1').default([0.65, 1]),
    /** Width over height of the crop, as a multiple of the network's own, drawn evenly in its logarithm. */
    aspect: range.default([0.85, 1.18]),
    /** How far from the centre, where testing looks, the crop may lie: 0 not at all, 1 anywhere in the frame. */
    maxCropOffset: z.number().min(0).max(1).default(0.3),
    /** Largest change of each factor: 0.3 draws from [0.7, 1.3]. */
    brightness: strength.default(0.2),
    contrast: strength.default(0.2),
    saturation: strength.default(0.2),
    /** Share of the video that a clip spans, drawn evenly, and placed anywhere: less than 1 is slower motion. */
    temporalScale: range.refine(([, high]) => high <= 1, 'expected at most 1').default([1, 1]),
    /** How far from its segment's centre a frame may be drawn: 0 the centre, 1 anywhere in the segment. */
    jitter: z.number().min(0).max(1).default(1),
    /** RandAugment: operations a clip (0 for none) and their magnitude in [0, 1]. */
    operations: z.int().min(0).max(10).default(0),
    magnitude: z.number().min(0).max(1).default(0.3),
    /** Share of clips in which a box of 2 to 20 % of the area is erased (filled with noise). */
    randomErasing: z.number().min(0).max(1).default(0),
    /** Share of clips of which only 2 or 4 frames are kept, held for random times (temporal warping of SVFormer). */
    temporalWarp: z.number().min(0).max(1).default(0),
  })
  .readonly();

export type Augment = z.infer<typeof augmentSchema>;

export const defaultAugment: Augment = augmentSchema.parse({});
