import { VideoError } from '../errors.js';
import type { Orientation } from './geometry.js';
import type { PacketFacts, Timeline } from './timeline.js';

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
  /** Where a player's clock is 0, on the clock of the packets; NaN where unknown. See `clockStart`. */
  readonly startSec: number;
  /** Durations in the header, seconds: of this stream, of the file; NaN where there is none. */
  readonly streamDurationSec: number;
  readonly fileDurationSec: number;
  /** Frames of this stream in the header; 0 where there is none. */
  readonly headerFrames: number;
  /** How long the packets of all streams last together, and when the last of them ends on their clock. */
  readonly readDurationSec: number;
  readonly readEndSec: number;
  /** Why reading packets stopped, if not at the end of the file. */
  readonly readError?: string | undefined;
  /** Of the video, in decoding order. */
  readonly packets: readonly PacketFacts[];
  /** What the packets are where they are not all. */
  readonly stretch?: Stretch;
}

/** Packets read for a part. */
export interface Stretch {
  /** The first is that of the file. */
  readonly fromStart: boolean;
  /** All that the part needs. */
  readonly complete: boolean;
  /** The file was read to its end. */
  readonly toEnd: boolean;
}

/**
 * Where a player's clock is 0: where the container starts, which is where the first of its streams does. Sound before 0 is a coder's
 * lead-in, which is not played.
 */
export const clockStart = (containerSec: number, videoSec: number): number =>
  containerSec < 0 && !(videoSec < 0) ? 0 : containerSec;

/** For a stream that no decoder here understands. */
export function unsupportedCodec(path: string, codec: string, decoder = 'FFmpeg'): VideoError {
  const what =
    codec === 'none' || codec === 'unknown'
      ? `in a coding that this ${decoder} does not know`
      : `coded as ${codec}, which this ${decoder} cannot decode`;
  return new VideoError(`is ${what}; convert it to H.264 or VP9`, { path });
}

/** Containers whose header states a duration; elsewhere FFmpeg estimates it, at worst from the file size. */
const statesDuration = /^(mov|matroska|avi|flv|asf|mxf|nut|wtv|rm|gxf)\b/;

export function headerDuration(facts: StreamFacts): number {
  if (!statesDuration.test(facts.container)) return Number.NaN;
  // FFmpeg shortens the duration of a truncated AVI to what its size allows, but not its frame count.
  if (facts.container === 'avi' && facts.headerFrames > 0) return facts.headerFrames / facts.nominalRate;
  return Number.isFinite(facts.streamDurationSec) ? facts.streamDurationSec : facts.fileDurationSec;
}

export function truncation(facts: StreamFacts, timeline: Timeline): string | undefined {
  const { durationSec, frameSec, endPacket, droppedAtEnd } = timeline;
  const promised = headerDuration(facts);
  // A whole-file duration is compared with all streams, as sound may outlast the picture; it may count from 0 or from their start.
  const wholeFile = facts.container !== 'avi' && !Number.isFinite(facts.streamDurationSec);
  const found = wholeFile ? Math.max(facts.readDurationSec, facts.readEndSec, durationSec) : durationSec;
  if (promised - found > Math.max(2 * frameSec, 0.25)) {
    return `the header promises ${promised.toFixed(2)} s, the file holds ${found.toFixed(2)} s`;
  }
  if (facts.readError !== undefined) return `reading stopped at ${durationSec.toFixed(2)} s: ${facts.readError}`;
  if (endPacket < facts.packets.length || droppedAtEnd > 0) return 'the last frame is incomplete';
  return undefined;
}
