/**
 * Cuts one clip out of a strip: which of its frames, which transform. Deterministic in the view; everything random comes from
 * its keys.
 */
import { type Augment, type ClipEffects, drawEffects, drawTimes, drawTransform } from '../clip/augment.js';
import { type ClipTensor, emptyClips } from '../clip/clipTensor.js';
import { type ClipTransform, testTransform } from '../clip/crop.js';
import { type Preprocess, testFrames } from '../clip/preprocess.js';
import { applyOperations } from '../clip/randAugment.js';
import { slotsOf } from '../clip/segments.js';
import { eraseBox, writeClip } from '../clip/writeClip.js';
import { Rng } from '../rng.js';
import type { ClipView } from './clipTasks.js';
import type { Strip } from './strip.js';

/** One clip. The strip must have been decoded for the view: see `slotCount`. */
export function cutClip(strip: Strip, view: ClipView, preprocess: Preprocess, augment: Augment): ClipTensor {
  const out = emptyClips(1, preprocess);
  const cut = view.mode === 'train' ? drawn(strip, view, preprocess, view.augment ?? augment) : fixed(strip, view, preprocess);
  const chosen = cut.slots.map((slot) => strip.slots[slot] ?? -1);
  const { operations = [], erased } = cut.effects ?? {};
  if (operations.length === 0) writeClip(strip, chosen, cut.transform, preprocess, out, 0);
  else {
    const pixels = applyOperations(strip, chosen, operations);
    writeClip(pixels, [...chosen.keys()], cut.transform, preprocess, out, 0);
  }
  if (erased) eraseBox(out, 0, erased);
  return out;
}

interface Cut {
  readonly slots: readonly number[];
  readonly transform: ClipTransform;
  readonly effects?: ClipEffects;
}

type Of<Mode> = Extract<ClipView, { mode: Mode }>;

function drawn(strip: Strip, { keys }: Of<'train'>, preprocess: Preprocess, augment: Augment): Cut {
  const rng = new Rng(keys);
  const timesSec = drawTimes(rng.fork('time'), strip.window, preprocess.frames, augment);
  const slots = slotsOf(timesSec, strip.window, strip.slots.length);
  return { slots, transform: drawTransform(rng, strip, preprocess, augment), effects: drawEffects(rng, augment) };
}

function fixed(strip: Strip, { clip, clips, crop, crops }: Of<'test'>, preprocess: Preprocess): Cut {
  return { slots: testFrames(preprocess, clip, clips), transform: testTransform(strip, preprocess, crop, crops) };
}

/** Evenly spaced frames that a strip needs for such a view. */
export function slotCount(view: ClipView, preprocess: Preprocess, candidates: number): number {
  return view.mode === 'train' ? candidates : preprocess.frames * (view.clips ?? 1);
}
