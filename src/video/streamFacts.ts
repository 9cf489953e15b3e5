import { VideoError } from '../errors.js';
import { displaySize, type Orientation } from './geometry.js';
import { checkDuration, checkPixels } from './limits.js';
import { infoOfPart } from './part.js';
import { buildTimeline, type PacketFacts, type Timeline } from './timeline.js';
import type { TimeWindow, VideoInfo, VideoLimits } from './types.js';

export interface StreamFacts {
  readonly path: string;
  readonly container: string;
  readonly codec: string;
  readonly codedWidth: number;
  readonly codedHeight: number;
  readonly sampleAspect: number;
  readonly orientation: Orientation;
  readonly tickSec: number;
  readonly hasAudio: boolean;
  /** The rate in the header, frames a second; used only for packets without time. */
  readonly nominalRate: number;
  /** When the first of all streams starts, on the clock of the packets; NaN where unknown. */
  readonly startSec: number;
  /** Durations in the header, seconds: of this stream, of the file; NaN where there is none. */
  readonly streamDurationSec: number;
  readonly fileDurationSec: number;
  /** Frames of this stream in the header; 0 where there is none. */
  readonly headerFrames: number;
  /** How long the packets of all streams last together. */
  readonly readDurationSec: number;
  /** Why reading packets stopped, if not at the end of the file. */
  readonly readError?: string | undefined;
  readonly packets: readonly PacketFacts[];
}

/** A parsed file: facts, frame times, and warnings for the caller. */
export interface Understood {
  readonly facts: StreamFacts;
  readonly timeline: Timeline;
  readonly info: VideoInfo;
}

/** For a stream that no decoder here understands. */
export function unsupportedCodec(path: string, codec: string, decoder = 'FFmpeg'): VideoError {
  const what =
    codec === 'none' || codec === 'unknown'
      ? `in a coding that this ${decoder} does not know`
      : `coded as ${codec}, which this ${decoder} cannot decode`;
  return new VideoError(`is ${what}; convert it to H.264 or VP9`, { path });
}

/** Throws VideoError when there is not one frame to show, LimitError when the video is larger or longer than allowed. */
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
  checkDuration(path, timeline.durationSec, limits);
  const truncated = truncation(facts, timeline);
  const info: VideoInfo = {
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
  return { facts, timeline, info: infoOfPart(info, timeline, part) };
}

const because = ({ readError }: StreamFacts): string => (readError === undefined ? '' : ` (${readError})`);

function timelineOf(facts: StreamFacts): Timeline {
  const { packets, tickSec, nominalRate, startSec } = facts;
  const timeline = buildTimeline(packets, tickSec, nominalRate, { startSec });
  return truncation(facts, timeline) === undefined
    ? timeline
    : buildTimeline(packets, tickSec, nominalRate, { startSec, cut: true });
}

/** Containers whose header states a duration; elsewhere FFmpeg estimates it, at worst from the file size. */
const statesDuration = /^(mov|matroska|avi|flv|asf|mxf|nut|wtv|rm|gxf)\b/;

function headerDuration(facts: StreamFacts): number {
  if (!statesDuration.test(facts.container)) return Number.NaN;
  // FFmpeg shortens the duration of a truncated AVI to what its size allows, but not its frame count.
  if (facts.container === 'avi' && facts.headerFrames > 0) return facts.headerFrames / facts.nominalRate;
  return Number.isFinite(facts.streamDurationSec) ? facts.streamDurationSec : facts.fileDurationSec;
}

function truncation(facts: StreamFacts, timeline: Timeline): string | undefined {
  const { durationSec, frameSec, endPacket, droppedAtEnd } = timeline;
  const promised = headerDuration(facts);
  // A whole-file duration is compared with all streams: sound may outlast the picture.
  const wholeFile = facts.container !== 'avi' && !Number.isFinite(facts.streamDurationSec);
  const found = wholeFile ? Math.max(facts.readDurationSec, durationSec) : durationSec;
  if (promised - found > Math.max(2 * frameSec, 0.25)) {
    return `the header promises ${promised.toFixed(2)} s, the file holds ${found.toFixed(2)} s`;
  }
  if (facts.readError !== undefined) return `reading stopped at ${durationSec.toFixed(2)} s: ${facts.readError}`;
  if (endPacket < facts.packets.length || droppedAtEnd > 0) return 'the last frame is incomplete';
  return undefined;
}
