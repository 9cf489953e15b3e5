import { Rng } from '../rng.js';
import type { DecodeRequest, FrameStrip } from '../video/types.js';
import { type ClipEffects, drawEffects, drawTimes, drawTransform } from './augment.js';
import type { Augment } from './augmentOptions.js';
import { decodeSize, testFrames } from './clipShape.js';
import { type ClipTensor, emptyClips } from './clipTensor.js';
import { clipToTensor, eraseBox } from './clipToTensor.js';
import type { ClipView } from './clipView.js';
import { type ClipTransform, testTransform } from './crop.js';
import type { Preprocess } from './preprocess.js';
import { applyOperations } from './randAugment.js';
import { type Span, slotsOf, type TimeWindow, type UsedWindow, usedWindow } from './temporalSampling.js';

/** Decoded frames that clips are sampled from. */
export interface FrameStack {
  readonly width: number;
  readonly height: number;
  /** [slots] the frame shown at each of the times asked for. */
  readonly slots: readonly number[];
  /** [frames, height, width, 3] */
  readonly rgb: Uint8Array;
  /** The stretch of video over which the slots lie. */
  readonly window: TimeWindow;
}

/** The request for `evenly` frames of a video, and the time window that they cover. */
export function stackRequest(
  span: Span,
  evenly: number,
  { startSec }: Pick<Preprocess, 'startSec'>,
  size: DecodeRequest['size'],
): { readonly request: DecodeRequest; readonly window: UsedWindow } {
  const window = usedWindow(span, startSec);
  const stretch = startSec === 0 ? {} : { startSec: window.startSec, endSec: window.endSec };
  return { request: { times: { evenly, ...stretch }, size }, window };
}

/** The same for the fixed views of a test: evenly spaced frames, or those on screen at these times. */
export function testStackRequest(
  info: Span,
  frames: number | readonly number[],
  preprocess: Preprocess,
): { readonly request: DecodeRequest; readonly window: UsedWindow } {
  const size = decodeSize(preprocess, 'test');
  if (typeof frames === 'number') return stackRequest(info, frames, preprocess, size);
  return { request: { times: { timesSec: frames }, size }, window: stackRequest(info, 1, preprocess, size).window };
}

/** A frame for each time asked for. */
export const stackOf = ({ width, height, rgb, timesSec }: FrameStrip, window: TimeWindow): FrameStack => ({
  ...{ width, height, rgb, window },
  slots: Array.from(timesSec, (_, slot) => slot),
});

/** The clips side by side. The stack must have been decoded for the views: see `stackLength`. */
export function sampleClips(stack: FrameStack, views: readonly ClipView[], preprocess: Preprocess, augment: Augment): ClipTensor {
  const out = emptyClips(views.length, preprocess);
  views.forEach((view, index) => {
    sampleClip(stack, sampleOf(stack, view, preprocess, augment), preprocess, out, index);
  });
  return out;
}

interface Sample {
  readonly slots: readonly number[];
  readonly transform: ClipTransform;
  readonly effects?: ClipEffects;
}

function sampleClip(
  stack: FrameStack,
  { slots, transform, effects }: Sample,
  preprocess: Preprocess,
  out: ClipTensor,
  index: number,
) {
  const frames = slots.map((slot) => stack.slots[slot] ?? -1);
  const { operations = [], erased } = effects ?? {};
  if (operations.length === 0) clipToTensor(stack, frames, transform, preprocess, out, index);
  else clipToTensor(applyOperations(stack, frames, operations), [...frames.keys()], transform, preprocess, out, index);
  if (erased) eraseBox(out, index, erased);
}

function sampleOf(stack: FrameStack, view: ClipView, preprocess: Preprocess, augment: Augment): Sample {
  switch (view.mode) {
    case 'train':
      return drawn(stack, view.keys, preprocess, view.augment ?? augment);
    case 'test':
      return {
        slots: testFrames(preprocess, view.clip, view.clips),
        transform: testTransform(stack, preprocess, view.crop, view.crops),
      };
    case 'frames':
      return { slots: view.frames, transform: testTransform(stack, preprocess) };
  }
}

function drawn(stack: FrameStack, keys: ConstructorParameters<typeof Rng>[0], preprocess: Preprocess, augment: Augment): Sample {
  const rng = new Rng(keys);
  const timesSec = drawTimes(rng.fork('time'), stack.window, preprocess.frames, augment);
  const slots = slotsOf(timesSec, stack.window, stack.slots.length);
  return { slots, transform: drawTransform(rng, stack, preprocess, augment), effects: drawEffects(rng, augment) };
}
