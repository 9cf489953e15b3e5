/**
 * Opens a file with node-av and reads packets: all once for their times, then parts for decoding. Packets of short videos stay in
 * memory.
 */
import { VideoError } from '../errors.js';
import { orientationOf } from './geometry.js';
import { checkInputFile, containerWhitelist, fileUrl, whyNotOpened } from './inputFile.js';
import { checkDuration, checkFrames, checkPixels } from './limits.js';
import { reason } from './nodeAvLibrary.js';
import type { FormatContext, NodeAv, Packet, Stream } from './nodeAvTypes.js';
import type { StreamFacts } from './streamFacts.js';
import type { PacketFacts } from './timeline.js';
import type { VideoLimits } from './types.js';

/** Packets of a file are kept up to this many bytes; beyond, they are read again. */
export const defaultKeptBytes = 64 * 2 ** 20;

/** More "try again" results in a row count as the end. */
const maxIdleReads = 100_000;

export class NodeAvFile {
  readonly facts: StreamFacts;
  stream: Stream;
  private kept: Packet[] | undefined = [];

  private constructor(
    private readonly av: NodeAv,
    readonly path: string,
    private format: FormatContext,
    private readonly limits: VideoLimits,
    private readonly keptBytes: number,
  ) {
    this.stream = videoStream(av, path, format);
    try {
      this.facts = this.readFacts();
    } catch (error) {
      this.forget();
      throw error;
    }
  }

  /** Opens and indexes a file. Throws VideoError or LimitError; nothing stays open then. */
  static open(av: NodeAv, path: string, limits: VideoLimits, keptBytes = defaultKeptBytes): NodeAvFile {
    checkInputFile(path);
    const format = openFormat(av, path, limits);
    try {
      return new NodeAvFile(av, path, format, limits, keptBytes);
    } catch (error) {
      format.closeInputSync();
      throw error;
    }
  }

  close(): void {
    this.forget();
    this.format.closeInputSync();
  }

  /**
   * Calls `use` with the packets [from, to) in decoding order until it returns false. A packet is valid during the call only.
   * Throws VideoError when the file has changed.
   */
  forEachPacket(from: number, to: number, use: (packet: Packet, index: number) => boolean): void {
    if (this.kept === undefined) {
      this.readAgain(from, to, use);
      return;
    }
    for (let index = from; index < to; index++) {
      const packet = this.kept[index];
      if (packet === undefined || !use(packet, index)) return;
    }
  }

  private readFacts(): StreamFacts {
    const { av, path, format, stream } = this;
    const { codecpar } = stream;
    const tickSec = seconds(stream);
    const { packets, readDurationSec, readError } = this.index();
    const aspect = stream.sampleAspectRatio.num > 0 ? stream.sampleAspectRatio : codecpar.sampleAspectRatio;
    const rate = [stream.avgFrameRate, stream.rFrameRate].find(({ num, den }) => num > 0 && den > 0);
    return {
      path,
      container: format.iformat?.name ?? 'unknown',
      codec: av.avGetCodecName(codecpar.codecId) ?? 'unknown',
      codedWidth: codecpar.width,
      codedHeight: codecpar.height,
      sampleAspect: aspect.num > 0 && aspect.den > 0 ? aspect.num / aspect.den : 1,
      orientation: orientationOf(path, matrixOf(codecpar.getCodedSideData(av.AV_PKT_DATA_DISPLAYMATRIX))),
      tickSec,
      hasAudio: format.streams.some((other) => other.codecpar.codecType === av.AVMEDIA_TYPE_AUDIO),
      nominalRate: rate === undefined ? 25 : rate.num / rate.den,
      streamDurationSec: ticks(av, stream.duration) * tickSec,
      startSec: ticks(av, format.startTime) / 1e6,
      fileDurationSec: ticks(av, format.duration) / 1e6,
      headerFrames: Number(stream.nbFrames),
      readDurationSec,
      readError,
      packets,
    };
  }

  /** Reads the whole file once. */
  private index(): { packets: PacketFacts[]; readDurationSec: number; readError: string | undefined } {
    const { av, path, stream, limits } = this;
    const tickSecs = this.format.streams.map(seconds);
    const packets: PacketFacts[] = [];
    let bytes = 0;
    let [startSec, endSec] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const code = this.readPackets((packet) => {
      const tickSec = tickSecs[packet.streamIndex] ?? 0;
      const facts = packetFacts(av, packet);
      const time = Number.isNaN(facts.pts) ? facts.dts : facts.pts;
      if (time * tickSec < startSec) startSec = time * tickSec;
      if ((time + facts.duration) * tickSec > endSec) endSec = (time + facts.duration) * tickSec;
      if (packet.streamIndex !== stream.index) return true;
      packets.push(facts);
      checkFrames(path, packets.length, limits);
      bytes += packet.size;
      this.keep(packet, bytes);
      return true;
    });
    const readDurationSec = endSec > startSec ? endSec - startSec : 0;
    checkDuration(path, readDurationSec, limits);
    return { packets, readDurationSec, readError: code === av.AVERROR_EOF ? undefined : reason(av, code) };
  }

  private keep(packet: Packet, bytes: number): void {
    if (bytes > this.keptBytes) this.forget();
    const clone = this.kept === undefined ? null : packet.clone();
    if (clone !== null) this.kept?.push(clone);
  }

  private forget(): void {
    for (const packet of this.kept ?? []) packet.free();
    this.kept = undefined;
  }

  /** Reads the packets [from, to) from the file once more: from where a seek leads, or else from its beginning. */
  private readAgain(from: number, to: number, use: (packet: Packet, index: number) => boolean): void {
    let index = this.seek(from);
    if (index > from) {
      const again = openFormat(this.av, this.path, this.limits);
      this.format.closeInputSync();
      this.format = again;
      this.stream = videoStream(this.av, this.path, this.format);
      index = 0;
    }
    this.readPackets((packet) => {
      if (packet.streamIndex !== this.stream.index) return true;
      if (!Object.is(packetFacts(this.av, packet).pts, this.facts.packets[index]?.pts)) {
        throw new VideoError(`packet ${index} changed while it was read; is the file still being written?`, { path: this.path });
      }
      const goOn = index < from || use(packet, index);
      index++;
      return goOn && index < to;
    });
  }

  /** Seeks to packet `index` or before it, and returns the index of the packet that comes next; infinity where that fails. */
  private seek(index: number): number {
    const { packets } = this.facts;
    const { pts = Number.NaN, dts = Number.NaN } = packets[index] ?? {};
    if (Number.isNaN(pts)) return Number.POSITIVE_INFINITY;
    const target = BigInt(Math.min(pts, Number.isNaN(dts) ? pts : dts));
    const seek = () => this.format.seekFrameSync(this.stream.index, target, this.av.AVSEEK_FLAG_BACKWARD) >= 0;
    let next = -1;
    if (!seek()) return Number.POSITIVE_INFINITY;
    this.readPackets((packet) => {
      if (packet.streamIndex !== this.stream.index) return true;
      const found = ticks(this.av, packet.pts);
      next = packets.findIndex((known) => known.pts === found);
      return false;
    });
    // The packet that located this has been consumed: seek again.
    return next < 0 || !seek() ? Number.POSITIVE_INFINITY : next;
  }

  /** Reads packets of all streams until `use` returns false (0) or the file ends (FFmpeg's code). */
  private readPackets(use: (packet: Packet) => boolean): number {
    const packet = new this.av.Packet();
    packet.alloc();
    let idle = 0;
    try {
      for (;;) {
        const code = this.format.readFrameSync(packet);
        idle = code === this.av.AVERROR_EAGAIN ? idle + 1 : 0;
        if (idle > 0 && idle < maxIdleReads) continue;
        if (code < 0) return code;
        const goOn = use(packet);
        packet.unref();
        if (!goOn) return 0;
      }
    } finally {
      packet.free();
    }
  }
}

function openFormat(av: NodeAv, path: string, limits: VideoLimits): FormatContext {
  const format = new av.FormatContext();
  format.allocContext();
  format.setOption('protocol_whitelist', 'file');
  format.setOption('format_whitelist', containerWhitelist);
  const code = format.openInputSync(fileUrl(path));
  if (code < 0) throw new VideoError(whyNotOpened(path, reason(av, code)), { path });
  try {
    // Before FFmpeg decodes a first frame to learn more, and again after. (No options here: node-av 6.1.1 passes one dictionary
    // where FFmpeg wants one per stream; two streams crash the process.)
    checkSizes(path, format, limits);
    const found = format.findStreamInfoSync();
    if (found < 0) throw new VideoError(whyNotOpened(path, reason(av, found)), { path });
    checkSizes(path, format, limits);
    return format;
  } catch (error) {
    format.closeInputSync();
    throw error;
  }
}

function checkSizes(path: string, format: FormatContext, limits: VideoLimits): void {
  for (const { codecpar } of format.streams) checkPixels(path, codecpar.width, codecpar.height, limits);
}

function videoStream(av: NodeAv, path: string, format: FormatContext): Stream {
  const videos = format.streams.filter((stream) => stream.codecpar.codecType === av.AVMEDIA_TYPE_VIDEO);
  const moving = videos.find((stream) => !stream.hasDisposition(av.AV_DISPOSITION_ATTACHED_PIC));
  if (moving !== undefined) return moving;
  const hasAudio = format.streams.some((stream) => stream.codecpar.codecType === av.AVMEDIA_TYPE_AUDIO);
  if (hasAudio)
    throw new VideoError(`holds sound only, no video${videos.length > 0 ? ' (but for a cover picture)' : ''}`, {
      path,
      code: 'soundOnly',
    });
  throw new VideoError(`holds no video stream (${format.iformat?.name ?? 'unknown container'})`, { path });
}

const seconds = (stream: Stream): number => stream.timeBase.num / stream.timeBase.den;

const ticks = (av: NodeAv, value: bigint): number => (value === av.AV_NOPTS_VALUE ? Number.NaN : Number(value));

function packetFacts(av: NodeAv, packet: Packet): PacketFacts {
  const { flags } = packet;
  return {
    pts: ticks(av, packet.pts),
    dts: ticks(av, packet.dts),
    duration: Number(packet.duration),
    key: (flags & av.AV_PKT_FLAG_KEY) !== 0,
    discard: (flags & av.AV_PKT_FLAG_DISCARD) !== 0,
    corrupt: (flags & av.AV_PKT_FLAG_CORRUPT) !== 0,
  };
}

function matrixOf(data: Buffer | null): number[] | undefined {
  if (data === null || data.length < 36) return undefined;
  return Array.from({ length: 9 }, (_, index) => data.readInt32LE(4 * index));
}
