/** Which height and width a network's frames get when nobody said: those that show the most of the videos at hand. Pure. */

import type { FrameShape } from '../clip/clipShape.js';

/** Sides are multiples of this: networks halve them four times and more, and odd remainders cost more than they show. */
const step = 16;

/**
 * The rectangle of at most `pixels` pixels in which whole frames of these shapes, their aspect kept, get the largest area; of equally good
 * ones the smallest. One shape for all: what does not have it is padded. The mean is over logarithms, so that landscape frames gain
 * nothing at the cost of as many portrait ones.
 */
export function pictureSize(shapes: readonly FrameShape[], pixels: number): FrameShape {
  const seen = (size: FrameShape) => shapes.reduce((sum, shape) => sum + Math.log(areaWithin(size, shape)), 0) / shapes.length;
  const sizes = candidates(pixels).sort((a, b) => a.height * a.width - b.height * b.width);
  return sizes.reduce((best, size) => (seen(size) > seen(best) + 1e-9 ? size : best));
}

/** Area of the largest rectangle of this shape inside. */
function areaWithin(inside: FrameShape, { height, width }: FrameShape): number {
  const scale = Math.min(inside.height / height, inside.width / width);
  return height * width * scale * scale;
}

/** All that are affordable; where not even one step by one step is, that one. */
function candidates(pixels: number): FrameShape[] {
  const most = Math.max(Math.floor(pixels / (step * step)), 1);
  const sides = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
  return sides(most).flatMap((h) => sides(Math.floor(most / h)).map((w) => ({ height: h * step, width: w * step })));
}
