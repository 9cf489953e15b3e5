/**
 * How a video becomes the numbers a network sees: how many frames, from where, what size, which normalisation. It is data, stored
 * with the weights, so that testing and recognising do exactly what training did. Nothing here touches pixels.
 */
import { z } from 'zod';
import { ConfigError } from '../errors.js';
import type { DecodeRequest, FrameSize } from '../video/types.js';

/** ImageNet's channel means and deviations, for values in [0, 1]; the habit of the field and what public weights expect. */
export const imagenetMean = [0.485, 0.456, 0.406] as const;
export const imagenetStd = [0.229, 0.224, 0.225] as const;

/** The one colour policy there is: frames as FFmpeg's own filters convert them, tags honoured, untagged video read as BT.601. */
export const colourPolicy = 'ffmpeg-tagged-else-bt601';

const channels = z.tuple([z.number(), z.number(), z.number()]).readonly();
const deviations = z.tuple([z.number().positive(), z.number().positive(), z.number().positive()]).readonly();

export const preprocessSchema = z
  .strictObject({
    /** T: frames of one clip. */
    frames: z.int().min(1).max(512),
    /** S: the network sees S x S pixels. */
    size: z.int().min(8).max(2048),
    /** crop: short side resized to `shortSide`, S x S cut out, aspect kept; squeeze: the whole frame pressed into S x S. */
    shape: z.enum(['crop', 'squeeze']),
    /** Pixels of the shorter side before the crop, at least `size`. */
    shortSide: z.int().min(8).max(4096),
    /** Seconds from the start of a video that are never sampled. */
    fromSec: z.number().min(0),
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
  .refine((value) => value.shortSide >= value.size, {
    message: 'shortSide must be at least size',
    path: ['shortSide'],
  })
  .readonly();

export type Preprocess = z.infer<typeof preprocessSchema>;

/**
 * `frames` and `size` are the network's; everything else has a default (crop, shortSide = 8/7 size, ImageNet, flip).
 * ConfigError.
 */
export function makePreprocess(chosen: Pick<Preprocess, 'frames' | 'size'> & Partial<Preprocess>): Preprocess {
  const defaults = {
    shape: 'crop',
    shortSide: Math.round((chosen.size * 8) / 7),
    fromSec: 0,
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

/** The size at which frames are decoded: training keeps a margin for random crops, squeezed testing needs none. */
export function stripSize(preprocess: Preprocess, use: 'train' | 'test'): FrameSize {
  const { shape, shortSide, size } = preprocess;
  if (shape === 'crop') return { shortSide };
  const side = use === 'train' ? shortSide : size;
  return { width: side, height: side };
}

/**
 * What to decode to test `clips` clips that interleave over one window of the video: frame t of clip k is frame t*clips + k of
 * the strip. With one clip these are the centres of T equal segments.
 */
export function testRequest(
  preprocess: Preprocess,
  window: { readonly fromSec: number; readonly toSec: number },
  clips = 1,
): DecodeRequest {
  return { times: { evenly: preprocess.frames * clips, ...window }, size: stripSize(preprocess, 'test') };
}

/** Which frames of a strip decoded for `testRequest` make up clip `clip` of `clips`. */
export function testFrames(preprocess: Preprocess, clip = 0, clips = 1): number[] {
  return Array.from({ length: preprocess.frames }, (_, t) => t * clips + clip);
}
