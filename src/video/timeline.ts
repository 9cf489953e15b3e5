/** Display times of frames from their packets, and the packets to decode for given frames. Pure; shared by both decoders. */
import { VideoError } from '../errors.js';
import type { FrameTimes, TimeWindow } from './types.js';

/** One packet of the video stream, in ticks; NaN where the file gives no value. */
export interface PacketFacts {
  readonly pts: number;
  readonly dts: number;
  readonly duration: number;
  readonly key: boolean;
  /** Must be decoded but is not to be shown (cut away by an edit list). */
  readonly discard: boolean;
  /** Known to be incomplete. */
  readonly corrupt: boolean;
}

/** One frame that is shown. */
export interface FrameSlot {
  /** On a player's clock. */
  readonly startSec: number;
  /** Packet index in decoding order, and pts; -1 and NaN when frames are identified by order alone. */
  readonly packet: number;
  readonly pts: number;
}

/** The shown frames of a stream in display order. */
export interface Timeline {
  readonly slots: readonly FrameSlot[];
  /** Seconds of a stream tick. */
  readonly tickSec: number;
  /** True where packets have no usable pts: the k-th frame out of the decoder is the k-th slot, and no packet may be skipped. */
  readonly byOrder: boolean;
  /** Packets before this one cannot be decoded (the file begins in mid-GOP). */
  readonly firstPacket: number;
  /** Packets from here on are cut off. */
  readonly endPacket: number;
  /** When the first frame is shown, and how long from there on. */
  readonly firstSec: number;
  readonly durationSec: number;
  /** The usual time between two frames. */
  readonly frameSec: number;
  /** Packets that share their pts with a later one. */
  readonly duplicates: number;
  /** Frames left out at the end because frames before them are missing. */
  readonly droppedAtEnd: number;
}

/**
 * Display times of a stream's frames. `fallbackRate` (fps) serves packets without times; `startSec`: when the container starts, on
 * the packets' clock; `cut`: the file is known to be truncated.
 */
export function buildTimeline(
  packets: readonly PacketFacts[],
  tickSec: number,
  fallbackRate: number,
  { startSec = Number.NaN, cut = false } = {},
): Timeline {
  let endPacket = packets.length;
  while (endPacket > 0 && packets[endPacket - 1]?.corrupt === true) endPacket--;
  const firstKey = packets.findIndex((packet) => packet.key);
  const firstPacket = firstKey > 0 && firstKey < endPacket ? firstKey : 0;
  const stamped = stampsOf(packets, firstPacket, endPacket, tickSec, fallbackRate);
  const { slots, droppedAtEnd } = withoutBrokenTail(stamped.slots, cut || endPacket < packets.length);
  const frameSec = medianGap(slots) || stamped.lastDurationSec || 1 / fallbackRate;
  const last = slots.at(-1);
  const lastSec = droppedAtEnd > 0 ? frameSec : stamped.lastDurationSec || frameSec;
  const durationSec = last === undefined ? 0 : last.startSec + lastSec;
  const { byOrder, duplicates, originSec } = stamped;
  const firstSec = sinceStart(originSec, startSec);
  const placed = firstSec === 0 ? slots : slots.map((slot) => ({ ...slot, startSec: slot.startSec + firstSec }));
  return { slots: placed, tickSec, byOrder, firstPacket, endPacket, firstSec, durationSec, frameSec, duplicates, droppedAtEnd };
}

/** FFmpeg rounds the container's start to microseconds. */
const roundingSec = 1.5e-6;

/** When the first frame is shown on a player's clock. */
function sinceStart(originSec: number, startSec: number): number {
  const sec = originSec - startSec;
  return Math.abs(sec) > roundingSec ? sec : 0;
}

interface Stamped {
  readonly slots: FrameSlot[];
  readonly byOrder: boolean;
  readonly duplicates: number;
  /** Of the first frame on the packets' clock. */
  readonly originSec: number;
  readonly lastDurationSec: number;
}

function stampsOf(packets: readonly PacketFacts[], first: number, end: number, tickSec: number, rate: number): Stamped {
  const used = packets.slice(first, end);
  const keyPts = used[0]?.pts ?? Number.NaN;
  const shown: FrameSlot[] = [];
  used.forEach(({ pts, discard }, index) => {
    // Leading pictures of the first GOP refer to absent frames.
    if (!discard && !(pts < keyPts)) shown.push({ startSec: 0, packet: first + index, pts });
  });
  shown.sort((a, b) => a.pts - b.pts || a.packet - b.packet);
  // Of packets with one pts the last is shown; earlier ones are hidden reference frames (VP8).
  const distinct = shown.filter(({ pts }, index) => pts !== shown[index + 1]?.pts);
  const usable = shown.every(({ pts }) => !Number.isNaN(pts)) && 2 * distinct.length > shown.length;
  if (!usable) return byDisplayOrder(used, tickSec, rate);
  return { ...fromOrigin(distinct, packets, tickSec), duplicates: shown.length - distinct.length };
}

function fromOrigin(shown: readonly FrameSlot[], packets: readonly PacketFacts[], tickSec: number): Omit<Stamped, 'duplicates'> {
  const origin = shown[0]?.pts ?? 0;
  const lastDuration = packets[shown.at(-1)?.packet ?? -1]?.duration ?? 0;
  return {
    slots: shown.map((slot) => ({ ...slot, startSec: (slot.pts - origin) * tickSec })),
    byOrder: false,
    originSec: origin * tickSec,
    lastDurationSec: lastDuration > 0 ? lastDuration * tickSec : 0,
  };
}

/** No usable pts (AVI, raw streams): sorted decoding times are display times; without those, a constant rate. */
function byDisplayOrder(used: readonly PacketFacts[], tickSec: number, rate: number): Stamped {
  const shown = used.filter((packet) => !packet.discard);
  const dts = shown.map((packet) => packet.dts).sort((a, b) => a - b);
  const timed = dts.every((time, index) => time > (index === 0 ? Number.NEGATIVE_INFINITY : (dts[index - 1] ?? Number.NaN)));
  const origin = dts[0] ?? 0;
  const duration = shown.at(-1)?.duration ?? 0;
  return {
    slots: dts.map((time, index) => ({
      startSec: timed ? (time - origin) * tickSec : index / rate,
      packet: -1,
      pts: Number.NaN,
    })),
    byOrder: true,
    originSec: timed ? origin * tickSec : Number.NaN,
    duplicates: 0,
    lastDurationSec: timed && duration > 0 ? duration * tickSec : 0,
  };
}

const reorderReach = 16;

/**
 * A truncated file may lack B-frames before its last P-frame: frames after such a gap are dropped, so that no earlier frame takes
 * their place.
 */
function withoutBrokenTail(slots: FrameSlot[], cut: boolean): { slots: FrameSlot[]; droppedAtEnd: number } {
  const usual = medianGap(slots);
  if (!cut || usual === 0) return { slots, droppedAtEnd: 0 };
  for (let index = Math.max(1, slots.length - reorderReach); index < slots.length; index++) {
    const gap = (slots[index]?.startSec ?? 0) - (slots[index - 1]?.startSec ?? 0);
    if (gap > 1.5 * usual) return { slots: slots.slice(0, index), droppedAtEnd: slots.length - index };
  }
  return { slots, droppedAtEnd: 0 };
}

function medianGap(slots: readonly FrameSlot[]): number {
  const gaps = slots.slice(1).map((slot, index) => slot.startSec - (slots[index]?.startSec ?? 0));
  gaps.sort((a, b) => a - b);
  return gaps[gaps.length >> 1] ?? 0;
}

/** How often a decoder retries missing frames. */
export const maxAttempts = 4;

/** The error after the last attempt. */
export function noFrameNear(path: string, missing: readonly FrameSlot[]): VideoError {
  return new VideoError(`no frame comes out of the decoder near ${missing[0]?.startSec.toFixed(3)} s; the file is damaged`, {
    path,
  });
}

/** Frames that may be missing at the end of a stream ordered by index; some encoders hold back their last. */
const maxUnshownAtEnd = 2;

/**
 * Resolves wanted frames that were not decoded: packets without output or damage are hidden reference frames, and the frame
 * before them stays. Throws VideoError for damage, or when the decoder stopped well before the end.
 */
export function withoutUnshown(
  path: string,
  timeline: Timeline,
  missing: readonly FrameSlot[],
  damage: string | undefined,
): Timeline {
  const at = missing[0]?.startSec.toFixed(3) ?? '?';
  if (damage !== undefined) {
    throw new VideoError(`the frame at ${at} s cannot be decoded: ${damage}; the file is damaged`, { path });
  }
  const { slots, byOrder } = timeline;
  const first = slots.findIndex((slot) => missing.includes(slot));
  if (byOrder && slots.length - first > maxUnshownAtEnd) {
    throw new VideoError(
      `no frame comes out of the decoder for ${at} s, of ${timeline.durationSec.toFixed(3)} s; the file is damaged`,
      { path },
    );
  }
  const hidden = new Set(byOrder ? slots.slice(first) : missing);
  const shown = slots.filter((slot) => !hidden.has(slot));
  if (shown.length === 0) throw new VideoError('no frame at all comes out of the decoder; the file is damaged', { path });
  return { ...timeline, slots: shown };
}

/** Requested times in seconds, non-decreasing. Throws VideoError for invalid times or times outside of what was opened. */
export function wantedTimes(path: string, times: FrameTimes, window: TimeWindow, frameSec: number): number[] {
  const wanted = 'timesSec' in times ? [...times.timesSec] : segmentCentres(path, times, window);
  const { startSec, endSec } = window;
  const slack = Math.max(frameSec, 0.05);
  wanted.forEach((time, index) => {
    if (time >= startSec - slack && time <= endSec + slack && time >= (wanted[index - 1] ?? Number.NEGATIVE_INFINITY)) return;
    if (!Number.isFinite(time))
      throw new VideoError(`a frame was asked for at ${time} s; times are numbers of seconds`, { path });
    if (time < (wanted[index - 1] ?? time))
      throw new VideoError(`times must not decrease, got ${wanted[index - 1]} s then ${time} s`, { path });
    const runs = `${startSec === 0 ? 0 : startSec.toFixed(3)} to ${endSec.toFixed(3)} s`;
    throw new VideoError(`no frame at ${time.toFixed(3)} s: the video runs from ${runs}`, { path });
  });
  if (wanted.length === 0) throw new VideoError('no frame was asked for; give at least one time', { path });
  return wanted;
}

function segmentCentres(path: string, times: Exclude<FrameTimes, { timesSec: readonly number[] }>, window: TimeWindow): number[] {
  const { evenly, startSec = window.startSec, endSec = window.endSec } = times;
  if (!Number.isInteger(evenly) || evenly < 1)
    throw new VideoError(`"evenly" must be a whole number from 1, got ${evenly}`, { path });
  if (!(endSec >= startSec)) throw new VideoError(`the part from ${startSec} s to ${endSec} s ends before it begins`, { path });
  return Array.from({ length: evenly }, (_, index) => startSec + ((index + 0.5) * (endSec - startSec)) / evenly);
}

/** The slot on screen at each time: the last one that has begun, allowing for the rounding of the file's clock. */
export function slotsAt({ slots, tickSec }: Timeline, timesSec: readonly number[]): FrameSlot[] {
  const rounding = Math.min(Math.max(tickSec / 2, 1e-6), 5e-4);
  return timesSec.map((time) => {
    let low = 0;
    for (let high = slots.length; high - low > 1; ) {
      const middle = (low + high) >> 1;
      if ((slots[middle]?.startSec ?? 0) <= time + rounding) low = middle;
      else high = middle;
    }
    const slot = slots[low];
    if (slot === undefined) throw new RangeError('slotsAt: the timeline is empty');
    return slot;
  });
}

/** A run of packets to decode without a gap, and those in it whose frames are wanted. */
export interface DecodeRun {
  readonly from: number;
  /** Exclusive. */
  to: number;
  readonly wanted: Set<number>;
}

/** The fewest runs of packets that show the wanted frames: each begins at a key packet and ends with a wanted one. */
export function decodeRuns(packets: readonly PacketFacts[], timeline: Timeline, wanted: readonly FrameSlot[]): DecodeRun[] {
  if (timeline.byOrder) return [{ from: timeline.firstPacket, to: timeline.endPacket, wanted: new Set() }];
  const runs: DecodeRun[] = [];
  for (const packet of [...new Set(wanted.map((slot) => slot.packet))].sort((a, b) => a - b)) {
    const start = startOf(packets, timeline.firstPacket, packet);
    const run = runs.at(-1);
    if (run !== undefined && start <= run.to) {
      run.to = packet + 1;
      run.wanted.add(packet);
    } else {
      runs.push({ from: start, to: packet + 1, wanted: new Set([packet]) });
    }
  }
  return runs;
}

/** The key packet to start from. A picture shown before its key packet may refer to the previous GOP. */
function startOf(packets: readonly PacketFacts[], first: number, target: number): number {
  const pts = packets[target]?.pts ?? 0;
  for (let index = target; index > first; index--) {
    const packet = packets[index];
    if (packet?.key === true && packet.pts <= pts) return index;
  }
  return first;
}
