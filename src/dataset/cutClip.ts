/**
 * Cuts one clip out of a strip: which of its frames, which transform. Deterministic in the view; everything random comes from
 * its keys.
 */
import { type Augment, drawTransform } from '../clip/augment.js';
import { type ClipTransform, testTransform } from '../clip/crop.js';
import { type Preprocess, testFrames } from '../clip/preprocess.js';
import { slotsOf, uniformSegments } from '../clip/segments.js';
import { writeClip } from '../clip/writeClip.js';
import { Rng } from '../rng.js';
import type { ClipView } from './clipTasks.js';
import type { Strip } from './strip.js';

/** The clip as [T, 3, S, S]. The strip must have been decoded for the view: see `slotCount`. */
export function cutClip(strip: Strip, view: ClipView, preprocess: Preprocess, augment: Augment): Float32Array {
  const { frames, size } = preprocess;
  const out = new Float32Array(frames * 3 * size * size);
  const { slots, transform } = view.mode === 'train' ? drawn(strip, view, preprocess, augment) : fixed(strip, view, preprocess);
  const chosen = slots.map((slot) => strip.slots[slot] ?? -1);
  writeClip(strip, chosen, transform, preprocess, out, 1, 0);
  return out;
}

interface Cut {
  readonly slots: readonly number[];
  readonly transform: ClipTransform;
}

type Of<Mode> = Extract<ClipView, { mode: Mode }>;

function drawn(strip: Strip, { keys }: Of<'train'>, preprocess: Preprocess, augment: Augment): Cut {
  const rng = new Rng(keys);
  const slots = jitteredSlots(strip, preprocess, rng);
  return { slots, transform: drawTransform(rng, strip, preprocess, augment) };
}

function fixed(strip: Strip, { clip, clips, crop, crops }: Of<'test'>, preprocess: Preprocess): Cut {
  return { slots: testFrames(preprocess, clip, clips), transform: testTransform(strip, preprocess, crop, crops) };
}

function jitteredSlots(strip: Strip, preprocess: Preprocess, rng: Rng): number[] {
  const { fromSec, toSec } = strip.window;
  const segments = uniformSegments({ frames: preprocess.frames, durationSec: toSec, fromSec, toSec, rng });
  return slotsOf(segments.timesSec, segments.window, strip.slots.length);
}

/** Evenly spaced frames that a strip needs for such a view. */
export function slotCount(view: ClipView, preprocess: Preprocess, candidates: number): number {
  return view.mode === 'train' ? candidates : preprocess.frames * (view.clips ?? 1);
}
