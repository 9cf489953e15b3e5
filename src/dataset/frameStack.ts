/** Evenly spaced frames of one video at the size clips are sampled from, in shared memory. */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { type FrameStack, stackRequest } from '../clip/sampleClips.js';
import type { UsedWindow } from '../clip/temporalSampling.js';
import { messageOf, systemCode, VideoError } from '../errors.js';
import { withVideo } from '../video/decoder.js';
import { pixelBytes } from '../video/geometry.js';
import type { DecodedVideo, Decoder, FrameSize, OpenVideo } from '../video/types.js';
import type { VideoPart } from './videoPart.js';

/** The frames to be read of a video. */
export interface FrameStackRequest extends VideoPart {
  readonly decoder: string;
  readonly colour: string;
  /** Centres of this many equal segments from `startSec` on. */
  readonly evenly: number;
  readonly startSec: number;
  readonly size: FrameSize;
}

/** Identifies a strip: a changed file or another request has another key. */
export interface FrameStackKey extends FrameStackRequest {
  readonly bytes: number;
  readonly modifiedMs: number;
}

/** Facts about the video itself. */
export interface FrameStackFacts {
  /** Of the frames as they are kept. */
  readonly width: number;
  readonly height: number;
  readonly durationSec: number;
  readonly frameRate: number;
  readonly truncated?: string;
  /** The stretch of video that is sampled. */
  readonly window: UsedWindow;
}

/** Slots evenly spaced over the window; a video with few frames shows some of them more than once. Pixels in shared memory. */
export type VideoFrameStack = FrameStackFacts & FrameStack;

/** Counts in names, so that files written with other fields are passed over. */
const version = 2;

/** A name for files and maps. */
export function keyName(key: FrameStackKey): string {
  const size = 'shortSide' in key.size ? [key.size.shortSide] : [key.size.width, key.size.height, key.size.keepAspect];
  const part = key.segment === undefined ? [] : [key.segment.startSec, key.segment.endSec];
  const parts = [version, key.path, key.bytes, key.modifiedMs, key.decoder, key.colour, key.evenly, key.startSec, size, ...part];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Which bytes a file holds, as far as its name and date tell. */
export type FileState = Pick<FrameStackKey, 'bytes' | 'modifiedMs'>;

/** Of a file as it is now. Throws a VideoError where there is none. */
export function stateOf(path: string): FileState {
  try {
    const { size: bytes, mtimeMs: modifiedMs } = statSync(path);
    return { bytes, modifiedMs };
  } catch (error) {
    const missing = systemCode(error) === 'ENOENT';
    const details = { path, cause: error, ...(missing && { code: 'missing' as const }) };
    throw new VideoError(missing ? 'no such file' : messageOf(error), details);
  }
}

/** Decodes a strip. Throws as the decoder does. */
export function decodeFrameStack(
  decoder: Decoder,
  { path, segment, evenly, startSec, size }: FrameStackRequest,
): VideoFrameStack {
  const stack = (video: OpenVideo) => {
    const { request, window } = stackRequest(video.info, evenly, { startSec }, size);
    return stripOf({ info: video.info, strip: video.frames(request) }, window);
  };
  return withVideo(decoder, path, stack, segment);
}

function stripOf({ info, strip }: DecodedVideo, window: UsedWindow): VideoFrameStack {
  const { width, height, timesSec, rgb } = strip;
  const slots: number[] = [];
  const firsts: number[] = [];
  timesSec.forEach((timeSec, i) => {
    if (i === 0 || timeSec !== timesSec[i - 1]) firsts.push(i);
    slots.push(firsts.length - 1);
  });
  const frameBytes = width * height * 3;
  const shared = pixelBytes(firsts.length * frameBytes, true);
  firsts.forEach((from, to) => {
    shared.set(rgb.subarray(from * frameBytes, (from + 1) * frameBytes), to * frameBytes);
  });
  const { durationSec, frameRate, truncated } = info;
  return {
    ...{ width, height, slots, durationSec, frameRate },
    ...(truncated === undefined ? {} : { truncated }),
    window,
    rgb: shared,
  };
}
