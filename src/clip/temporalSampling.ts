import { ConfigError } from '../errors.js';
import type { TimeWindow, VideoInfo } from '../video/types.js';

export type { TimeWindow };

/** `whole`: the video is too short to start at `startSec`, so all of it is used. */
export interface UsedWindow extends TimeWindow {
  readonly whole: boolean;
}

/** Where a video's picture lies on a player's clock, and its frames a second where they count. */
export type Span = Pick<VideoInfo, 'firstFrameSec' | 'durationSec'> & { readonly frameRate?: number };

/** The stretch to sample: from `skipSec` after the first frame to the end; all of a video that ends before that plus one frame. */
export function usedWindow({ firstFrameSec, durationSec, frameRate }: Span, skipSec: number): UsedWindow {
  const [startSec, endSec] = [firstFrameSec + skipSec, firstFrameSec + durationSec];
  const leastSec = frameRate === undefined ? 0 : 1 / frameRate;
  if (endSec - startSec > leastSec * 1.000001) return { startSec, endSec, whole: false };
  return { startSec: firstFrameSec, endSec, whole: skipSec > 0 };
}

/** Where each time lies among `count` equal slots of the window: the frame of a strip decoded evenly over it. */
export function slotsOf(timesSec: readonly number[], window: TimeWindow, count: number): number[] {
  const spanSec = window.endSec - window.startSec;
  return timesSec.map((timeSec) => {
    const slot = Math.floor(((timeSec - window.startSec) / spanSec) * count);
    return Number.isFinite(slot) ? Math.min(Math.max(slot, 0), count - 1) : 0;
  });
}

/** What `denseWindows` needs, all in seconds. */
export interface WindowOptions extends Omit<Span, 'frameRate'> {
  readonly windowSec: number;
  readonly strideSec: number;
  readonly startSec?: number;
}

/** Two weeks of video by the second. */
const mostWindows = 1_200_000;

/**
 * Windows of `windowSec` every `strideSec` from `startSec` after the first frame on. The last one ends at the end of the video (it overlaps more rather
 * than being cut short); a video no longer than a window gives one window, all of it.
 */
export function denseWindows(options: WindowOptions): UsedWindow[] {
  const { windowSec, strideSec } = options;
  if (!(windowSec > 0 && strideSec > 0)) {
    throw new ConfigError(`windows: expected a length and a stride above 0 s, got ${windowSec} and ${strideSec}`);
  }
  const { startSec, endSec, whole } = usedWindow(options, options.startSec ?? 0);
  const lastSec = endSec - windowSec;
  if (lastSec <= startSec) return [{ startSec, endSec, whole }];
  // Less than a thousandth of a stride is rounding.
  const count = Math.ceil((lastSec - startSec) / strideSec - 1e-3) + 1;
  if (count > mostWindows) throw new ConfigError(`windows: ${count} of them; at most ${mostWindows}, so take a longer stride`);
  return Array.from({ length: count }, (_, i) => {
    const firstSec = i === count - 1 ? lastSec : startSec + i * strideSec;
    return { startSec: firstSec, endSec: firstSec + windowSec, whole };
  });
}
