/** Encodes with node-av (FFmpeg in the process) through its synchronous low-level API. */
import { VideoError } from '../errors.js';
import type { EncodeJob } from './encodeJob.js';
import { checkCode } from './nodeAvLibrary.js';
import type { Codec, CodecContext, FormatContext, NodeAv, Packet, Stream } from './nodeAvTypes.js';

/** Writes the job's file from 4:2:0 planes. Throws VideoError with the step that failed and FFmpeg's reason. */
export function encodeWithNodeAv(av: NodeAv, job: EncodeJob, frames: Iterable<Buffer>): void {
  const check: Check = (code, step) => checkCode(av, code, 'node-av', step);
  const codec = av.Codec.findEncoderByName(job.library);
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

type Check = (code: number, step: string) => void;

function openEncoder(av: NodeAv, encoder: CodecContext, codec: Codec, job: EncodeJob, check: Check): void {
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

/** One by one: node-av 6.1.1 frees a Dictionary given to open2Sync or writeHeaderSync twice (again in the collector). */
function setOptions(target: CodecContext | FormatContext, options: Readonly<Record<string, string>>, check: Check): void {
  for (const [name, value] of Object.entries(options)) check(target.setOption(name, value), `setting ${name}=${value}`);
}

function addStream(av: NodeAv, output: FormatContext, encoder: CodecContext, codec: Codec, job: EncodeJob, check: Check): Stream {
  const stream = output.newStream(codec);
  check(encoder.parametersFromContext(stream.codecpar), 'describing the stream');
  stream.timeBase = encoder.timeBase;
  stream.avgFrameRate = new av.Rational(job.rate.num, job.rate.den);
  return stream;
}

interface Writing {
  readonly output: FormatContext;
  readonly encoder: CodecContext;
  readonly stream: Stream;
  readonly job: EncodeJob;
  readonly check: Check;
}

function writeFrames(av: NodeAv, writing: Writing, frames: Iterable<Buffer>): void {
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

function drain(av: NodeAv, { output, encoder, stream, job, check }: Writing, packet: Packet): void {
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
