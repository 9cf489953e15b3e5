/** Containers opened with mediabunny: facts, and packets by their number. */
import {
  BlobSource,
  BufferSource,
  type EncodedPacket,
  EncodedPacketSink,
  Input,
  type InputFormat,
  type InputVideoTrack,
  MATROSKA,
  MP4,
  QTFF,
  UnsupportedInputFormatError,
  WEBM,
} from 'mediabunny';
import { VideoError } from '../errors.js';
import { orientationOf } from '../video/geometry.js';
import { checkFrames } from '../video/limits.js';
import { clockStart, type StreamFacts } from '../video/streamFacts.js';
import type { PacketFacts } from '../video/timeline.js';
import type { VideoLimits } from '../video/types.js';
import { type Understood, understand } from '../video/understand.js';
import type { YuvColour, YuvMatrix } from '../video/yuvToRgb.js';

/** All that is known of a video before decoding; plain data. */
export interface VideoIndex extends Understood {
  readonly decoder: VideoDecoderConfig | undefined;
  readonly colour: YuvColour;
}

export class DemuxedVideo {
  private constructor(
    private readonly path: string,
    private readonly input: Input,
    private readonly track: InputVideoTrack,
  ) {}

  /** VideoError for what is no video. */
  static async open(path: string, bytes: Blob | ArrayBuffer | Uint8Array<ArrayBuffer>): Promise<DemuxedVideo> {
    const empty = (bytes instanceof Blob ? bytes.size : bytes.byteLength) === 0;
    if (empty) throw new VideoError('is empty (0 bytes)', { path, code: 'empty' });
    const source = bytes instanceof Blob ? new BlobSource(bytes) : new BufferSource(bytes);
    const input = new Input({ source, formats: [MP4, QTFF, MATROSKA, WEBM] });
    try {
      return new DemuxedVideo(path, input, await firstVideo(path, input));
    } catch (error) {
      input.dispose();
      throw error;
    }
  }

  close(): void {
    this.input.dispose();
  }

  /** Reads the file's index. */
  async index(limits: VideoLimits, signal: AbortSignal | undefined): Promise<VideoIndex> {
    const facts = await this.facts(limits, signal);
    const decoder = (await this.track.getDecoderConfig()) ?? undefined;
    return { ...understand(facts, limits), decoder, colour: colourOf(await this.track.getColorSpace()) };
  }

  private async facts(limits: VideoLimits, signal: AbortSignal | undefined): Promise<StreamFacts> {
    const { path, track, input } = this;
    const { container, ownDuration } = containerOf(await input.getFormat());
    const [a = 1, b = 0, , c = 0, d = 1] = await track.getTransformationMatrix();
    const aspect = await track.getPixelAspectRatio();
    const resolution = await track.getTimeResolution();
    const packets = await this.packets(ownDuration, limits, signal);
    const readDurationSec = ownDuration ? 0 : await input.computeDuration();
    const promised = (await (ownDuration ? track : input).getDurationFromMetadata()) ?? Number.NaN;
    return {
      ...{ path, container, packets, codec: codecName(await track.getCodec(), await track.getInternalCodecId()) },
      codedWidth: await track.getCodedWidth(),
      codedHeight: await track.getCodedHeight(),
      sampleAspect: aspect.num / aspect.den,
      orientation: orientationOf(path, [a, b, 0, c, d]),
      tickSec: 1 / resolution,
      hasAudio: (await input.getAudioTracks()).length > 0,
      ...{ nominalRate: 25, headerFrames: 0 },
      startSec: cutAtSec(packets, resolution) ?? (await startOf(input, track, ownDuration)),
      streamDurationSec: ownDuration ? Math.min(promised, ticksOf(packets) / resolution) : Number.NaN,
      fileDurationSec: ownDuration ? Number.NaN : promised,
      ...{ readDurationSec, readEndSec: readDurationSec },
    };
  }

  private async packets(edited: boolean, limits: VideoLimits, signal: AbortSignal | undefined): Promise<PacketFacts[]> {
    const resolution = await this.track.getTimeResolution();
    const packets: PacketFacts[] = [];
    for await (const packet of new EncodedPacketSink(this.track).packets(undefined, undefined, { metadataOnly: true })) {
      signal?.throwIfAborted();
      packets.push(packetFacts(packet, resolution, edited));
      checkFrames(this.path, packets.length, limits);
    }
    return this.marked(packets, 1 / resolution);
  }

  /** Packets that lie behind the end of a file that was cut off are not whole. */
  private async marked(packets: readonly PacketFacts[], tickSec: number): Promise<PacketFacts[]> {
    const sink = new EncodedPacketSink(this.track);
    const isThere = async (index: number) =>
      (await sink.getPacket(((packets[index]?.pts ?? 0) + 0.25) * tickSec).catch(() => null)) !== null;
    let [whole, cut] = [-1, packets.length];
    if (cut === 0 || (await isThere(cut - 1))) return [...packets];
    cut--;
    while (cut - whole > 1) {
      const middle = (whole + cut) >> 1;
      if (await isThere(middle)) whole = middle;
      else cut = middle;
    }
    return packets.map((packet, index) => (index < cut ? packet : { ...packet, corrupt: true }));
  }

  /** The packets [from, to) in decoding order, with their number. */
  async *packetsFrom(from: number, to: number, { facts }: VideoIndex): AsyncGenerator<readonly [number, EncodedPacket]> {
    const sink = new EncodedPacketSink(this.track);
    const wanted = facts.packets[from];
    const found = wanted?.key ? await sink.getKeyPacket((wanted.pts + 0.25) * facts.tickSec) : null;
    const there = found !== null && Math.round(found.timestamp / facts.tickSec) === wanted?.pts;
    let [packet, index] = there ? [found, from] : [await sink.getFirstPacket(), 0];
    for (; packet !== null && index < to; index++) {
      if (index >= from) yield [index, packet];
      packet = await sink.getNextPacket(packet);
    }
    if (index < to)
      throw new VideoError(`ends at packet ${index} of ${facts.packets.length}; the file is cut off`, { path: this.path });
  }
}

async function firstVideo(path: string, input: Input): Promise<InputVideoTrack> {
  try {
    const [track] = await input.getVideoTracks();
    if (track !== undefined) return track;
  } catch (error) {
    if (!(error instanceof UnsupportedInputFormatError)) throw error;
    throw new VideoError('is not a video that a browser can open; expected MP4, MOV, WebM or Matroska', { path, cause: error });
  }
  if ((await input.getAudioTracks()).length > 0) throw new VideoError('holds sound only, no video', { path, code: 'soundOnly' });
  throw new VideoError('holds no video stream', { path });
}

/** Named as FFmpeg names them; whether each track states its own duration, and edit lists cut frames away. */
function containerOf(format: InputFormat): { container: string; ownDuration: boolean } {
  const matroska = format === MATROSKA || format === WEBM;
  return { container: matroska ? 'matroska,webm' : 'mov,mp4,m4a,3gp,3g2,mj2', ownDuration: !matroska };
}

const codecName = (codec: string | null, internal: unknown): string =>
  codec === 'avc' ? 'h264' : (codec ?? String(internal ?? 'unknown'));

function packetFacts({ timestamp, duration, type }: EncodedPacket, resolution: number, edited: boolean): PacketFacts {
  const pts = Math.round(timestamp * resolution);
  const facts = { pts, dts: Number.NaN, duration: Math.round(duration * resolution), key: type === 'key' };
  return { ...facts, discard: edited && pts < 0, corrupt: false };
}

/** When the first track starts. FFmpeg counts what an edit list cuts away (of sound, its lead-in) as before 0. */
async function startOf(input: Input, video: InputVideoTrack, edited: boolean): Promise<number> {
  const firsts = await Promise.all((await input.getTracks()).map((track) => track.getFirstTimestamp()));
  return clockStart(Math.min(...firsts.map((sec) => (edited ? Math.max(sec, 0) : sec))), await video.getFirstTimestamp());
}

/** Where an edit list begins within a frame, that frame is left out and FFmpeg begins with the next one. */
function cutAtSec(packets: readonly PacketFacts[], resolution: number): number | undefined {
  const shown = packets
    .filter(({ discard }) => !discard)
    .reduce((a, b) => (b.pts < a.pts ? b : a), { pts: Infinity, duration: 0 });
  return shown.pts < shown.duration && packets.some(({ discard }) => discard) ? shown.pts / resolution : undefined;
}

/** An MP4 track's header may count reordering too; FFmpeg takes the lesser. */
const ticksOf = (packets: readonly PacketFacts[]): number => packets.reduce((sum, { duration }) => sum + duration, 0);

/** By the stream's own tags; where there are none it is BT.601, limited range, as with FFmpeg. */
function colourOf({ matrix, fullRange }: VideoColorSpaceInit): YuvColour {
  const known: Readonly<Record<string, YuvMatrix>> = { bt709: 'bt709', 'bt2020-ncl': 'bt2020' };
  return { matrix: known[matrix ?? ''] ?? 'bt601', fullRange: fullRange === true };
}
