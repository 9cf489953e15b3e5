/** File facts and RGB frames at chosen times. Decoders are synchronous, one per worker thread. */

/** A stretch of a film, in seconds of the clock that a player shows: 0 is where the container starts, be it with sound or picture. */
export interface TimeWindow {
  readonly startSec: number;
  readonly endSec: number;
}

/** Facts about a video file's (first) video stream, read from its packets rather than believed from its header. */
export interface VideoInfo {
  readonly path: string;
  readonly container: string;
  readonly codec: string;
  /** Pixels as displayed: rotation and sample aspect ratio applied, rounded. */
  readonly width: number;
  readonly height: number;
  readonly codedWidth: number;
  readonly codedHeight: number;
  /** Clockwise turn that the player must apply: 0, 90, 180 or 270. */
  readonly rotationDeg: number;
  readonly sampleAspect: number;
  /** When the picture begins, on a player's clock: 0 unless sound comes first. Where a part is read: when that begins. */
  readonly firstFrameSec: number;
  /** From there to the end of the last frame that is really in the file, or of the part. */
  readonly durationSec: number;
  /** As the header states; NaN when it does not. */
  readonly headerDurationSec: number;
  /** Frames really in the file, and their average rate. */
  readonly frameCount: number;
  readonly frameRate: number;
  readonly hasAudio: boolean;
  /** Why the file counts as truncated, if it does. */
  readonly truncated?: string;
}

/** Which moments to decode, in seconds of a player's clock. */
export type FrameTimes =
  /** The frame on screen at each of these times; non-decreasing, repeats allowed. */
  | { readonly timesSec: readonly number[] }
  /** The centres of `evenly` equal segments of [startSec, endSec], by default of all that was opened. */
  | { readonly evenly: number; readonly startSec?: number; readonly endSec?: number };

/**
 * Output size: exact, or keeping the aspect (no upscaling unless `enlarge`): the shorter side, the smallest that covers a
 * rectangle, or the largest that fits into it.
 */
export type FrameSize =
  | { readonly shortSide: number; readonly enlarge?: boolean }
  | { readonly width: number; readonly height: number; readonly keepAspect?: 'cover' | 'within' };

export interface DecodeRequest {
  readonly times: FrameTimes;
  readonly size: FrameSize;
  /** Pixels in memory that threads share, instead of memory that is moved between them. */
  readonly shared?: boolean;
}

/** RGB frames of one video, all of one size. */
export interface FrameStrip {
  readonly width: number;
  readonly height: number;
  /** [frames] when each frame begins to be shown, seconds of a player's clock. */
  readonly timesSec: Float64Array;
  /** [frames, height, width, 3], 8 bits a channel, full-range sRGB. */
  readonly rgb: Uint8Array;
}

export interface DecodedVideo {
  readonly info: VideoInfo;
  readonly strip: FrameStrip;
}

/** Bounds for files one does not trust; passing one is a LimitError. */
export interface VideoLimits {
  readonly maxPixels: number;
  readonly maxDurationSec: number;
  readonly maxFrames: number;
}

/** Reads and writes videos: FFmpeg inside the process, or the system's programs. */
export type BackEndName = 'node-av' | 'ffmpeg';

/** `auto` is node-av when it loads, else the system's ffmpeg. */
export type DecoderChoice = 'auto' | BackEndName;

/** An opened file: facts known before decoding, and frames. Must be closed. */
export interface OpenVideo {
  readonly info: VideoInfo;
  frames(request: DecodeRequest): FrameStrip;
  close(): void;
}

/** Reads video files. Every failure, of opening or of decoding, is a VideoError or LimitError that names the path and the reason. */
export interface Decoder {
  readonly name: BackEndName;
  /** Of a part nothing else is decoded, and its facts are as though it were all. VideoError for one that is not in the film. */
  open(path: string, part?: TimeWindow): OpenVideo;
}
