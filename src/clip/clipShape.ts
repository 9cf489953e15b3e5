/** Sizes of clips and of the frames they are sampled from. */

import type { FrameSize } from '../video/types.js';
import type { Preprocess } from './preprocess.js';

/** Pixels of a frame. */
export interface FrameShape {
  readonly width: number;
  readonly height: number;
}

/** Frames of a clip, and their pixels. */
export type ClipShape = Pick<Preprocess, 'frames' | 'height' | 'width'>;

/** Whether clips of one form are clips of the other. */
export const sameClips = (a: ClipShape, b: ClipShape): boolean =>
  a.frames === b.frames && a.height === b.height && a.width === b.width;

/** Height and width of frames for the reader, as `--size` takes them. */
export const sizeText = ({ height, width }: FrameShape): string => (height === width ? String(height) : `${height}x${width}`);

/** Numbers in one clip [T, 3, H, W]. */
export const clipLength = ({ frames, height, width }: ClipShape): number => frames * 3 * height * width;

/** The size at which frames are decoded: training keeps a margin for random crops; in testing only `crop` has one. */
export function decodeSize(preprocess: Preprocess, use: 'train' | 'test'): FrameSize {
  const { resize, shortSide, height, width } = preprocess;
  const margin = resize === 'crop' || use === 'train' ? shortSide / Math.min(height, width) : 1;
  const size = { width: Math.round(width * margin), height: Math.round(height * margin) };
  if (resize === 'stretch') return size;
  return { ...size, keepAspect: resize === 'crop' ? 'cover' : 'within' };
}

/** Which of T * clips evenly spaced frames make up clip `clip` of `clips` that interleave: frame t is number t * clips + clip. */
export function testFrames(preprocess: Preprocess, clip = 0, clips = 1): number[] {
  return Array.from({ length: preprocess.frames }, (_, t) => t * clips + clip);
}
