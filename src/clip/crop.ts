/**
 * Which rectangle of a frame becomes the network's rectangle, and what else is done to a clip: one `ClipTransform` for all its
 * frames. Here are the fixed ones of testing; augment.ts draws the random ones of training.
 */
import { ConfigError } from '../errors.js';
import type { FrameShape, Preprocess } from './preprocess.js';

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

/** What happens to every frame of a clip alike: cut `box`, mirror it, change its colours. */
export interface ClipTransform {
  readonly box: Box;
  readonly flip: boolean;
  readonly colour: ColourGains;
}

export const plainColour: ColourGains = { brightness: 1, contrast: 1, saturation: 1 };

/**
 * The transform of test crop `crop` of `crops` (1 or 3 along the longer side, the middle one of 3 being the centre). In a strip
 * that is smaller than `shortSide`, since small videos are not enlarged when decoded, the crop covers the same share of the
 * frame. ConfigError for other counts, and for 3 crops of stretched frames, which have no longer side.
 */
export function testTransform(frame: FrameShape, preprocess: Preprocess, crop = 0, crops = 1): ClipTransform {
  if (crops !== 1 && crops !== 3) throw new ConfigError(`test crops: expected 1 or 3, got ${crops}`);
  if (preprocess.resize === 'stretch') {
    if (crops !== 1) throw new ConfigError('test crops: stretched frames have one crop, the whole frame; use 1 or resize "crop"');
    return { box: { x: 0, y: 0, ...sizeOf(frame) }, flip: false, colour: plainColour };
  }
  const { width, height } = margined(frame, preprocess);
  const along = crops === 1 ? 0.5 : crop / 2;
  const [x, y] = frame.width - width >= frame.height - height ? [along, 0.5] : [0.5, along];
  const box = { x: (frame.width - width) * x, y: (frame.height - height) * y, width, height };
  return { box, flip: false, colour: plainColour };
}

/** The largest rectangle of the network's aspect in the frame, less the margin. */
function margined(frame: FrameShape, { height, width, shortSide }: Preprocess): FrameShape {
  const kept = Math.min(height, width);
  const isWider = frame.width * height >= frame.height * width;
  if (isWider) {
    const tall = (frame.height * kept) / shortSide;
    return { width: tall * (width / height), height: tall };
  }
  const wide = (frame.width * kept) / shortSide;
  return { width: wide, height: wide * (height / width) };
}

function sizeOf(frame: FrameShape): FrameShape {
  return { width: frame.width, height: frame.height };
}
