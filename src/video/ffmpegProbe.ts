import * as v from 'valibot';
import { VideoError } from '../errors.js';
import { parsedJson } from '../json.js';
import { matching } from '../schema.js';
import { lastLine, runTool, type ToolRun } from './ffmpegTools.js';
import { orientationOf } from './geometry.js';
import { checkInputFile, containerWhitelist, fileUrl, whyNotOpened } from './inputFile.js';
import { checkDuration, checkFrames, checkPixels, ffmpegMaxPixels } from './limits.js';
import { isUsable } from './part.js';
import { PartPackets, seeksExactly, stepsBackSec } from './partPackets.js';
import { clockStart, type StreamFacts, type Stretch, unsupportedCodec } from './streamFacts.js';
import type { PacketFacts } from './timeline.js';
import type { TimeWindow, VideoLimits } from './types.js';

/** Input options that keep FFmpeg to this one file, and to frames of a bounded size. */
export function inputOptions(limits: VideoLimits): string[] {
  return ['-protocol_whitelist', 'file,pipe', '-format_whitelist', containerWhitelist, '-max_pixels', ffmpegMaxPixels(limits)];
}

const optionalText = v.optional(v.string());
const optionalNumber = v.optional(v.number());

const streamSchema = v.object({
  index: v.number(),
  codec_type: optionalText,
  codec_name: optionalText,
  codec_tag_string: optionalText,
  width: optionalNumber,
  height: optionalNumber,
  sample_aspect_ratio: optionalText,
  r_frame_rate: optionalText,
  avg_frame_rate: optionalText,
  time_base: optionalText,
  start_time: optionalText,
  duration_ts: optionalNumber,
  nb_frames: optionalText,
  disposition: v.optional(v.object({ attached_pic: optionalNumber })),
  side_data_list: v.optional(v.array(v.object({ displaymatrix: optionalText }))),
});

const packetSchema = v.object({
  stream_index: optionalNumber,
  pts: optionalNumber,
  dts: optionalNumber,
  duration: optionalNumber,
  flags: optionalText,
});

const reportSchema = v.object({
  packets: v.optional(v.array(packetSchema), []),
  streams: v.optional(v.array(streamSchema), []),
  format: v.optional(v.object({ format_name: optionalText, start_time: optionalText, duration: optionalText })),
});

type Report = v.InferOutput<typeof reportSchema>;
type ProbedStream = Report['streams'][number];

/** ffprobe's facts and the index of their video stream. */
export interface Probed {
  readonly facts: StreamFacts;
  readonly streamIndex: number;
}

/** Throws VideoError or LimitError, as `Decoder.probe`. Of a part only the packets near it are read, where that is possible. */
export function probeWithFfprobe(path: string, limits: VideoLimits, part?: TimeWindow): Probed {
  checkInputFile(path);
  const near = part && probePart(path, limits, part);
  if (near !== undefined) return near;
  const run = runFfprobe(path, limits);
  const report = reportOf(run);
  if (report === undefined) throw new VideoError(whyNotOpened(path, openReason(run.stderr)), { path });
  const probed = probedOf(path, report, run, limits);
  if (part === undefined) checkDuration(path, probed.facts.readDurationSec, limits);
  return probed;
}

function probedOf(path: string, report: Report, run: ToolRun, limits: VideoLimits, wanted?: PartPackets): Probed {
  const stream = videoStream(path, report);
  checkPixels(path, stream.width ?? 0, stream.height ?? 0, limits);
  const facts = factsOf(path, report, stream, run, wanted);
  checkFrames(path, facts.packets.length, limits);
  return { facts, streamIndex: stream.index };
}

/** Packets of sound and pictures that are shown together lie within so many seconds of each other in a file. */
const interleavedSec = 3;

/** Undefined where the part cannot be read on its own. */
function probePart(path: string, limits: VideoLimits, part: TimeWindow): Probed | undefined {
  let clockSec = 0; // when the container starts, which only ffprobe tells
  for (const back of stepsBackSec) {
    for (const behind of [interleavedSec, Number.POSITIVE_INFINITY]) {
      const reach = { startSec: part.startSec - back, endSec: part.endSec + behind };
      const near = probeNear(path, limits, part, reach, clockSec);
      if (near === undefined) return undefined;
      clockSec = near.facts.startSec;
      if (isUsable(near.facts, part)) return near;
      if (near.facts.packets.length === 0) break; // begun too late
    }
    if (back >= part.startSec) return undefined;
  }
  return undefined;
}

/** Reads the packets of `reach`; again where the container starts at quite another time than was thought. */
function probeNear(path: string, limits: VideoLimits, part: TimeWindow, reach: TimeWindow, clockSec: number): Probed | undefined {
  const [from, to] = [reach.startSec, reach.endSec].map((sec) => (sec + clockSec).toFixed(6));
  const fromStart = reach.startSec <= 0;
  const toEnd = reach.endSec === Number.POSITIVE_INFINITY;
  const run = runFfprobe(path, limits, ['-read_intervals', `${fromStart ? '' : from}%${toEnd ? '' : to}`]);
  const report = run.status === 0 ? reportOf(run) : undefined;
  if (report === undefined || !seeksExactly(report.format?.format_name ?? '')) return undefined;
  const stream = videoStream(path, report);
  const startSec = startOf(report, stream);
  if (Number.isNaN(startSec)) return undefined;
  if (Math.abs(startSec - clockSec) > 1) return probeNear(path, limits, part, reach, startSec);
  const tickSec = ratio(stream.time_base) ?? 1;
  const wanted = new PartPackets((startSec + part.startSec) / tickSec, (startSec + part.endSec + 0.1) / tickSec, fromStart);
  const { facts, streamIndex } = probedOf(path, report, run, limits, wanted);
  const stretch: Stretch = {
    fromStart,
    complete: wanted.complete,
    toEnd: toEnd || endsBefore(facts, reach.endSec + startSec - 1),
  };
  return { facts: { ...facts, stretch }, streamIndex };
}

/** Reading ended with the file, whose header agrees, and not with the wish: saves asking again. */
function endsBefore({ container, readEndSec, fileDurationSec, startSec }: StreamFacts, sec: number): boolean {
  const fileEndSec = fileDurationSec + (container.startsWith('matroska') ? 0 : startSec);
  return readEndSec < sec && readEndSec > fileEndSec - 0.25;
}

function runFfprobe(path: string, limits: VideoLimits, more: readonly string[] = []): ToolRun {
  const entries = [
    'packet=stream_index,pts,dts,duration,flags',
    'stream=index,codec_type,codec_name,codec_tag_string,width,height,sample_aspect_ratio,r_frame_rate,avg_frame_rate,time_base',
    'stream=start_time,duration_ts,nb_frames',
    'stream_disposition=attached_pic',
    'stream_side_data=displaymatrix',
    'format=format_name,start_time,duration',
  ];
  const args = [
    '-v',
    'warning',
    ...inputOptions(limits),
    ...more,
    '-show_entries',
    entries.join(':'),
    '-of',
    'json=compact=1',
    fileUrl(path),
  ];
  const run = runTool('ffprobe', path, args, 2 ** 29 - 2 ** 20);
  checkSizeWarning(path, run, limits);
  return run;
}

/** When `-max_pixels` applies, ffprobe omits the size; its warning holds it. */
function checkSizeWarning(path: string, { stderr }: ToolRun, limits: VideoLimits): void {
  const [, width, height] = /Picture size (\d+)x(\d+) exceeds specified max pixel count/.exec(stderr) ?? [];
  if (width !== undefined && height !== undefined) checkPixels(path, Number(width), Number(height), limits);
}

function reportOf({ stdout }: ToolRun): Report | undefined {
  const report = matching(reportSchema, parsedJson(stdout.toString('utf8')));
  return report !== undefined && report.streams.length > 0 ? report : undefined;
}

function openReason(stderr: string): string {
  return /not on whitelist/i.test(stderr) ? 'its format is not among the video containers that are read' : lastLine(stderr);
}

function videoStream(path: string, { streams, format }: Report): ProbedStream {
  const videos = streams.filter((stream) => stream.codec_type === 'video');
  const moving = videos.find((stream) => stream.disposition?.attached_pic !== 1);
  if (moving !== undefined) return moving;
  const hasAudio = streams.some((stream) => stream.codec_type === 'audio');
  if (hasAudio)
    throw new VideoError(`holds sound only, no video${videos.length > 0 ? ' (but for a cover picture)' : ''}`, {
      path,
      code: 'soundOnly',
    });
  throw new VideoError(`holds no video stream (${format?.format_name ?? 'unknown container'})`, { path });
}

function factsOf(path: string, report: Report, stream: ProbedStream, run: ToolRun, wanted?: PartPackets): StreamFacts {
  const codec = stream.codec_name ?? stream.codec_tag_string ?? 'unknown';
  if (
    stream.codec_name === undefined ||
    new RegExp(`Unsupported codec .* for input stream ${stream.index}\\b`).test(run.stderr)
  ) {
    throw unsupportedCodec(path, codec);
  }
  const own = report.packets.filter((packet) => packet.stream_index === stream.index).map(packetFacts);
  const packets = markCorrupt(own, stream, run.stderr);
  const { startSec, endSec } = readSpan(report);
  const tickSec = ratio(stream.time_base) ?? 1;
  const matrix = stream.side_data_list?.find((data) => data.displaymatrix !== undefined)?.displaymatrix;
  return {
    path,
    container: report.format?.format_name ?? 'unknown',
    codec,
    codedWidth: stream.width ?? 0,
    codedHeight: stream.height ?? 0,
    sampleAspect: ratio(stream.sample_aspect_ratio) ?? 1,
    orientation: orientationOf(path, matrix === undefined ? undefined : matrixOf(matrix)),
    tickSec,
    hasAudio: report.streams.some((other) => other.codec_type === 'audio'),
    nominalRate: ratio(stream.avg_frame_rate) ?? ratio(stream.r_frame_rate) ?? 25,
    streamDurationSec: (stream.duration_ts ?? Number.NaN) * tickSec,
    startSec: startOf(report, stream),
    fileDurationSec: Number(report.format?.duration ?? Number.NaN),
    headerFrames: Number(stream.nb_frames ?? 0),
    readDurationSec: endSec > startSec ? endSec - startSec : 0,
    readEndSec: endSec,
    readError: run.status === 0 ? undefined : lastLine(run.stderr),
    packets: keptOf(packets, wanted),
  };
}

function keptOf(packets: readonly PacketFacts[], wanted: PartPackets | undefined): readonly PacketFacts[] {
  if (wanted === undefined) return packets;
  const kept: PacketFacts[] = [];
  for (const packet of packets) {
    const use = wanted.take(packet);
    if (use === 'stop') return kept;
    if (use !== 'skip') kept.push(packet);
    if (use === 'last') return kept;
  }
  return kept;
}

const startOf = ({ format }: Report, stream: ProbedStream): number =>
  clockStart(Number(format?.start_time ?? Number.NaN), Number(stream.start_time ?? Number.NaN));

/** "30000/1001" or "4:3" as a number; undefined for "0/0", "0:1" and absent. */
function ratio(text: string | undefined): number | undefined {
  const [above = Number.NaN, below = Number.NaN] = (text ?? '').split(/[/:]/).map(Number);
  return above > 0 && below > 0 ? above / below : undefined;
}

function matrixOf(text: string): number[] {
  return text
    .split('\n')
    .filter((row) => row.includes(':'))
    .flatMap((row) =>
      row
        .slice(row.indexOf(':') + 1)
        .trim()
        .split(/\s+/)
        .map(Number),
    );
}

function packetFacts({ pts, dts, duration, flags = '' }: Report['packets'][number]): PacketFacts {
  return {
    pts: pts ?? Number.NaN,
    dts: dts ?? Number.NaN,
    duration: duration ?? 0,
    key: flags.includes('K'),
    discard: flags.includes('D'),
    corrupt: flags.includes('C'),
  };
}

/** ffprobe before 6.0 prints no "corrupt" flag, but FFmpeg warns of such packets. */
function markCorrupt(packets: PacketFacts[], { index }: ProbedStream, stderr: string): PacketFacts[] {
  const warnings = [...stderr.matchAll(/Packet corrupt \(stream = (\d+), dts = (-?\d+|NOPTS)\)/g)];
  const dts = new Set(warnings.filter(([, stream]) => Number(stream) === index).map(([, , time]) => Number(time)));
  if (dts.size === 0) return packets;
  return packets.map((packet) => (dts.has(packet.dts) ? { ...packet, corrupt: true } : packet));
}

/** From the first packet of any stream to the end of the last. */
function readSpan({ packets, streams }: Report): TimeWindow {
  const tickSecs = new Map(streams.map((stream) => [stream.index, ratio(stream.time_base) ?? 0]));
  let [startSec, endSec] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { stream_index: index, pts, dts, duration = 0 } of packets) {
    const tickSec = tickSecs.get(index ?? -1) ?? 0;
    const time = pts ?? dts ?? Number.NaN;
    if (time * tickSec < startSec) startSec = time * tickSec;
    if ((time + duration) * tickSec > endSec) endSec = (time + duration) * tickSec;
  }
  return { startSec, endSec };
}
