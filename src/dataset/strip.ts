/**
 * The frames of one video that are kept for every epoch: evenly spaced candidates at the size clips are cut from, in memory that
 * all threads share. Cutting a clip out of one is clip/'s work; keeping them is memoryCache.ts's and diskCache.ts's.
 */
import { createHash } from 'node:crypto';
import { type UsedWindow, usedWindow } from '../clip/segments.js';
import { withVideo } from '../video/decoder.js';
import type { DecodedVideo, Decoder, FrameSize } from '../video/types.js';

/** What a strip is made from; equal keys mean equal strips, so a changed file or another request is another key. */
export interface StripKey {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly decoder: string;
  readonly colour: string;
  /** Centres of this many equal segments from `fromSec` on. */
  readonly evenly: number;
  readonly fromSec: number;
  readonly size: FrameSize;
}

/** What is remembered of the video itself. */
export interface StripFacts {
  /** Of the frames as they are kept. */
  readonly width: number;
  readonly height: number;
  readonly durationSec: number;
  readonly frameRate: number;
  readonly truncated?: string;
  /** The stretch of video that is sampled. */
  readonly window: UsedWindow;
}

export interface Strip extends StripFacts {
  /**
   * [evenly] the frame shown at each of the times evenly spaced over the window; a video with few frames shows some of them more
   * than once.
   */
  readonly slots: readonly number[];
  /** [frames, height, width, 3] over a SharedArrayBuffer. */
  readonly rgb: Uint8Array;
}

/** A name for files and maps. */
export function keyName(key: StripKey): string {
  const size = 'shortSide' in key.size ? [key.size.shortSide] : [key.size.width, key.size.height];
  const parts = [key.path, key.bytes, key.modifiedMs, key.decoder, key.colour, key.evenly, key.fromSec, size];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Decodes the strip of `key`. Throws as the decoder does. */
export function decodeStrip(decoder: Decoder, key: StripKey): Strip {
  const { path, evenly, fromSec, size } = key;
  return withVideo(decoder, path, (video) => {
    const { durationSec, frameRate } = video.info;
    const window = usedWindow(durationSec, fromSec, fromSec === 0 ? {} : { frameRate });
    const times = fromSec === 0 ? { evenly } : { evenly, fromSec: window.fromSec, toSec: window.toSec };
    return stripOf({ info: video.info, strip: video.frames({ times, size }) }, window);
  });
}

function stripOf({ info, strip }: DecodedVideo, window: UsedWindow): Strip {
  const { width, height, timesSec, rgb } = strip;
  const slots: number[] = [];
  const firsts: number[] = [];
  timesSec.forEach((timeSec, i) => {
    if (i === 0 || timeSec !== timesSec[i - 1]) firsts.push(i);
    slots.push(firsts.length - 1);
  });
  const frameBytes = width * height * 3;
  const shared = sharedBytes(firsts.length * frameBytes);
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

/** Bytes that can be handed to another thread without a copy. */
export function sharedBytes(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length));
}
