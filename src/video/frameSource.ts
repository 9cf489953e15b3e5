/**
 * Frames of a file, camera, network address or standard input, decoded by the system's ffmpeg in a process of its own, which may
 * crash or hang safely.
 */
import { spawn } from 'node:child_process';
import { LimitError, VideoError } from '../errors.js';
import { findFfmpeg, lastLine } from './ffmpegTools.js';
import { defaultLimits, ffmpegMaxPixels } from './limits.js';
import { PpmSplitter, type RgbFrame } from './ppmSplitter.js';
import type { SourceAddress } from './sourceAddress.js';
import type { FrameSize, VideoLimits } from './types.js';

export interface SourceFrame extends RgbFrame {
  /** Counted from 0; shown at index / fps seconds after the first. */
  readonly index: number;
  /** When it came, on performance.now()'s clock. */
  readonly arrivedMs: number;
}

export interface FrameSourceOptions {
  /** Frames a second handed out, whatever the source has: some are left out or repeated. */
  readonly fps: number;
  readonly size: FrameSize;
  /** Plays a file in real time; by default as fast as it is read. */
  readonly pace?: boolean;
  /** A file again and again, without end. */
  readonly loop?: boolean;
  readonly limits?: Partial<VideoLimits>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Upright RGB frames. Back pressure makes ffmpeg wait: read a live source continuously. Throws VideoError for an unreadable
 * source or an error in mid-stream; ends with the source or the signal.
 */
export async function* readFrames(address: SourceAddress, options: FrameSourceOptions): AsyncGenerator<SourceFrame> {
  const tools = findFfmpeg();
  if (typeof tools === 'string')
    throw new VideoError(`streams are read by the system's ffmpeg, which cannot be used: ${tools}; install ffmpeg`);
  const limits = { ...defaultLimits, ...options.limits };
  const process = spawn('ffmpeg', arguments_(address, options, limits), {
    stdio: [address.kind === 'stdin' ? 'inherit' : 'ignore', 'pipe', 'pipe'],
  });
  const kill = () => process.kill('SIGKILL');
  options.signal?.addEventListener('abort', kill);
  let said = '';
  process.stderr.on('data', (bytes: Buffer) => {
    said = (said + bytes.toString('utf8')).slice(-8192);
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    process.once('error', reject);
    process.once('close', resolve);
  });
  ended.catch(() => {}); // awaited below or not at all
  const splitter = new PpmSplitter(address.shown, limits.maxPixels);
  let index = 0;
  try {
    for await (const bytes of process.stdout as AsyncIterable<Buffer>) {
      for (const frame of splitter.push(bytes)) yield { ...frame, index: index++, arrivedMs: performance.now() };
    }
    const code = await ended;
    if (code !== 0 && !options.signal?.aborted) throw new VideoError(why(said, address), { path: address.shown });
    if (index === 0 && !options.signal?.aborted) throw new VideoError('gave not one frame', { path: address.shown });
  } catch (error) {
    if (!options.signal?.aborted) throw error;
  } finally {
    options.signal?.removeEventListener('abort', kill);
    kill();
  }
}

function arguments_(address: SourceAddress, { fps, size, pace, loop }: FrameSourceOptions, limits: VideoLimits): string[] {
  if (!(fps > 0 && fps <= 1000)) throw new LimitError(`frames a second: expected above 0 and at most 1000, got ${fps}`);
  return [
    ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'error', '-max_pixels', ffmpegMaxPixels(limits)],
    ...(pace ? ['-re'] : []),
    ...(loop ? ['-stream_loop', '-1'] : []),
    ...address.input,
    ...['-an', '-sn', '-dn', '-vf', `fps=${fps},${scale(size)},format=rgb24`],
    ...['-f', 'image2pipe', '-c:v', 'ppm', 'pipe:1'],
  ];
}

/** As geometry.ts scales, in FFmpeg expressions, since a stream's size is not known beforehand. */
function scale(size: FrameSize): string {
  if (!('shortSide' in size) && size.keepAspect === undefined) return `scale=${size.width}:${size.height}:flags=bicubic`;
  const factor = aspectFactor(size);
  const held = 'shortSide' in size && size.enlarge ? factor : `min(1,${factor})`;
  return `scale='max(1,round(iw*sar*${held}))':'max(1,round(ih*${held}))':flags=bicubic`;
}

function aspectFactor(size: FrameSize): string {
  if ('shortSide' in size) return `${size.shortSide}/min(iw*sar,ih)`;
  return `${size.keepAspect === 'within' ? 'min' : 'max'}(${size.width}/(iw*sar),${size.height}/ih)`;
}

function why(said: string, { shown, kind }: SourceAddress): string {
  const reason = lastLine(said);
  // ffmpeg repeats the address with its password.
  const clean = reason.replaceAll(/\b[a-z]+:\/\/[^\s:]*:[^\s@]*@[^\s]*/gi, shown);
  const advice = kind === 'camera' ? '; is it there, and does no other program use it?' : '';
  return `cannot be read any further: ${clean}${advice}`;
}
