/** A file opened with node-av: its streams, and the packets of all of them in their order, from any place. */
import { VideoError } from '../errors.js';
import { containerWhitelist, fileUrl, whyNotOpened } from './inputFile.js';
import { checkPixels } from './limits.js';
import { reason } from './nodeAvLibrary.js';
import type { FormatContext, NodeAv, Packet, Stream } from './nodeAvTypes.js';
import { clockStart } from './streamFacts.js';
import type { PacketFacts } from './timeline.js';
import type { VideoLimits } from './types.js';

/** More "try again" results in a row count as the end. */
const maxIdleReads = 100_000;

export class NodeAvContainer {
  format: FormatContext;
  /** The video. */
  stream: Stream;
  private moved = false;

  /** Throws VideoError or LimitError; nothing stays open then. */
  constructor(
    readonly av: NodeAv,
    readonly path: string,
    private readonly limits: VideoLimits,
  ) {
    this.format = openFormat(av, path, limits);
    try {
      this.stream = videoStream(av, path, this.format);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get name(): string {
    return this.format.iformat?.name ?? 'unknown';
  }

  /** Where a player's clock is 0; NaN where unknown. */
  get startSec(): number {
    return clockStart(ticks(this.av, this.format.startTime) / 1e6, ticks(this.av, this.stream.startTime) * this.tickSec);
  }

  get tickSec(): number {
    return secondsOf(this.stream);
  }

  /** The next packet is the first one again. */
  rewind(): void {
    if (!this.moved) return;
    const again = openFormat(this.av, this.path, this.limits);
    this.close();
    this.format = again;
    this.stream = videoStream(this.av, this.path, again);
    this.moved = false;
  }

  /** The next packet lies at this time of the video's ticks or before it, as a rule at a key frame; false where that fails. */
  seek(tick: number): boolean {
    this.moved = true;
    return this.format.seekFrameSync(this.stream.index, BigInt(Math.floor(tick)), this.av.AVSEEK_FLAG_BACKWARD) >= 0;
  }

  /** Reads packets of all streams until `use` returns false (0) or the file ends (FFmpeg's code). */
  readPackets(use: (packet: Packet) => boolean): number {
    const packet = new this.av.Packet();
    packet.alloc();
    this.moved = true;
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

  close(): void {
    this.format.closeInputSync();
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

/** Of a stream's tick. */
export const secondsOf = ({ timeBase }: Stream): number => timeBase.num / timeBase.den;

export const ticks = (av: NodeAv, value: bigint): number => (value === av.AV_NOPTS_VALUE ? Number.NaN : Number(value));

export function packetFacts(av: NodeAv, packet: Packet): PacketFacts {
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
