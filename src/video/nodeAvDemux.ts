/**
 * The index of a file, or of a part of it, read with node-av: packets once for their times, then those that are decoded. Packets of
 * short videos stay in memory.
 */
import { VideoError } from '../errors.js';
import { orientationOf } from './geometry.js';
import { checkInputFile } from './inputFile.js';
import { checkDuration, checkFrames } from './limits.js';
import { NodeAvContainer, packetFacts, secondsOf, ticks } from './nodeAvContainer.js';
import { reason } from './nodeAvLibrary.js';
import type { NodeAv, Packet, Stream } from './nodeAvTypes.js';
import { isUsable } from './part.js';
import { PartPackets, seeksExactly, stepsBackSec } from './partPackets.js';
import type { StreamFacts, Stretch } from './streamFacts.js';
import type { PacketFacts } from './timeline.js';
import type { TimeWindow, VideoLimits } from './types.js';

/** Packets of a file are kept up to this many bytes; beyond, they are read again. */
export const defaultKeptBytes = 64 * 2 ** 20;

/** Where reading begins: ticks to seek to, or the beginning of the file. */
type Begin = number | 'start';

interface Index extends Pick<StreamFacts, 'packets' | 'readDurationSec' | 'readEndSec' | 'readError'> {
  /** Absent where all was read. */
  readonly stretch?: Stretch;
}

export class NodeAvFile {
  readonly facts: StreamFacts;
  private kept: Packet[] | undefined = [];
  private begin: Begin = 'start';
  private taken = 0;

  private constructor(
    private readonly av: NodeAv,
    readonly path: string,
    private readonly container: NodeAvContainer,
    private readonly limits: VideoLimits,
    private readonly keptBytes: number,
    part: TimeWindow | undefined,
  ) {
    try {
      this.facts = (part && this.readPart(part)) ?? this.factsOf(this.readAll(part));
    } catch (error) {
      this.forget();
      throw error;
    }
  }

  /** Opens and indexes a file, or what is needed of it for a part. Throws VideoError or LimitError; nothing stays open then. */
  static open(av: NodeAv, path: string, limits: VideoLimits, keptBytes = defaultKeptBytes, part?: TimeWindow): NodeAvFile {
    checkInputFile(path);
    const container = new NodeAvContainer(av, path, limits);
    try {
      return new NodeAvFile(av, path, container, limits, keptBytes, part);
    } catch (error) {
      container.close();
      throw error;
    }
  }

  get stream(): Stream {
    return this.container.stream;
  }

  close(): void {
    this.forget();
    this.container.close();
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
      if (packet === undefined) return;
      this.taken++;
      if (!use(packet, index)) return;
    }
  }

  /** Packets that `forEachPacket` has given out since this was last asked. */
  takePackets(): number {
    const { taken } = this;
    this.taken = 0;
    return taken;
  }

  private factsOf(index: Index): StreamFacts {
    const { av, path, container, stream } = this;
    const { format, tickSec } = container;
    const { codecpar } = stream;
    const aspect = stream.sampleAspectRatio.num > 0 ? stream.sampleAspectRatio : codecpar.sampleAspectRatio;
    const rate = [stream.avgFrameRate, stream.rFrameRate].find(({ num, den }) => num > 0 && den > 0);
    return {
      path,
      container: container.name,
      codec: av.avGetCodecName(codecpar.codecId) ?? 'unknown',
      codedWidth: codecpar.width,
      codedHeight: codecpar.height,
      sampleAspect: aspect.num > 0 && aspect.den > 0 ? aspect.num / aspect.den : 1,
      orientation: orientationOf(path, matrixOf(codecpar.getCodedSideData(av.AV_PKT_DATA_DISPLAYMATRIX))),
      tickSec,
      hasAudio: format.streams.some((other) => other.codecpar.codecType === av.AVMEDIA_TYPE_AUDIO),
      nominalRate: rate === undefined ? 25 : rate.num / rate.den,
      startSec: container.startSec,
      streamDurationSec: ticks(av, stream.duration) * tickSec,
      fileDurationSec: ticks(av, format.duration) / 1e6,
      headerFrames: Number(stream.nbFrames),
      ...index,
    };
  }

  /** Undefined where the part cannot be read on its own. */
  private readPart(part: TimeWindow): StreamFacts | undefined {
    const { container } = this;
    if (!seeksExactly(container.name) || Number.isNaN(container.startSec)) return undefined;
    const tickOf = (sec: number) => (container.startSec + sec) / container.tickSec;
    const [from, to] = [tickOf(part.startSec), tickOf(part.endSec + 0.1)];
    for (const back of stepsBackSec) {
      const begin = back < part.startSec ? tickOf(part.startSec - back) : 'start';
      const wanted = new PartPackets(from, to, begin === 'start');
      const facts = this.goTo(begin) ? this.factsOf(this.read(wanted, { fromStart: begin === 'start' })) : undefined;
      if (facts !== undefined && isUsable(facts, part)) return facts;
      this.forget();
      this.kept = [];
      if (begin === 'start') return undefined;
    }
    return undefined;
  }

  private goTo(begin: Begin): boolean {
    this.begin = begin;
    if (begin !== 'start') return this.container.seek(begin);
    this.container.rewind();
    return true;
  }

  /** The whole file once; with a part its own length does not count. */
  private readAll(part: TimeWindow | undefined): Index {
    this.goTo('start');
    const all = this.read();
    if (part === undefined) checkDuration(this.path, all.readDurationSec, this.limits);
    return all;
  }

  private read(wanted?: PartPackets, { fromStart } = { fromStart: true }): Index {
    const { av, path, stream, limits } = this;
    const tickSecs = this.container.format.streams.map(secondsOf);
    const packets: PacketFacts[] = [];
    let bytes = 0;
    let [startSec, endSec] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const code = this.container.readPackets((packet) => {
      const tickSec = tickSecs[packet.streamIndex] ?? 0;
      const facts = packetFacts(av, packet);
      const time = Number.isNaN(facts.pts) ? facts.dts : facts.pts;
      if (time * tickSec < startSec) startSec = time * tickSec;
      if ((time + facts.duration) * tickSec > endSec) endSec = (time + facts.duration) * tickSec;
      if (packet.streamIndex !== stream.index) return true;
      const use = wanted?.take(facts) ?? 'keep';
      if (use === 'skip') return true;
      if (use === 'stop') return false;
      packets.push(facts);
      checkFrames(path, packets.length, limits);
      bytes += packet.size;
      this.keep(packet, bytes);
      return use === 'keep';
    });
    const readDurationSec = endSec > startSec ? endSec - startSec : 0;
    const readError = code === av.AVERROR_EOF || code === 0 ? undefined : reason(av, code);
    const stretch = wanted && { fromStart, complete: wanted.complete, toEnd: code === av.AVERROR_EOF };
    return { packets, readDurationSec, readEndSec: endSec, readError, ...(stretch && { stretch }) };
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

  /** Reads the packets [from, to) from the file once more: from where a seek leads, or else from where the index begins. */
  private readAgain(from: number, to: number, use: (packet: Packet, index: number) => boolean): void {
    const { packets } = this.facts;
    let index = this.seek(from);
    if (index > from) index = this.restart();
    this.container.readPackets((packet) => {
      if (packet.streamIndex !== this.stream.index) return true;
      const facts = packetFacts(this.av, packet);
      if (index < 0 && !isSame(facts, packets[0])) return true; // before the key frame where a part begins
      if (index < 0) index = 0;
      if (!Object.is(facts.pts, packets[index]?.pts)) {
        throw new VideoError(`packet ${index} changed while it was read; is the file still being written?`, { path: this.path });
      }
      if (index >= from) this.taken++;
      const goOn = index < from || use(packet, index);
      index++;
      return goOn && index < to;
    });
  }

  /** To where the index began: the number of the next packet, -1 for one before the first. */
  private restart(): number {
    this.goTo(this.begin);
    return this.begin === 'start' ? 0 : -1;
  }

  /** Seeks to packet `index` or before it, and returns the index of the packet that comes next; infinity where that fails. */
  private seek(index: number): number {
    const { packets } = this.facts;
    const { pts = Number.NaN, dts = Number.NaN } = packets[index] ?? {};
    if (Number.isNaN(pts)) return Number.POSITIVE_INFINITY;
    const target = Math.min(pts, Number.isNaN(dts) ? pts : dts);
    let next = -1;
    if (!this.container.seek(target)) return Number.POSITIVE_INFINITY;
    this.container.readPackets((packet) => {
      if (packet.streamIndex !== this.stream.index) return true;
      const found = ticks(this.av, packet.pts);
      next = packets.findIndex((known) => known.pts === found);
      return false;
    });
    // The packet that located this has been consumed: seek again.
    return next < 0 || !this.container.seek(target) ? Number.POSITIVE_INFINITY : next;
  }
}

const isSame = (a: PacketFacts, b: PacketFacts | undefined): boolean => a.pts === b?.pts && a.key === b.key;

function matrixOf(data: Buffer | null): number[] | undefined {
  if (data === null || data.length < 36) return undefined;
  return Array.from({ length: 9 }, (_, index) => data.readInt32LE(4 * index));
}
