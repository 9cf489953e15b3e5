/** The ffmpeg and ffprobe programs: detection, known options, and running them without a shell or standard input. */
import { spawnSync } from 'node:child_process';
import { LimitError, VideoError } from '../errors.js';

export interface FfmpegTools {
  readonly version: string;
  /** Options that pass frames through, none repeated or dropped. */
  readonly passthrough: readonly string[];
}

export interface ToolRun {
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

let found: FfmpegTools | string | undefined;

/** The tools, or the one-line reason why they cannot be used. Looked up once. */
export function findFfmpeg(): FfmpegTools | string {
  found ??= detectFfmpeg();
  return found;
}

function detectFfmpeg(): FfmpegTools | string {
  for (const tool of ['ffprobe', 'ffmpeg'] as const) {
    const run = spawnSync(tool, ['-hide_banner', '-version'], { stdio: ['ignore', 'pipe', 'ignore'], timeout: 30_000 });
    if (run.error !== undefined)
      return `${tool} ${'code' in run.error && run.error.code === 'ENOENT' ? 'not found' : run.error.message}`;
    if (run.status !== 0) return `${tool} -version failed`;
    if (tool === 'ffmpeg') return toolsOf(run.stdout.toString());
  }
  return 'ffmpeg not found';
}

function toolsOf(banner: string): FfmpegTools {
  const version = /version (\S+)/.exec(banner)?.[1] ?? 'unknown';
  const [, major, minor] = /^n?(\d+)\.(\d+)/.exec(version) ?? [];
  const old = major !== undefined && minor !== undefined && Number(major) + Number(minor) / 100 < 5.01;
  return { version, passthrough: old ? ['-vsync', 'passthrough'] : ['-fps_mode', 'passthrough'] };
}

/** Runs a tool on the file `path` (for messages). Throws when it does not start, outgrows `maxBytes` or takes longer than `timeoutSec`. */
export function runTool(
  tool: 'ffmpeg' | 'ffprobe',
  path: string,
  args: readonly string[],
  maxBytes: number,
  timeoutSec = 1800,
): ToolRun {
  const run = spawnSync(tool, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: maxBytes,
    timeout: timeoutSec * 1000,
    killSignal: 'SIGKILL',
  });
  const code = run.error !== undefined && 'code' in run.error ? run.error.code : undefined;
  if (code === 'ENOBUFS') throw new LimitError(`${tool} had more than ${maxBytes} bytes to say about it`, { path });
  if (code === 'ETIMEDOUT') throw new LimitError(`${tool} did not finish within ${timeoutSec} s`, { path });
  if (run.error !== undefined) throw new VideoError(`${tool} could not be run: ${run.error.message}`, { path });
  return { status: run.status, stdout: run.stdout, stderr: run.stderr.toString('utf8') };
}

/** The last line with a reason, without the address of the component. */
export function lastLine(stderr: string): string {
  const lines = stderr
    .split(/[\r\n]+/)
    .filter((line) => line.trim() !== '' && !/^Conversion failed!|^video:\S+ audio:/.test(line));
  return (lines.at(-1) ?? 'no reason given')
    .replace(/^\[[^\]]*\] */, '')
    .replace(/^file:.*: /, '')
    .trim();
}
