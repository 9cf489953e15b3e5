/** Temporal sampling in seconds; augment.ts draws the times of training clips. */
import { ConfigError } from '../errors.js';

/** A stretch of video in seconds from its first frame. */
export interface TimeWindow {
  readonly fromSec: number;
  readonly toSec: number;
}

/** `whole` says that the video was too short to begin at the asked-for second, so that all of it is used instead. */
export interface UsedWindow extends TimeWindow {
  readonly whole: boolean;
}

/** The stretch to sample: from `fromSec` to the end (or `toSec`); all of a video that ends before `fromSec` plus one frame. */
export function usedWindow(
  durationSec: number,
  fromSec: number,
  options: { readonly toSec?: number; readonly frameRate?: number } = {},
): UsedWindow {
  const toSec = Math.min(options.toSec ?? durationSec, durationSec);
  const leastSec = options.frameRate === undefined ? 0 : 1 / options.frameRate;
  if (toSec - fromSec > leastSec * 1.000001) return { fromSec, toSec, whole: false };
  return { fromSec: 0, toSec: durationSec, whole: fromSec > 0 };
}

/** Where each time lies among `count` equal slots of the window: the frame of a strip decoded evenly over it. */
export function slotsOf(timesSec: readonly number[], window: TimeWindow, count: number): number[] {
  const spanSec = window.toSec - window.fromSec;
  return timesSec.map((timeSec) => {
    const slot = Math.floor(((timeSec - window.fromSec) / spanSec) * count);
    return Number.isFinite(slot) ? Math.min(Math.max(slot, 0), count - 1) : 0;
  });
}

/** What `denseWindows` needs, all in seconds. */
export interface WindowOptions {
  readonly durationSec: number;
  readonly windowSec: number;
  readonly strideSec: number;
  readonly fromSec?: number;
}

/**
 * Windows of `windowSec` every `strideSec` from `fromSec` on. The last one ends at the end of the video (it overlaps more rather
 * than being cut short); a video no longer than a window gives one window, all of it.
 */
export function denseWindows(options: WindowOptions): UsedWindow[] {
  const { durationSec, windowSec, strideSec } = options;
  if (!(windowSec > 0 && strideSec > 0)) {
    throw new ConfigError(`windows: expected a length and a stride above 0 s, got ${windowSec} and ${strideSec}`);
  }
  const { fromSec, toSec, whole } = usedWindow(durationSec, options.fromSec ?? 0);
  const lastSec = toSec - windowSec;
  if (lastSec <= fromSec) return [{ fromSec, toSec, whole }];
  // Less than a thousandth of a stride is rounding.
  const count = Math.ceil((lastSec - fromSec) / strideSec - 1e-3) + 1;
  return Array.from({ length: count }, (_, i) => {
    const startSec = i === count - 1 ? lastSec : fromSec + i * strideSec;
    return { fromSec: startSec, toSec: startSec + windowSec, whole };
  });
}
