/** A part of a film, opened as though it were all of it. */
import { VideoError } from '../errors.js';
import type { Timeline } from './timeline.js';
import type { TimeWindow, VideoInfo } from './types.js';

/** The stretch that was opened. */
export const windowOf = ({ firstFrameSec, durationSec }: VideoInfo): TimeWindow => ({
  startSec: firstFrameSec,
  endSec: firstFrameSec + durationSec,
});

/** Labels are rounded, to frames or hundredths of a second: so far a part may reach beyond the film. */
const slackSec = (frameSec: number): number => Math.max(frameSec, 0.1);

/**
 * Facts about the part alone, which is cut to where there is a picture. Throws VideoError for a part without one, or that reaches
 * beyond the film.
 */
export function infoOfPart(info: VideoInfo, { slots, frameSec }: Timeline, part: TimeWindow | undefined): VideoInfo {
  if (part === undefined) return info;
  const window = partWithin(info.path, part, windowOf(info), filmEnd(info), slackSec(frameSec));
  const frames = slots.filter(({ startSec }, index) => {
    return startSec < window.endSec && (slots[index + 1]?.startSec ?? window.endSec) > window.startSec;
  });
  return { ...info, firstFrameSec: window.startSec, durationSec: window.endSec - window.startSec, frameCount: frames.length };
}

/** Sound may outlast the picture. */
function filmEnd(info: VideoInfo): number {
  return Math.max(windowOf(info).endSec, Number.isFinite(info.headerDurationSec) ? info.headerDurationSec : 0);
}

/** The part of the picture that is wanted. `endSec`: of the film. */
function partWithin(path: string, part: TimeWindow, picture: TimeWindow, endSec: number, slack: number): TimeWindow {
  const [from, to] = [part.startSec, part.endSec].map((sec) => sec.toFixed(3));
  if (!(part.startSec >= 0 && part.endSec > part.startSec))
    throw new VideoError(`the part from ${from} to ${to} s ends before it begins, or begins before 0`, { path });
  if (part.endSec > endSec + slack)
    throw new VideoError(`the part from ${from} to ${to} s is not in the film, which ends at ${endSec.toFixed(3)} s`, { path });
  const window = { startSec: Math.max(part.startSec, picture.startSec), endSec: Math.min(part.endSec, picture.endSec) };
  if (window.endSec > window.startSec) return window;
  const runs = `${picture.startSec.toFixed(3)} to ${picture.endSec.toFixed(3)} s`;
  throw new VideoError(`there is no picture from ${from} to ${to} s: it runs from ${runs}`, { path });
}
