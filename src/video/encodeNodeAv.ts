/**
 * node-av (FFmpeg inside the process) as an encoder: the synchronous low level, frame by frame. Whether it is there at all is
 * nodeAvLibrary.ts.
 */
import type * as Library from 'node-av/lib';
import { VideoError } from '../errors.js';
import type { EncodeJob } from './encodeJob.js';
import { type NodeAv as Av, loadNodeAv } from './nodeAvLibrary.js';

/** Why node-av cannot be used here, or undefined when it can. */
export function nodeAvProblem(): string | undefined {
  const loaded = loadNodeAv();
  return typeof loaded === 'string' ? loaded : undefined;
}

function nodeAv(): Av {
  const loaded = loadNodeAv();
  if (typeof loaded === 'string')
    throw new VideoError(`node-av does not load (${loaded}); install it, or use the ffmpeg encoder`);
  return loaded;
}

/** Writes the job's file from 4:2:0 planes. Throws VideoError with the step that failed and FFmpeg's reason. */
export function encodeWithNodeAv(job: EncodeJob, frames: Iterable<Buffer>): void {
  const av = nodeAv();
  const check = (code: number, step: string): number => {
    if (code < 0) throw new VideoError(`node-av: ${step} failed: ${new av.FFmpegError(code).message}`);
    return code;
  };
  const codec = av.Codec.findEncoderByName(job.library as Parameters<typeof av.Codec.findEncoderByName>[0]);
  if (codec === null) throw new VideoError(`node-av has no ${job.library} encoder`);
  const output = new av.FormatContext();
  const encoder = new av.CodecContext();
  try {
    check(output.allocOutputContext2(null, job.container, job.path), 'choosing the container');
    output.setFlags(av.AVFMT_FLAG_BITEXACT);
    openEncoder(av, encoder, codec, job, check);
    const stream = addStream(av, output, encoder, codec, job, check);
    check(output.openOutputSync(), 'creating the file');
    if (job.container === 'mp4') setOptions(output, { movflags: '+faststart' }, check);
    check(output.writeHeaderSync(), 'writing the header');
    writeFrames(av, { output, encoder, stream, job, check }, frames);
    check(output.writeTrailerSync(), 'finishing the file');
  } finally {
    encoder.freeContext();
    output.closeOutputSync();
    output.freeContext();
  }
}

type Check = (code: number, step: string) => number;

function openEncoder(av: Av, encoder: Library.CodecContext, codec: Library.Codec, job: EncodeJob, check: Check): void {
  encoder.allocContext3(codec);
  encoder.width = job.width;
  encoder.height = job.height;
  encoder.pixelFormat = av.AV_PIX_FMT_YUV420P;
  encoder.timeBase = new av.Rational(job.rate.den, job.rate.num);
  encoder.framerate = new av.Rational(job.rate.num, job.rate.den);
  encoder.sampleAspectRatio = new av.Rational(1, 1);
  encoder.colorRange = av.AVCOL_RANGE_MPEG;
  encoder.colorSpace = av.AVCOL_SPC_BT709;
  encoder.colorPrimaries = av.AVCOL_PRI_BT709;
  encoder.colorTrc = av.AVCOL_TRC_BT709;
  encoder.setFlags(av.AV_CODEC_FLAG_BITEXACT);
  if (job.container === 'mp4') encoder.setFlags(av.AV_CODEC_FLAG_GLOBAL_HEADER);
  setOptions(encoder, job.options, check);
  check(encoder.open2Sync(codec), `opening ${job.library}`);
}

/** One by one: a Dictionary given to open2Sync or writeHeaderSync is freed twice by node-av 6.1.1, once of those by the collector. */
function setOptions(
  target: Library.CodecContext | Library.FormatContext,
  options: Readonly<Record<string, string>>,
  check: Check,
): void {
  for (const [name, value] of Object.entries(options)) check(target.setOption(name, value), `setting ${name}=${value}`);
}

function addStream(
  av: Av,
  output: Library.FormatContext,
  encoder: Library.CodecContext,
  codec: Library.Codec,
  job: EncodeJob,
  check: Check,
): Library.Stream {
  const stream = output.newStream(codec);
  check(encoder.parametersFromContext(stream.codecpar), 'describing the stream');
  stream.timeBase = encoder.timeBase;
  stream.avgFrameRate = new av.Rational(job.rate.num, job.rate.den);
  return stream;
}

interface Writing {
  readonly output: Library.FormatContext;
  readonly encoder: Library.CodecContext;
  readonly stream: Library.Stream;
  readonly job: EncodeJob;
  readonly check: Check;
}

function writeFrames(av: Av, writing: Writing, frames: Iterable<Buffer>): void {
  const { encoder, job, check } = writing;
  const timeBase = { num: job.rate.den, den: job.rate.num };
  using packet = new av.Packet();
  packet.alloc();
  let pts = 0n;
  for (const planes of frames) {
    using frame = av.Frame.fromVideoBuffer(planes, {
      width: job.width,
      height: job.height,
      format: av.AV_PIX_FMT_YUV420P,
      timeBase,
      pts,
    });
    frame.colorRange = av.AVCOL_RANGE_MPEG;
    frame.colorSpace = av.AVCOL_SPC_BT709;
    check(encoder.sendFrameSync(frame), `encoding frame ${pts}`);
    drain(av, writing, packet);
    pts++;
  }
  check(encoder.sendFrameSync(null), 'flushing the encoder');
  drain(av, writing, packet);
}

/** Moves the packets that are ready from the encoder to the file. */
function drain(av: Av, { output, encoder, stream, job, check }: Writing, packet: Library.Packet): void {
  const timeBase = { num: job.rate.den, den: job.rate.num };
  for (;;) {
    const code = encoder.receivePacketSync(packet);
    if (code === av.AVERROR_EAGAIN || code === av.AVERROR_EOF) return;
    check(code, 'encoding');
    packet.streamIndex = stream.index;
    if (packet.duration === 0n) packet.duration = 1n;
    packet.rescaleTs(timeBase, { num: stream.timeBase.num, den: stream.timeBase.den });
    check(output.interleavedWriteFrameSync(packet), 'writing');
    packet.unref();
  }
}
