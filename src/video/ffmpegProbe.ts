import * as v from 'valibot';
import { VideoError } from '../errors.js';
import { parsedJson } from '../json.js';
import { matching } from '../schema.js';
import { lastLine, runTool, type ToolRun } from './ffmpegTools.js';
import { orientationOf } from './geometry.js';
import { checkInputFile, containerWhitelist, fileUrl, whyNotOpened } from './inputFile.js';
import { checkDuration, checkFrames, checkPixels, ffmpegMaxPixels } from './limits.js';
import { type StreamFacts, unsupportedCodec } from './streamFacts.js';
import type { PacketFacts } from './timeline.js';
import type { VideoLimits } from './types.js';

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

/** Throws VideoError or LimitError, as `Decoder.probe`. */
export function probeWithFfprobe(path: string, limits: VideoLimits): Probed {
  checkInputFile(path);
  const entries = [
    'packet=stream_index,pts,dts,duration,flags',
    'stream=index,codec_type,codec_name,codec_tag_string,width,height,sample_aspect_ratio,r_frame_rate,avg_frame_rate,time_base',
    'stream=duration_ts,nb_frames',
    'stream_disposition=attached_pic',
    'stream_side_data=displaymatrix',
    'format=format_name,start_time,duration',
  ];
  const args = [
    '-v',
    'warning',
    ...inputOptions(limits),
    '-show_entries',
    entries.join(':'),
    '-of',
    'json=compact=1',
    fileUrl(path),
  ];
  const run = runTool('ffprobe', path, args, 2 ** 29 - 2 ** 20);
  checkSizeWarning(path, run, limits);
  const report = parse(path, run);
  const stream = videoStream(path, report);
  checkPixels(path, stream.width ?? 0, stream.height ?? 0, limits);
  const facts = factsOf(path, report, stream, run);
  checkFrames(path, facts.packets.length, limits);
  checkDuration(path, facts.readDurationSec, limits);
  return { facts, streamIndex: stream.index };
}

/** When `-max_pixels` applies, ffprobe omits the size; its warning holds it. */
function checkSizeWarning(path: string, { stderr }: ToolRun, limits: VideoLimits): void {
  const [, width, height] = /Picture size (\d+)x(\d+) exceeds specified max pixel count/.exec(stderr) ?? [];
  if (width !== undefined && height !== undefined) checkPixels(path, Number(width), Number(height), limits);
}

function parse(path: string, run: ToolRun): Report {
  const report = matching(reportSchema, parsedJson(run.stdout.toString('utf8')));
  if (report !== undefined && report.streams.length > 0) return report;
  throw new VideoError(whyNotOpened(path, openReason(run.stderr)), { path });
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

function factsOf(path: string, report: Report, stream: ProbedStream, run: ToolRun): StreamFacts {
  const codec = stream.codec_name ?? stream.codec_tag_string ?? 'unknown';
  if (
    stream.codec_name === undefined ||
    new RegExp(`Unsupported codec .* for input stream ${stream.index}\\b`).test(run.stderr)
  ) {
    throw unsupportedCodec(path, codec);
  }
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
    startSec: Number(report.format?.start_time ?? Number.NaN),
    fileDurationSec: Number(report.format?.duration ?? Number.NaN),
    headerFrames: Number(stream.nb_frames ?? 0),
    readDurationSec: readDuration(report),
    readError: run.status === 0 ? undefined : lastLine(run.stderr),
    packets: markCorrupt(
      report.packets.filter((packet) => packet.stream_index === stream.index).map(packetFacts),
      stream,
      run.stderr,
    ),
  };
}

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

function readDuration({ packets, streams }: Report): number {
  const tickSecs = new Map(streams.map((stream) => [stream.index, ratio(stream.time_base) ?? 0]));
  let [startSec, endSec] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { stream_index: index, pts, dts, duration = 0 } of packets) {
    const tickSec = tickSecs.get(index ?? -1) ?? 0;
    const time = pts ?? dts ?? Number.NaN;
    if (time * tickSec < startSec) startSec = time * tickSec;
    if ((time + duration) * tickSec > endSec) endSec = (time + duration) * tickSec;
  }
  return endSec > startSec ? endSec - startSec : 0;
}
