/** Test videos with numbered frames, written with node-av for control of containers, times, rotation and aspect. */
import { checkCode, loadNodeAv } from './nodeAvLibrary.js';
import type { CodecContext, FormatContext, NodeAv, Packet } from './nodeAvTypes.js';
import type { FrameStrip } from './types.js';

export interface PatternVideo {
  readonly encoder: string;
  readonly width: number;
  readonly height: number;
  /** When each frame begins, in ticks; frame k shows the number k, or `picture(k)`. */
  readonly ticks: readonly number[];
  readonly ticksPerSec: number;
  readonly options?: Readonly<Record<string, string>>;
  readonly maxBFrames?: number;
  readonly gopSize?: number;
  readonly sampleAspect?: readonly [number, number];
  /** The four numbers of the display matrix that turn and mirror, 1 = 65536. */
  readonly matrix?: readonly [number, number, number, number];
  readonly picture?: (frame: number, x: number, y: number) => number;
  /** Adds a track of silence (PCM) as long as this. */
  readonly silenceSec?: number;
  readonly colour?: { readonly bt709: boolean };
}

const columns = 4;
const rows = 3;

/** Luma of a frame that shows `frame` in binary, a cell a bit. */
export function numberPicture(frame: number, x: number, y: number, width: number, height: number): number {
  const cell = Math.floor((y * rows) / height) * columns + Math.floor((x * columns) / width);
  return (frame >> cell) & 1 ? 235 : 16;
}

/** Reads the number back from the middle of each cell. */
export function numberOf({ width, height, rgb }: FrameStrip, frame: number): number {
  let value = 0;
  for (let cell = 0; cell < columns * rows; cell++) {
    const x = Math.floor((((cell % columns) + 0.5) * width) / columns);
    const y = Math.floor(((Math.floor(cell / columns) + 0.5) * height) / rows);
    const green = rgb[((frame * height + y) * width + x) * 3 + 1] ?? 0;
    if (green > 127) value |= 1 << cell;
  }
  return value;
}

/** Why such videos cannot be written here; false when they can. For a test's `skip`. */
export function cannotWritePatterns(): string | false {
  const av = loadNodeAv();
  return typeof av === 'string' ? `this test writes its videos with node-av: ${av}` : false;
}

/** Writes the video; the file's ending names the container. */
export function writePattern(path: string, video: PatternVideo): void {
  const av = loadNodeAv();
  if (typeof av === 'string') throw new Error(av);
  const output = new av.FormatContext();
  check(av, output.allocOutputContext2(null, null, path));
  const context = openEncoder(av, output, video);
  const stream = output.newStream();
  check(av, context.parametersFromContext(stream.codecpar));
  stream.timeBase = context.timeBase;
  if (video.sampleAspect !== undefined) stream.sampleAspectRatio = new av.Rational(...video.sampleAspect);
  if (video.matrix !== undefined) stream.codecpar.addCodedSideData(av.AV_PKT_DATA_DISPLAYMATRIX, matrixData(video.matrix));
  if (video.silenceSec !== undefined) addAudioStream(av, output);
  check(av, output.openOutputSync());
  if (/\.(mp4|mov)$/.test(path)) output.setOption('movflags', '+faststart');
  check(av, output.writeHeaderSync());
  for (let second = 0; second < (video.silenceSec ?? 0); second++) writeSilence(av, output, second);
  const packet = new av.Packet();
  packet.alloc();
  video.ticks.forEach((tick, index) => {
    const frame = av.Frame.fromVideoBuffer(planes(video, index), {
      width: video.width,
      height: video.height,
      format: av.AV_PIX_FMT_YUV420P,
      timeBase: { num: 1, den: video.ticksPerSec },
      pts: BigInt(tick),
    });
    check(av, context.sendFrameSync(frame));
    frame.free();
    drain(av, output, context, packet, video);
  });
  check(av, context.sendFrameSync(null));
  drain(av, output, context, packet, video);
  check(av, output.writeTrailerSync());
  packet.free();
  context.freeContext();
  output.closeOutputSync();
  output.freeContext();
}

function check(av: NodeAv, code: number): void {
  checkCode(av, code, 'a test video', 'writing');
}

function openEncoder(av: NodeAv, output: FormatContext, video: PatternVideo): CodecContext {
  const codec = av.Codec.findEncoderByName(video.encoder);
  if (codec === null) throw new Error(`node-av has no ${video.encoder}`);
  const context = new av.CodecContext();
  context.allocContext3(codec);
  context.width = video.width;
  context.height = video.height;
  context.pixelFormat = av.AV_PIX_FMT_YUV420P;
  context.timeBase = new av.Rational(1, video.ticksPerSec);
  context.bitRate = 2_000_000n;
  context.threadCount = 1;
  if (video.maxBFrames !== undefined) context.maxBFrames = video.maxBFrames;
  if (video.gopSize !== undefined) context.gopSize = video.gopSize;
  if (video.sampleAspect !== undefined) context.sampleAspectRatio = new av.Rational(...video.sampleAspect);
  if (video.colour?.bt709 === true) context.colorSpace = av.AVCOL_SPC_BT709;
  if (output.oformat?.hasFlags(av.AVFMT_GLOBALHEADER) === true) context.setFlags(av.AV_CODEC_FLAG_GLOBAL_HEADER);
  for (const [name, value] of Object.entries(video.options ?? {})) check(av, context.setOption(name, value));
  check(av, context.open2Sync(codec));
  return context;
}

function drain(av: NodeAv, output: FormatContext, context: CodecContext, packet: Packet, video: PatternVideo): void {
  const stream = output.streams[0];
  if (stream === undefined) throw new Error('no stream');
  while (context.receivePacketSync(packet) >= 0) {
    packet.streamIndex = 0;
    packet.duration = BigInt(durationOf(video.ticks, Number(packet.pts)));
    packet.rescaleTs({ num: 1, den: video.ticksPerSec }, stream.timeBase);
    check(av, output.interleavedWriteFrameSync(packet));
  }
}

const audioRate = 8000;

function addAudioStream(av: NodeAv, output: FormatContext): void {
  const stream = output.newStream();
  const { codecpar } = stream;
  codecpar.codecType = av.AVMEDIA_TYPE_AUDIO;
  codecpar.codecId = av.AV_CODEC_ID_PCM_S16LE;
  codecpar.format = av.AV_SAMPLE_FMT_S16;
  codecpar.sampleRate = audioRate;
  codecpar.channelLayout = { order: av.AV_CHANNEL_ORDER_NATIVE, nbChannels: 1, mask: 4n };
  stream.timeBase = new av.Rational(1, audioRate);
}

function writeSilence(av: NodeAv, output: FormatContext, second: number): void {
  const stream = output.streams[1];
  if (stream === undefined) throw new Error('no audio stream');
  const packet = new av.Packet();
  packet.alloc();
  packet.data = Buffer.alloc(2 * audioRate);
  packet.streamIndex = 1;
  packet.pts = BigInt(second * audioRate);
  packet.dts = packet.pts;
  packet.duration = BigInt(audioRate);
  packet.rescaleTs({ num: 1, den: audioRate }, stream.timeBase);
  check(av, output.interleavedWriteFrameSync(packet));
  packet.free();
}

/** Until the next frame; the last repeats the duration before it, else MP4 would end when its last frame begins. */
function durationOf(ticks: readonly number[], tick: number): number {
  const next = ticks[ticks.indexOf(tick) + 1];
  return next === undefined ? tick - (ticks.at(-2) ?? tick - 1) : next - tick;
}

/** Luma from the picture; chroma grey, or a gradient to compare colours. */
function planes(video: PatternVideo, frame: number): Buffer {
  const { width, height } = video;
  const [chromaWidth, chromaHeight] = [(width + 1) >> 1, (height + 1) >> 1];
  const buffer = Buffer.alloc(width * height + 2 * chromaWidth * chromaHeight, 128);
  const luma = video.picture ?? ((k, x, y) => numberPicture(k, x, y, width, height));
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) buffer[y * width + x] = luma(frame, x, y);
  if (video.colour === undefined) return buffer;
  for (let y = 0; y < chromaHeight; y++) {
    for (let x = 0; x < chromaWidth; x++) {
      buffer[width * height + y * chromaWidth + x] = 64 + Math.floor((128 * x) / chromaWidth);
      buffer[width * height + (chromaHeight + y) * chromaWidth + x] = 64 + Math.floor((128 * y) / chromaHeight);
    }
  }
  return buffer;
}

function matrixData([a, b, c, d]: readonly [number, number, number, number]): Buffer {
  const data = Buffer.alloc(36);
  for (const [index, value] of [a, b, 0, c, d, 0, 0, 0].entries()) data.writeInt32LE(value * 65536, 4 * index);
  data.writeInt32LE(1 << 30, 32);
  return data;
}
