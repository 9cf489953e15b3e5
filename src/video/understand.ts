/** From packets to frame times and facts, within limits. */
import { VideoError } from '../errors.js';
import { displaySize } from './geometry.js';
import { checkDuration, checkPixels } from './limits.js';
import { infoOfPart } from './part.js';
import { headerDuration, type StreamFacts, truncation } from './streamFacts.js';
import { buildTimeline, type Timeline } from './timeline.js';
import type { TimeWindow, VideoInfo, VideoLimits } from './types.js';

/** A parsed file: facts, frame times, and warnings for the caller. Of a part, where it is read alone, `facts` and `timeline` hold what is near it. */
export interface Understood {
  readonly facts: StreamFacts;
  readonly timeline: Timeline;
  readonly info: VideoInfo;
}

/** Throws VideoError when the part is not in the film or there is not one frame to show, LimitError when the video is larger or longer than allowed. */
export function understand(facts: StreamFacts, limits: VideoLimits, part?: TimeWindow): Understood {
  const { path, codedWidth, codedHeight, sampleAspect, orientation } = facts;
  const timeline = timelineOf(facts);
  if (timeline.slots.length === 0)
    throw new VideoError(`holds a ${facts.codec} stream without a single frame${because(facts)}`, { path, code: 'empty' });
  if (codedWidth < 1 || codedHeight < 1) {
    throw new VideoError(
      `the size of its ${facts.codec} frames is not known or above maxPixels; the file may be damaged${because(facts)}`,
      { path },
    );
  }
  checkPixels(path, codedWidth, codedHeight, limits);
  const display = displaySize({ width: codedWidth, height: codedHeight }, sampleAspect, orientation);
  checkPixels(path, display.width, display.height, limits);
  const truncated = facts.stretch ? undefined : truncation(facts, timeline);
  const whole: VideoInfo = {
    path,
    container: facts.container,
    codec: facts.codec,
    ...display,
    codedWidth,
    codedHeight,
    rotationDeg: orientation.rotationDeg,
    sampleAspect,
    firstFrameSec: timeline.firstSec,
    durationSec: timeline.durationSec,
    headerDurationSec: headerDuration(facts),
    frameCount: timeline.slots.length,
    frameRate: timeline.slots.length / timeline.durationSec,
    hasAudio: facts.hasAudio,
    ...(truncated === undefined ? {} : { truncated }),
  };
  const info = part === undefined ? whole : infoOfPart(whole, facts, timeline, part);
  checkDuration(path, info.durationSec, limits);
  return { facts, timeline, info };
}

const because = ({ readError }: StreamFacts): string => (readError === undefined ? '' : ` (${readError})`);

function timelineOf(facts: StreamFacts): Timeline {
  const { packets, tickSec, nominalRate, startSec } = facts;
  const timeline = buildTimeline(packets, tickSec, nominalRate, { startSec });
  if (facts.stretch !== undefined) return timeline;
  return truncation(facts, timeline) === undefined
    ? timeline
    : buildTimeline(packets, tickSec, nominalRate, { startSec, cut: true });
}
