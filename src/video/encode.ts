/**
 * Encodes RGB frames: H.264/mp4 or VP9/webm, limited-range BT.709 4:2:0. Deterministic: no dates, one encoder thread.
 * Synchronous, for short clips.
 */
import { randomUUID } from 'node:crypto';
import { renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { messageOf, systemCode, VideoError } from '../errors.js';
import { chooseBackEnd } from './backEnd.js';
import { encodeWithFfmpeg } from './encodeFfmpeg.js';
import { type EncodeOptions, type EncoderName, jobOf, type VideoCodec } from './encodeJob.js';
import { encodeWithNodeAv } from './encodeNodeAv.js';
import { rgbToYuv420, yuv420Bytes } from './yuv420.js';

export type { EncodeOptions, EncoderName, VideoCodec } from './encodeJob.js';

/** The file ending that belongs to a codec. */
export const extensionOf = (codec: VideoCodec): '.mp4' | '.webm' => (codec === 'h264' ? '.mp4' : '.webm');

/** Resolves `choice` on this machine. Throws VideoError with installation advice. */
export const chooseEncoder = (choice: 'auto' | EncoderName = 'auto'): EncoderName => chooseBackEnd('encoder', choice).name;

/**
 * Encodes `frames`, each [height, width, 3] RGB or [height, width, 4] RGBA (alpha ignored), 8 bits, full-range sRGB, to `path`,
 * which appears only when complete. Frame buffers may be reused between iterations. Throws VideoError: invalid size or rate, no
 * frames, no encoder, encoder or disk failure.
 */
export function encodeVideo(path: string, options: EncodeOptions, frames: Iterable<Uint8Array>): void {
  check(path, options);
  const backEnd = chooseBackEnd('encoder', options.encoder ?? 'auto');
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.part`);
  try {
    const [job, pictures] = [jobOf(temporary, options), planes(path, options, frames)];
    if (backEnd.name === 'node-av') encodeWithNodeAv(backEnd.av, job, pictures);
    else encodeWithFfmpeg(job, pictures);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    if (error instanceof VideoError) throw new VideoError(error.reason, { path, cause: error });
    if (systemCode(error) !== undefined) throw new VideoError(`cannot be written: ${messageOf(error)}`, { path, cause: error });
    throw error;
  }
}

function check(path: string, { width, height, frameRate, codec }: EncodeOptions): void {
  const bad = (what: string) => new VideoError(`cannot encode: ${what}`, { path });
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 2 || height < 2 || width > 16384 || height > 16384) {
    throw bad(`size must be whole numbers from 2 to 16384, got ${width}x${height}`);
  }
  if (codec === 'h264' && (width % 2 === 1 || height % 2 === 1)) {
    throw bad(`H.264 in 4:2:0 needs an even size, got ${width}x${height}; use an even one, or vp9`);
  }
  if (!(frameRate > 0 && frameRate <= 1000)) throw bad(`frame rate must be above 0 and at most 1000, got ${frameRate}`);
}

/** 4:2:0 planes of the frames, in one reused buffer. */
function* planes(path: string, { width, height }: EncodeOptions, frames: Iterable<Uint8Array>): Generator<Buffer> {
  const out = Buffer.alloc(yuv420Bytes(width, height));
  const pixels = width * height;
  let index = 0;
  for (const frame of frames) {
    if (frame.length !== 3 * pixels && frame.length !== 4 * pixels) {
      throw new VideoError(
        `frame ${index}: expected ${3 * pixels} bytes (RGB) or ${4 * pixels} (RGBA) for ${width}x${height}, got ${frame.length}`,
      );
    }
    rgbToYuv420(frame, width, height, out);
    yield out;
    index++;
  }
  if (index === 0) throw new VideoError(`no frames to write to ${basename(path)}`);
}
