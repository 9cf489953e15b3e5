/** Preprocessing as data, stored with the weights, so that training, testing and inference agree. */
import { z } from 'zod';
import { ConfigError } from '../errors.js';

/** ImageNet's channel means and deviations, for values in [0, 1]; the habit of the field and what public weights expect. */
export const imagenetMean = [0.485, 0.456, 0.406] as const;
export const imagenetStd = [0.229, 0.224, 0.225] as const;

/** The one colour policy there is: frames as FFmpeg's own filters convert them, tags honoured, untagged video read as BT.601. */
export const colourPolicy = 'ffmpeg-tagged-else-bt601';

const channels = z.tuple([z.number(), z.number(), z.number()]).readonly();
const deviations = z.tuple([z.number().positive(), z.number().positive(), z.number().positive()]).readonly();

/** How a frame of another shape becomes the network's rectangle. */
export const resizes = ['crop', 'fit', 'stretch'] as const;

export const preprocessSchema = z
  .strictObject({
    /** T: frames of one clip. */
    frames: z.int().min(1).max(512),
    /** The network sees height x width pixels. */
    height: z.int().min(8).max(2048),
    width: z.int().min(8).max(2048),
    /**
     * crop: the middle of the frame; fit: the whole frame with its aspect kept, the rest of the rectangle padded; stretch: the whole
     * frame pressed into the rectangle.
     */
    resize: z.enum(resizes),
    /** Pixels of the rectangle's shorter side before the margin is cut, at least the shorter of `height` and `width`. */
    shortSide: z.int().min(8).max(4096),
    /** Seconds from the start of a video that are never sampled. */
    startSec: z.number().min(0),
    mean: channels,
    std: deviations,
    /** Whether a mirrored clip still has its label: false when classes tell left from right. */
    flip: z.boolean(),
    colour: z.literal(colourPolicy),
    /**
     * How much video one clip spanned in training (the median), the window for a timeline of a long video; absent when unknown.
     */
    windowSec: z.number().positive().optional(),
  })
  .refine((value) => value.shortSide >= Math.min(value.height, value.width), {
    message: 'shortSide must be at least the shorter of height and width',
    path: ['shortSide'],
  })
  .readonly();

export type Preprocess = z.infer<typeof preprocessSchema>;

/**
 * `frames`, `height` and `width` are the network's; everything else has a default (fit, shortSide = 8/7 of the shorter side, ImageNet, flip).
 * ConfigError.
 */
export function makePreprocess(chosen: Pick<Preprocess, 'frames' | 'height' | 'width'> & Partial<Preprocess>): Preprocess {
  const defaults = {
    resize: 'fit',
    shortSide: Math.round((Math.min(chosen.height, chosen.width) * 8) / 7),
    startSec: 0,
    mean: imagenetMean,
    std: imagenetStd,
    flip: true,
    colour: colourPolicy,
  };
  return parsePreprocess({ ...defaults, ...chosen }, 'preprocessing');
}

/** Checks preprocessing read from a file; `where` names it in the ConfigError. */
export function parsePreprocess(value: unknown, where: string): Preprocess {
  const parsed = preprocessSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'value'}: ${issue.message}`);
  throw new ConfigError(`${where}: ${faults.join('; ')}`);
}
