/** Which packets of a film are needed to show a part of it, while they are read in decoding order. Pure; for both decoders. */
import type { PacketFacts } from './timeline.js';

/** Begins to read earlier with every try, since a key frame may be far back: so many seconds before the part. */
export const stepsBackSec = [0, 1, 4, 16, 64] as const;

/** Containers in which a seek leads to whole packets with the times that reading from the beginning gives. */
export const seeksExactly = (container: string): boolean => /^(mov|matroska|mpegts)\b/.test(container);

/** What to do with a packet: `last`: keep it, and read no further; `stop`: here is no way to the part. */
export type PacketUse = 'skip' | 'keep' | 'last' | 'stop';

export class PartPackets {
  /** All that is needed was kept, before the end of the file. */
  complete = false;
  private firstKey = Number.NaN;
  private lateKey = Number.NaN;
  private decodingTimes = true;

  /** In ticks of the packets' clock; `fromStart`: the first packet is that of the file. */
  constructor(
    private readonly from: number,
    private readonly to: number,
    private readonly fromStart: boolean,
  ) {}

  take(packet: PacketFacts): PacketUse {
    const { pts, key } = packet;
    if (Number.isNaN(pts)) return 'stop';
    if (Number.isNaN(this.firstKey)) {
      if (!key && !this.fromStart) return 'skip';
      if (pts > this.from && !this.fromStart) return 'stop';
      this.firstKey = pts;
    }
    this.complete = this.isBehind(packet);
    return this.complete ? 'last' : 'keep';
  }

  /** Nothing that follows is shown before the end: by its decoding time, else since it follows a late key frame's own followers. */
  private isBehind({ pts, dts, key }: PacketFacts): boolean {
    this.decodingTimes &&= dts <= pts;
    if (this.decodingTimes && dts > this.to) return true;
    if (pts > this.lateKey) return true;
    if (key && pts > this.to) this.lateKey = pts;
    return false;
  }
}
