/**
 * Wanted frames through ffmpeg: `select` passes them to a raw RGB pipe, `showinfo` identifies them. Long videos are read in
 * parts, each after a seek.
 */
import { inputOptions } from './ffmpegProbe.js';
import { type FfmpegTools, lastLine, runTool, type ToolRun } from './ffmpegTools.js';
import { filterChain, pixelBytes, type Size } from './geometry.js';
import { fileUrl } from './inputFile.js';
import type { StreamFacts } from './streamFacts.js';
import { decodeRuns, type FrameSlot, maxAttempts, noFrameNear, slotsAt, type Timeline, withoutUnshown } from './timeline.js';
import type { FrameStrip, VideoLimits } from './types.js';

export interface FfmpegJob {
  readonly tools: FfmpegTools;
  readonly limits: VideoLimits;
  readonly facts: StreamFacts;
  readonly streamIndex: number;
  readonly size: Size;
  /** Pixels in shared memory. */
  readonly shared: boolean;
}

interface Part {
  readonly slots: FrameSlot[];
  /** First packet; undefined: start of the file. */
  readonly from: number | undefined;
  to: number;
}

/** Frames of a part in display order; missing frames leave no slot. */
interface PartFrames {
  readonly frames: ReadonlyMap<FrameSlot, Uint8Array>;
  readonly damage: string | undefined;
}

const maxFramesPerRun = 300;
/** Decoding through a shorter gap is faster than another ffmpeg process. */
const seekGapPackets = 500;

/** The frames on screen at `timesSec`, non-decreasing. Throws VideoError when one of them cannot be had. */
export function decodeWithFfmpeg(job: FfmpegJob, timeline: Timeline, timesSec: readonly number[]): FrameStrip {
  let usable = timeline;
  let missing: FrameSlot[] = [];
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const slots = slotsAt(usable, timesSec);
    const frames = new Map<FrameSlot, Uint8Array>();
    let damage: string | undefined;
    for (const part of partsOf(job, usable, slots)) {
      const got = decodePart(job, usable, part);
      for (const [slot, rgb] of got.frames) frames.set(slot, rgb);
      damage ??= got.damage;
    }
    missing = slots.filter((slot) => !frames.has(slot));
    if (missing.length === 0) return strip(job, slots, frames);
    usable = withoutUnshown(job.facts.path, usable, missing, damage);
  }
  throw noFrameNear(job.facts.path, missing);
}

function partsOf({ facts }: FfmpegJob, timeline: Timeline, wanted: readonly FrameSlot[]): Part[] {
  const near = facts.stretch?.fromStart === false;
  const seekable = near || (!timeline.byOrder && /^(mov|matroska)\b/.test(facts.container));
  const parts: Part[] = [];
  for (const slot of new Set(wanted)) {
    const [run] = decodeRuns(facts.packets, timeline, [slot]);
    if (run === undefined) continue;
    const part = parts.at(-1);
    const far = part === undefined || (seekable && run.from - part.to > seekGapPackets);
    if (part === undefined || far || part.slots.length >= maxFramesPerRun) {
      parts.push({ slots: [slot], from: seekable && (near || run.from > seekGapPackets) ? run.from : undefined, to: run.to });
    } else {
      part.slots.push(slot);
      part.to = Math.max(part.to, run.to);
    }
  }
  return parts;
}

function decodePart(job: FfmpegJob, timeline: Timeline, part: Part): PartFrames {
  const got = readPart(job, part, run(job, timeline, part, false), timeline);
  if (part.from !== undefined && got.frames.size < part.slots.length)
    return decodePart(job, timeline, { ...part, from: undefined });
  if (got.damage === undefined) return got;
  // Damage on the way: run again with every frame listed, to see whether a wanted one was hit.
  return readPart(job, part, run(job, timeline, part, true), timeline);
}

function run(job: FfmpegJob, timeline: Timeline, part: Part, nameEvery: boolean): ToolRun {
  const { facts, limits, size } = job;
  const seek = part.from === undefined ? [] : seekOptions(facts, part.from);
  const args = [
    ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'repeat+info', '-filter_threads', '1'],
    ...[...inputOptions(limits), '-threads', '1', '-noautorotate', '-copyts', ...seek, '-i', fileUrl(facts.path)],
    ...['-map', `0:${job.streamIndex}`, '-vf', filters(job, timeline, part, nameEvery), ...job.tools.passthrough],
    ...['-frames:v', String(part.slots.length + timeline.duplicates), '-pix_fmt', 'rgb24', '-f', 'rawvideo', 'pipe:1'],
  ];
  const bytes = (part.slots.length + timeline.duplicates) * size.width * size.height * 3;
  return runTool('ffmpeg', facts.path, args, bytes + 2 ** 28);
}

/** Transport streams are searched by decoding time, and a hair later, since rounding must not lead to the packet before. */
function seekOptions({ packets, tickSec, container }: StreamFacts, from: number): string[] {
  const { pts = 0, dts = Number.NaN } = packets[from] ?? {};
  const sec = container === 'mpegts' ? (Number.isNaN(dts) ? pts : dts) * tickSec + 0.001 : pts * tickSec;
  return ['-noaccurate_seek', '-seek_timestamp', '1', '-ss', sec.toFixed(6)];
}

function filters({ facts, size }: FfmpegJob, timeline: Timeline, part: Part, nameEvery: boolean): string {
  const choice = timeline.byOrder
    ? oneOf(
        'n',
        part.slots.map((slot) => [timeline.slots.indexOf(slot) - 0.4, timeline.slots.indexOf(slot) + 0.4]),
      )
    : oneOf(
        't',
        part.slots.map(({ pts }) => [(pts - 0.4) * facts.tickSec, (pts + 0.4) * facts.tickSec]),
      );
  const every = nameEvery ? 'showinfo@every=checksum=0,' : '';
  return `${every}select='${choice}',showinfo@wanted=checksum=0,${filterChain(size, facts.orientation)}`;
}

/** 1 when `name` is in one of the ascending ranges, as a search tree: FFmpeg bounds the length of a sum. */
function oneOf(name: string, ranges: readonly (readonly [number, number])[]): string {
  const [first] = ranges;
  if (first === undefined) return '0';
  if (ranges.length === 1) return `between(${name},${first[0].toFixed(9)},${first[1].toFixed(9)})`;
  const middle = ranges.length >> 1;
  const [left, right] = [ranges.slice(0, middle), ranges.slice(middle)];
  return `if(lt(${name},${right[0]?.[0].toFixed(9)}),${oneOf(name, left)},${oneOf(name, right)})`;
}

const damageLine = /corrupt decoded frame|Error while decoding|Error submitting packet|decode_slice|error while decoding/i;

/** Matches the bytes in the pipe with the lines on stderr. */
function readPart(job: FfmpegJob, part: Part, result: ToolRun, timeline: Timeline): PartFrames {
  const log = readLines(result.stderr, job.facts.tickSec);
  const bytes = job.size.width * job.size.height * 3;
  const whole = Math.min(log.wanted.length, Math.floor(result.stdout.length / bytes));
  const byPts = new Map(part.slots.map((slot) => [slot.pts, slot]));
  const frames = new Map<FrameSlot, Uint8Array>();
  log.wanted.slice(0, whole).forEach((pts, index) => {
    const slot = timeline.byOrder ? part.slots[index] : byPts.get(pts);
    if (slot === undefined || frames.has(slot) || log.damaged.has(pts)) return;
    frames.set(slot, result.stdout.subarray(index * bytes, (index + 1) * bytes));
  });
  const failed = result.status !== 0 || whole < log.wanted.length;
  return { frames, damage: log.damage ?? (failed ? lastLine(result.stderr) : undefined) };
}

interface FilterLog {
  /** Pts, in ticks. */
  readonly wanted: number[];
  readonly damaged: Set<number>;
  damage: string | undefined;
}

function readLines(stderr: string, tickSec: number): FilterLog {
  const log: FilterLog = { wanted: [], damaged: new Set(), damage: undefined };
  let filterTickSec = tickSec;
  let corrupt = false;
  for (const line of stderr.split(/[\r\n]+/)) {
    const [, above, below] = /config in time_base: (\d+)\/(\d+)/.exec(line) ?? [];
    if (above !== undefined && below !== undefined) filterTickSec = Number(above) / Number(below);
    if (damageLine.test(line)) log.damage ??= lastLine(line);
    if (/corrupt decoded frame/i.test(line)) corrupt = true;
    const [, filter, pts] = /showinfo@(every|wanted)\b.*\bn: *\d+ pts: *(-?\d+)/.exec(line) ?? [];
    if (pts === undefined) continue;
    const ticks = Math.round((Number(pts) * filterTickSec) / tickSec);
    if (filter === 'wanted') log.wanted.push(ticks);
    else if (corrupt) log.damaged.add(ticks);
    if (filter === 'every') corrupt = false;
  }
  return log;
}

/** Times on one frame get copies of it. */
function strip({ size, shared }: FfmpegJob, slots: readonly FrameSlot[], frames: ReadonlyMap<FrameSlot, Uint8Array>): FrameStrip {
  const { width, height } = size;
  const rgb = pixelBytes(slots.length * width * height * 3, shared);
  slots.forEach((slot, place) => {
    const frame = frames.get(slot);
    if (frame === undefined) throw new RangeError('strip: a frame is missing');
    rgb.set(frame, place * width * height * 3);
  });
  return { width, height, timesSec: Float64Array.from(slots, (slot) => slot.startSec), rgb };
}
