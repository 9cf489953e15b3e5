import { ConfigError } from '../errors.js';
import type { FrameShape } from './clipShape.js';
import type { Preprocess } from './preprocess.js';

/** A rectangle in pixels of a strip's frames; may lie between pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Factors of colour jitter; 1 leaves as is. Brightness multiplies, contrast stretches about mid-grey, saturation about luma. */
export interface ColourGains {
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
}

/** Applied to every frame of a clip: crop `box`, mirror it, change its colours. */
export interface ClipTransform {
  readonly box: Box;
  readonly flip: boolean;
  readonly colour: ColourGains;
}

export const plainColour: ColourGains = { brightness: 1, contrast: 1, saturation: 1 };

/**
 * The region of a frame that the network sees, in its aspect: the largest such rectangle inside the frame (crop), the smallest
 * one around it, which sticks out (fit), or the frame itself (stretch). Crops are relative to it.
 */
export function pictureOf({ width, height }: FrameShape, { resize, height: down, width: across }: Preprocess): Box {
  if (resize === 'stretch') return { x: 0, y: 0, width, height };
  const isWider = width * down >= height * across;
  const byHeight = isWider === (resize === 'crop');
  const picture = byHeight ? { width: height * (across / down), height } : { width, height: width * (down / across) };
  return { x: (width - picture.width) / 2, y: (height - picture.height) / 2, ...picture };
}

/**
 * The transform of test crop `crop` of `crops` (1 or 3 along the longer side, the middle one of 3 being the centre). In a strip
 * that is smaller than it was asked for, since small videos are not enlarged when decoded, the crop covers the same share of the
 * frame. ConfigError for other counts, and for 3 crops of frames that are seen whole.
 */
export function testTransform(frame: FrameShape, preprocess: Preprocess, crop = 0, crops = 1): ClipTransform {
  if (crops !== 1 && crops !== 3) throw new ConfigError(`test crops: expected 1 or 3, got ${crops}`);
  const { resize, height, width, shortSide } = preprocess;
  const picture = pictureOf(frame, preprocess);
  if (resize === 'crop') {
    const kept = (side: number) => (side * Math.min(height, width)) / shortSide;
    const cut = { width: kept(picture.width), height: kept(picture.height) };
    return { box: placed(frame, cut, crop, crops), ...untouched };
  }
  if (crops === 1) return { box: picture, ...untouched };
  throw new ConfigError(`test crops: with resize "${resize}" there is one crop, the whole frame; use 1 or resize "crop"`);
}

const untouched = { flip: false, colour: plainColour } as const;

function placed(frame: FrameShape, { width, height }: FrameShape, crop: number, crops: number): Box {
  const along = crops === 1 ? 0.5 : crop / 2;
  const [x, y] = frame.width - width >= frame.height - height ? [along, 0.5] : [0.5, along];
  return { x: (frame.width - width) * x, y: (frame.height - height) * y, width, height };
}
