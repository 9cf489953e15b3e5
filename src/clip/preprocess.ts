/** Preprocessing as data, stored with the weights, so that training, testing and inference agree. */
import * as v from 'valibot';
import { ConfigError } from '../errors.js';
import { faultsOf, integer, number, positive } from '../schema.js';

/** ImageNet's channel means and deviations, for values in [0, 1]; the habit of the field and what public weights expect. */
export const imagenetMean = [0.485, 0.456, 0.406] as const;
export const imagenetStd = [0.229, 0.224, 0.225] as const;

/** The one colour policy there is: frames as FFmpeg's own filters convert them, tags honoured, untagged video read as BT.601. */
export const colourPolicy = 'ffmpeg-tagged-else-bt601';

const channels = v.pipe(v.strictTuple([number(), number(), number()]), v.readonly());
const deviations = v.pipe(v.strictTuple([positive, positive, positive]), v.readonly());

/** How a frame of another shape becomes the network's rectangle. */
export const resizes = ['crop', 'fit', 'stretch'] as const;

export const preprocessSchema = v.pipe(
  v.strictObject({
    frames: integer(1, 512),
    height: integer(8, 2048),
    width: integer(8, 2048),
    /** crop: the middle of the frame; fit: the whole frame, padded; stretch: the whole frame, its aspect ignored. */
    resize: v.picklist(resizes),
    /** Pixels of the rectangle's shorter side before the margin is cut, at least the shorter of `height` and `width`. */
    shortSide: integer(8, 4096),
    /** Seconds at the start that are never sampled. */
    startSec: number(0),
    mean: channels,
    std: deviations,
    /** Whether a mirrored clip still has its label: false when classes tell left from right. */
    flip: v.boolean(),
    colour: v.literal(colourPolicy),
    /** Median span of a training clip, the window for a timeline of a long video; absent when unknown. */
    windowSec: v.optional(positive),
  }),
  v.forward(
    v.partialCheck(
      [['shortSide'], ['height'], ['width']],
      ({ shortSide, height, width }) => shortSide >= Math.min(height, width),
      'shortSide must be at least the shorter of height and width',
    ),
    ['shortSide'],
  ),
  v.readonly(),
);

export type Preprocess = v.InferOutput<typeof preprocessSchema>;

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
  const parsed = v.safeParse(preprocessSchema, value);
  if (parsed.success) return parsed.output;
  throw new ConfigError(`${where}: ${faultsOf(parsed.issues).join('; ')}`);
}
