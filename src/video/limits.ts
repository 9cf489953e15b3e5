import { LimitError } from '../errors.js';
import type { VideoLimits } from './types.js';

/** Generous for anything filmed: 8K frames, four hours, two million frames. */
export const defaultLimits: VideoLimits = { maxPixels: 8192 * 4352, maxDurationSec: 4 * 3600, maxFrames: 2_000_000 };

/** Upper bound of a frame stack, whatever is requested. */
export const maxStripBytes = 2 ** 30;

/** The bound for FFmpeg's own `max_pixels`, which counts padded rows: a safety net below the exact check. */
export const ffmpegMaxPixels = ({ maxPixels }: VideoLimits): string => String(2 * maxPixels + 65536);

export function checkPixels(path: string, width: number, height: number, { maxPixels }: VideoLimits): void {
  if (width * height <= maxPixels) return;
  throw new LimitError(`frames of ${width}x${height} are more than ${maxPixels} pixels; raise maxPixels if that is meant`, {
    path,
  });
}

export function checkDuration(path: string, durationSec: number, { maxDurationSec }: VideoLimits): void {
  if (!(durationSec > maxDurationSec)) return;
  throw new LimitError(
    `lasts ${durationSec.toFixed(1)} s, more than ${maxDurationSec} s; cut it, or raise maxDurationSec if that is meant`,
    { path },
  );
}

export function checkFrames(path: string, frames: number, { maxFrames }: VideoLimits): void {
  if (frames <= maxFrames) return;
  throw new LimitError(`has more than ${maxFrames} frames; cut it, or raise maxFrames if that is meant`, { path });
}

export function checkStrip(path: string, frames: number, width: number, height: number): void {
  const bytes = frames * width * height * 3;
  if (bytes <= maxStripBytes) return;
  throw new LimitError(
    `${frames} frames of ${width}x${height} are ${bytes} bytes, more than ${maxStripBytes}; ask for fewer or smaller frames`,
    { path },
  );
}
