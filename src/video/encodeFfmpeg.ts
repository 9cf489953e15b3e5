import { spawnSync } from 'node:child_process';
import { VideoError } from '../errors.js';
import type { EncodeJob } from './encodeJob.js';
import { lastLine } from './ffmpegTools.js';

const COLOUR = ['-color_range', 'tv', '-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709'];

/** Writes the job's file from 4:2:0 planes. Throws VideoError with ffmpeg's own last words. */
export function encodeWithFfmpeg(job: EncodeJob, frames: Iterable<Buffer>): void {
  const input = Buffer.concat([...copies(frames)]);
  const done = spawnSync('ffmpeg', commandLine(job), { input, stdio: ['pipe', 'ignore', 'pipe'], encoding: 'utf8' });
  if (done.error !== undefined && done.status === null) {
    throw new VideoError(`ffmpeg cannot be started: ${done.error.message}`);
  }
  if (done.status !== 0) throw new VideoError(`ffmpeg failed (${done.status ?? done.signal}): ${lastLine(done.stderr)}`);
}

function commandLine(job: EncodeJob): string[] {
  const rate = `${job.rate.num}/${job.rate.den}`;
  const input = [
    '-f',
    'rawvideo',
    '-pix_fmt',
    'yuv420p',
    '-s',
    `${job.width}x${job.height}`,
    '-r',
    rate,
    ...COLOUR,
    '-i',
    'pipe:0',
  ];
  const options = Object.entries(job.options).flatMap(([name, value]) => (name === 'b' ? ['-b:v', value] : [`-${name}`, value]));
  const container = job.container === 'mp4' ? ['-movflags', '+faststart'] : [];
  const exact = ['-flags:v', '+bitexact', '-fflags', '+bitexact', '-map_metadata', '-1'];
  const output = ['-c:v', job.library, '-pix_fmt', 'yuv420p', ...COLOUR, ...options, ...exact, ...container, '-f', job.container];
  return ['-hide_banner', '-loglevel', 'error', '-nostdin', '-y', ...input, ...output, `file:${job.path}`];
}

function* copies(frames: Iterable<Buffer>): Generator<Buffer> {
  for (const frame of frames) yield Buffer.from(frame);
}
