/** Random views of a training clip from a seeded stream, alike for all frames. Pixels: clipToTensor, randAugment. */

import type { Rng } from '../rng.js';
import type { Augment } from './augmentOptions.js';
import type { FrameShape } from './clipShape.js';
import { type Box, type ClipTransform, pictureOf } from './crop.js';
import type { Preprocess } from './preprocess.js';
import type { AugmentOperation } from './randAugment.js';
import { drawOperations } from './randAugment.js';
import type { TimeWindow } from './temporalSampling.js';

/**
 * The random transform of one training clip whose frames have this shape. Mirrors half of the clips where preprocessing allows
 * it.
 */
export function drawTransform(rng: Rng, frame: FrameShape, preprocess: Preprocess, augment: Augment): ClipTransform {
  const box = drawBox(rng, frame, preprocess, augment);
  // Always drawn, so that the switch does not shift the stream.
  const mirrored = rng.chance(0.5);
  const gain = (by: number) => rng.uniform(1 - by, 1 + by);
  const colour = {
    brightness: gain(augment.brightness),
    contrast: gain(augment.contrast),
    saturation: gain(augment.saturation),
  };
  return { box, flip: mirrored && preprocess.flip, colour };
}

/**
 * A box of the drawn area and aspect, as far from the centre as it may reach; trimmed where it would stick out of the frame, or of
 * its padding.
 */
export function drawBox(
  rng: Rng,
  frame: FrameShape,
  preprocess: Preprocess,
  augment: Pick<Augment, 'scale' | 'aspect' | 'maxCropOffset'>,
): Box {
  const picture = trainingPicture(frame, preprocess);
  const room = preprocess.resize === 'fit' ? picture : { x: 0, y: 0, width: frame.width, height: frame.height };
  const area = picture.width * picture.height * rng.uniform(...augment.scale);
  const aspect =
    (picture.width / picture.height) * Math.exp(rng.uniform(Math.log(augment.aspect[0]), Math.log(augment.aspect[1])));
  const width = Math.min(Math.sqrt(area * aspect), room.width);
  const height = Math.min(Math.sqrt(area / aspect), room.height);
  const place = (slack: number) => slack * (0.5 + augment.maxCropOffset * (rng.uniform() - 0.5));
  const x = room.x + place(room.width - width);
  const y = room.y + place(room.height - height);
  return { x, y, width, height };
}

/** The region crops are drawn from: testing leaves out the margin, so that objects have similar sizes in training and testing. */
function trainingPicture(frame: FrameShape, preprocess: Preprocess): Box {
  const picture = pictureOf(frame, preprocess);
  if (preprocess.resize !== 'fit') return picture;
  const margin = preprocess.shortSide / Math.min(preprocess.height, preprocess.width);
  const [width, height] = [picture.width * margin, picture.height * margin];
  return { x: (frame.width - width) / 2, y: (frame.height - height) / 2, width, height };
}

/** The labels that speak of a side: a set with any of them should be trained without mirroring. */
export function sidedLabels(labels: readonly string[]): string[] {
  return labels.filter((label) =>
    /(^|[^a-z])(left|right|clockwise|counterclockwise|anticlockwise)([^a-z]|$)/i.test(spaced(label)),
  );
}

function spaced(label: string): string {
  return label.replace(/([a-z])([A-Z])/g, '$1 $2');
}

/** Effects beside the transform. */
export interface ClipEffects {
  readonly operations: readonly AugmentOperation[];
  /** Shares of the picture's sides, and the seed of its noise; undefined for none. */
  readonly erased: (Box & { readonly seed: number }) | undefined;
}

/** Drawn from a stream of its own, so that switching one part on leaves the others as they were. */
export function drawEffects(rng: Rng, augment: Augment): ClipEffects {
  const operations = drawOperations(rng.fork('operations'), augment.operations, augment.magnitude);
  return { operations, erased: drawErased(rng.fork('erase'), augment.randomErasing) };
}

/** Zhong et al. 2020 (arXiv 1708.04896), with a smaller largest area: 2 to 20 %, aspect 0.3 to 3.3. */
function drawErased(rng: Rng, chance: number): ClipEffects['erased'] {
  if (!rng.chance(chance)) return undefined;
  const area = rng.uniform(0.02, 0.2);
  const aspect = Math.exp(rng.uniform(Math.log(0.3), Math.log(3.3)));
  const width = Math.min(Math.sqrt(area * aspect), 1);
  const height = Math.min(Math.sqrt(area / aspect), 1);
  return { x: rng.uniform(0, 1 - width), y: rng.uniform(0, 1 - height), width, height, seed: rng.uint32() };
}

/**
 * Which moments of the window become frames: a part of it by `temporalScale`, a moment of each equal segment by `jitter`.
 * Increasing.
 */
export function drawTimes(rng: Rng, window: TimeWindow, frames: number, augment: Augment): number[] {
  const wholeSec = window.endSec - window.startSec;
  const spanSec = wholeSec * rng.uniform(...augment.temporalScale);
  const startSec = window.startSec + rng.uniform(0, wholeSec - spanSec);
  const segmentSec = spanSec / frames;
  const timesSec = Array.from({ length: frames }, (_, t) => {
    return startSec + (t + 0.5 + augment.jitter * (rng.uniform() - 0.5)) * segmentSec;
  });
  return rng.chance(augment.temporalWarp) ? warped(rng, timesSec) : timesSec;
}

/** Keeps 2 or 4 of the frames, each held until a random moment between it and the next. */
function warped(rng: Rng, timesSec: readonly number[]): number[] {
  const frames = timesSec.length;
  const keep = Math.min(rng.pick([2, 4]), frames);
  const kept = Array.from({ length: keep }, (_, i) => Math.floor(((i + rng.uniform()) * frames) / keep));
  const bounds = kept.slice(1).map((next, i) => rng.uniform((kept[i] as number) + 0.5, next));
  return timesSec.map((_, t) => timesSec[kept[bounds.filter((bound) => t >= bound).length] as number] as number);
}
