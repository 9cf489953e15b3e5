/** A part of a film, opened as though it were all of it. */
import { VideoError } from '../errors.js';
import { headerDuration, type StreamFacts } from './streamFacts.js';
import { buildTimeline, type Timeline } from './timeline.js';
import type { TimeWindow, VideoInfo } from './types.js';

/** The stretch that was opened. */
export const windowOf = ({ firstFrameSec, durationSec }: VideoInfo): TimeWindow => ({
  startSec: firstFrameSec,
  endSec: firstFrameSec + durationSec,
});

/** Throws VideoError for what is no part of any film. */
export function checkPart(path: string, { startSec, endSec }: TimeWindow): void {
  if (startSec >= 0 && endSec > startSec && Number.isFinite(endSec)) return;
  throw new VideoError(`the part from ${startSec} to ${endSec} s: expected seconds from 0 on, the end after the start`, { path });
}

/** How far from what was opened a frame may be asked for, at most: of a part, what lies behind it may not be known. */
export const slackOf = ({ frameSec }: Timeline, part: TimeWindow | undefined): number => (part === undefined ? frameSec : 0);

/** Labels are rounded, to frames or hundredths of a second: so far a part may reach beyond the film. */
const roundedSec = (frameSec: number): number => Math.max(frameSec, 0.1);

/**
 * Whether packets near a part are all that is needed to show it, and to know where the film ends if it ends there. What is damaged
 * or cut off at its end is judged from all packets.
 */
export function isUsable(facts: StreamFacts, part: TimeWindow): boolean {
  const { packets, stretch, startSec, tickSec, nominalRate, readError } = facts;
  if (stretch === undefined) return true;
  if (packets.length === 0 || packets.at(-1)?.corrupt === true || readError !== undefined) return false;
  const { slots, byOrder } = buildTimeline(packets, tickSec, nominalRate, { startSec });
  const [first] = slots;
  if (byOrder || first === undefined || !(stretch.fromStart || first.startSec <= part.startSec)) return false;
  if (stretch.complete) return true;
  return stretch.toEnd && !(headerDuration(facts) > facts.readEndSec + 0.25);
}

/**
 * Facts about the part alone, which is cut to where there is a picture. Throws VideoError for a part without one, or that reaches
 * beyond the film.
 */
export function infoOfPart(info: VideoInfo, facts: StreamFacts, timeline: Timeline, part: TimeWindow): VideoInfo {
  const picture = pictureOf(info, facts);
  const window = partWithin(info.path, part, picture, filmEnd(info, facts, picture), roundedSec(timeline.frameSec));
  const frames = timeline.slots.filter(({ startSec }, index) => {
    return startSec < window.endSec && (timeline.slots[index + 1]?.startSec ?? window.endSec) > window.startSec;
  });
  return { ...info, firstFrameSec: window.startSec, durationSec: window.endSec - window.startSec, frameCount: frames.length };
}

/** Where there is a picture; infinite where the packets do not tell. */
function pictureOf(info: VideoInfo, { stretch }: StreamFacts): TimeWindow {
  const { startSec, endSec } = windowOf(info);
  if (stretch === undefined) return { startSec, endSec };
  return {
    startSec: stretch.fromStart ? startSec : Number.NEGATIVE_INFINITY,
    endSec: stretch.complete ? Number.POSITIVE_INFINITY : endSec,
  };
}

/** Sound may outlast the picture. */
function filmEnd({ headerDurationSec }: VideoInfo, { fileDurationSec, startSec }: StreamFacts, { endSec }: TimeWindow): number {
  if (!Number.isFinite(headerDurationSec + fileDurationSec)) return endSec;
  return Math.max(endSec, fileDurationSec - (startSec || 0));
}

/** The part of the picture that is wanted. `endSec`: of the film. */
function partWithin(path: string, part: TimeWindow, picture: TimeWindow, endSec: number, roundingSec: number): TimeWindow {
  const said = `${part.startSec.toFixed(3)} to ${part.endSec.toFixed(3)} s`;
  if (part.endSec > endSec + roundingSec)
    throw new VideoError(`the part from ${said} is not in the film, which ends at ${endSec.toFixed(3)} s`, { path });
  const window = { startSec: Math.max(part.startSec, picture.startSec), endSec: Math.min(part.endSec, picture.endSec) };
  if (window.endSec > window.startSec) return window;
  const before = part.endSec <= picture.startSec;
  const when = before ? `begins at ${picture.startSec.toFixed(3)} s` : `ends at ${picture.endSec.toFixed(3)} s`;
  throw new VideoError(`there is no picture from ${said}: it ${when}`, { path });
}
