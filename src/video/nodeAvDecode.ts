/**
 * Decodes wanted frames into one strip, each from its own packet; a missing or damaged one is an error, unless it is a hidden
 * reference frame.
 */
import type { FrameFilter } from './frameFilter.js';
import { pixelBytes, type Size } from './geometry.js';
import { ffmpegMaxPixels } from './limits.js';
import type { NodeAvFile } from './nodeAvDemux.js';
import { checkCode, reason } from './nodeAvLibrary.js';
import type { Codec, CodecContext, Frame, NodeAv } from './nodeAvTypes.js';
import { unsupportedCodec } from './streamFacts.js';
import {
  type DecodeRun,
  decodeRuns,
  type FrameSlot,
  maxAttempts,
  noFrameNear,
  slotsAt,
  type Timeline,
  withoutUnshown,
} from './timeline.js';
import type { FrameStrip, VideoLimits } from './types.js';

/** The decoder for the file's video stream. Throws VideoError when this FFmpeg has none. */
export function findDecoder(av: NodeAv, { path, stream, facts }: NodeAvFile): Codec {
  const codec = av.Codec.findDecoder(stream.codecpar.codecId);
  if (codec === null) throw unsupportedCodec(path, facts.codec);
  return codec;
}

interface Pass {
  readonly timeline: Timeline;
  /** Wanted frames not yet decoded: pts or index to place in the strip. */
  readonly open: Map<number, number>;
  readonly rgb: Uint8Array;
  shown: number;
  damage: string | undefined;
}

export class StripDecoder {
  constructor(
    private readonly av: NodeAv,
    private readonly file: NodeAvFile,
    private readonly filter: FrameFilter,
    private readonly size: Size,
    private readonly limits: VideoLimits,
    private readonly shared = false,
  ) {}

  /** The frames on screen at `timesSec`, non-decreasing. Throws VideoError when one of them cannot be had. */
  decode(timeline: Timeline, timesSec: readonly number[]): FrameStrip {
    const context = this.openContext();
    try {
      let usable = timeline;
      let missing: FrameSlot[] = [];
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const slots = slotsAt(usable, timesSec);
        const pass = this.pass(context, usable, slots);
        if (pass.open.size === 0) return this.strip(slots, pass.rgb);
        const places = new Set(pass.open.values());
        missing = slots.filter((_, place) => places.has(place));
        usable = withoutUnshown(this.file.path, usable, missing, pass.damage);
        context.flushBuffers();
      }
      throw noFrameNear(this.file.path, missing);
    } finally {
      context.freeContext();
    }
  }

  private openContext(): CodecContext {
    const { av, file } = this;
    const codec = findDecoder(av, file);
    const context = new av.CodecContext();
    context.allocContext3(codec);
    try {
      this.check(context.parametersToContext(file.stream.codecpar), 'describing the stream');
      context.pktTimebase = file.stream.timeBase;
      context.threadCount = 1;
      this.check(context.setOption('max_pixels', ffmpegMaxPixels(this.limits)), 'bounding the frame size');
      this.check(context.open2Sync(codec), `opening the ${file.facts.codec} decoder`);
      return context;
    } catch (error) {
      context.freeContext();
      throw error;
    }
  }

  private pass(context: CodecContext, timeline: Timeline, slots: readonly FrameSlot[]): Pass {
    const { width, height } = this.size;
    const pass: Pass = {
      timeline,
      open: openPlaces(timeline, slots),
      rgb: pixelBytes(slots.length * width * height * 3, this.shared),
      shown: 0,
      damage: undefined,
    };
    const frame = new this.av.Frame();
    frame.alloc();
    try {
      decodeRuns(this.file.facts.packets, timeline, slots).forEach((run, index) => {
        if (index > 0) context.flushBuffers();
        this.decodeRun(context, frame, pass, run);
      });
    } finally {
      frame.free();
    }
    return pass;
  }

  private decodeRun(context: CodecContext, frame: Frame, pass: Pass, run: DecodeRun): void {
    const { av } = this;
    let skipping = false;
    this.file.forEachPacket(run.from, run.to, (packet, index) => {
      const skip = !pass.timeline.byOrder && !run.wanted.has(index);
      if (skip !== skipping) context.setOption('skip_frame', skip ? 'noref' : 'default');
      skipping = skip;
      const code = context.sendPacketSync(packet);
      if (code < 0 && code !== av.AVERROR_EAGAIN) pass.damage ??= reason(av, code);
      this.receive(context, frame, pass);
      return pass.open.size > 0;
    });
    if (skipping) context.setOption('skip_frame', 'default');
    if (pass.open.size === 0) return;
    context.sendPacketSync(null);
    this.receive(context, frame, pass);
  }

  /** Takes all frames that are ready. */
  private receive(context: CodecContext, frame: Frame, pass: Pass): void {
    for (;;) {
      const code = context.receiveFrameSync(frame);
      if (code === this.av.AVERROR_EAGAIN || code === this.av.AVERROR_EOF) return;
      if (code < 0) {
        pass.damage ??= reason(this.av, code);
        return;
      }
      this.place(frame, pass);
      frame.unref();
    }
  }

  private place(frame: Frame, pass: Pass): void {
    const key = pass.timeline.byOrder ? pass.shown : Number(frame.pts);
    pass.shown++;
    const place = pass.open.get(key);
    if (place === undefined) return;
    if (frame.decodeErrorFlags !== 0 || frame.hasFlags(this.av.AV_FRAME_FLAG_CORRUPT)) {
      pass.damage ??= 'the frame is damaged';
      return;
    }
    const { width, height } = this.size;
    const bytes = width * height * 3;
    this.filter.apply(frame, width, height, pass.rgb.subarray(place * bytes, (place + 1) * bytes));
    pass.open.delete(key);
  }

  /** Times that share a frame get copies of it. */
  private strip(slots: readonly FrameSlot[], rgb: Uint8Array): FrameStrip {
    const { width, height } = this.size;
    const bytes = width * height * 3;
    slots.forEach((slot, place) => {
      if (place > 0 && slots[place - 1] === slot) rgb.copyWithin(place * bytes, (place - 1) * bytes, place * bytes);
    });
    return { width, height, timesSec: Float64Array.from(slots, (slot) => slot.startSec), rgb };
  }

  private check(code: number, step: string): void {
    checkCode(this.av, code, this.file.path, step);
  }
}

function openPlaces(timeline: Timeline, slots: readonly FrameSlot[]): Map<number, number> {
  const open = new Map<number, number>();
  slots.forEach((slot, place) => {
    const key = timeline.byOrder ? timeline.slots.indexOf(slot) : slot.pts;
    if (!open.has(key)) open.set(key, place);
  });
  return open;
}
