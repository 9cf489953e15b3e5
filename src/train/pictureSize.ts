import type { FrameShape } from '../clip/clipShape.js';
import { type Preprocess, resizes } from '../clip/preprocess.js';

/** Sides are multiples of this: networks halve them at least four times, and odd remainders cost more than they show. */
const step = 16;

/**
 * Share of a frame hidden by a centre square from which frames are resized whole. A square of 4:3 hides a quarter, of 16:9 44 %.
 * On clips of 4:3 cut to the action the square was better (33 against 30 of 37, bench ut-interaction, seed 0, two versions); with
 * players at the edges of 16:9 it loses half.
 */
const hiddenLimit = 1 / 3;

export interface FrameForm extends FrameShape {
  readonly resize: Preprocess['resize'];
  readonly reason: string;
}

/** Frame size and resize for videos of these shapes, with the pixels of `square`; `asked`: a resize chosen by the user. */
export function frameForm(shapes: readonly FrameShape[], square: FrameShape, asked?: Preprocess['resize']): FrameForm {
  const hidden = hiddenShare(shapes);
  const resize = asked ?? (hidden < hiddenLimit ? 'crop' : 'fit');
  return formOf(resize, shapes, square, `a middle square hides ${Math.round(100 * hidden)} % of them`);
}

function formOf(resize: FrameForm['resize'], shapes: readonly FrameShape[], square: FrameShape, reason: string): FrameForm {
  if (resize === 'crop' || shapes.length === 0) return { ...square, resize, reason };
  return { ...pictureSize(shapes, square.height * square.width), resize, reason };
}

const hiddenShare = (shapes: readonly FrameShape[]): number =>
  median(shapes.map(({ height, width }) => 1 - Math.min(height, width) / Math.max(height, width)));

/** Below this hidden share all ways to resize a frame are nearly the same. */
const trifle = 0.05;

/** Every way to see videos of these shapes with the pixels of `square`, the one of `frameForm` first. */
export function frameForms(shapes: readonly FrameShape[], square: FrameShape): FrameForm[] {
  const usual = frameForm(shapes, square);
  if (hiddenShare(shapes) < trifle) return [usual];
  return [
    usual,
    ...resizes.filter((resize) => resize !== usual.resize).map((resize) => formOf(resize, shapes, square, usual.reason)),
  ];
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

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

/** All affordable sizes; at least one step by one step. */
function candidates(pixels: number): FrameShape[] {
  const most = Math.max(Math.floor(pixels / (step * step)), 1);
  const sides = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
  return sides(most).flatMap((h) => sides(Math.floor(most / h)).map((w) => ({ height: h * step, width: w * step })));
}
