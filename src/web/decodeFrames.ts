/** Wanted frames decoded with WebCodecs into one strip; the same frames, and pixels, as Node's decoders give. */
import type { EncodedPacket } from 'mediabunny';
import { messageOf, VmfError } from '../errors.js';
import { beforeTurning, outputSize, type Size, turned } from '../video/geometry.js';
import { checkStrip } from '../video/limits.js';
import { windowOf } from '../video/part.js';
import { unsupportedCodec } from '../video/streamFacts.js';
import {
  type DecodeRun,
  decodeRuns,
  type FrameSlot,
  maxAttempts,
  noFrameNear,
  slotsAt,
  type Timeline,
  wantedTimes,
  withoutUnshown,
} from '../video/timeline.js';
import type { DecodeRequest, FrameStrip } from '../video/types.js';
import { yuvToRgb } from '../video/yuvToRgb.js';
import type { DemuxedVideo, VideoIndex } from './demux.js';
import { planesOf } from './framePlanes.js';

/** Packets given to the decoder ahead of its frames. */
const ahead = 8;

/** Rejects with a VideoError when a frame cannot be had, with a LimitError where too much is asked for. */
export async function decodeFrames(
  video: DemuxedVideo,
  index: VideoIndex,
  request: DecodeRequest,
  signal: AbortSignal | undefined,
): Promise<FrameStrip> {
  const { path } = index.facts;
  const config = await supported(index);
  const timesSec = wantedTimes(path, request.times, windowOf(index.info), index.timeline.frameSec);
  const size = outputSize(path, index.info, request.size);
  checkStrip(path, timesSec.length, size.width, size.height);
  let usable = index.timeline;
  let missing: FrameSlot[] = [];
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const slots = slotsAt(usable, timesSec);
    const pass = new Pass(index, usable, slots, size);
    await pass.decode(video, config, signal);
    missing = pass.missing();
    if (missing.length === 0) return pass.strip();
    usable = withoutUnshown(path, usable, missing, pass.damage);
  }
  throw noFrameNear(path, missing);
}

/** Software first: its frames are planes in memory. VideoError for a codec that this browser lacks. */
async function supported({ facts, decoder }: VideoIndex): Promise<VideoDecoderConfig> {
  if (typeof VideoDecoder === 'undefined')
    throw new VmfError('videos are decoded with WebCodecs, which this place does not have');
  if (decoder === undefined) throw unsupportedCodec(facts.path, facts.codec, 'browser');
  for (const hardwareAcceleration of ['prefer-software', 'no-preference'] as const) {
    const config = { ...decoder, hardwareAcceleration };
    if ((await VideoDecoder.isConfigSupported(config)).supported === true) return config;
  }
  throw unsupportedCodec(facts.path, facts.codec, 'browser');
}

class Pass {
  damage: string | undefined;
  /** Wanted frames not yet decoded: stamp or number to place in the strip. */
  private readonly open = new Map<number, number>();
  private readonly rgb: Uint8Array;
  /** Decoded and wanted, not yet copied. */
  private readonly held: { readonly frame: VideoFrame; readonly place: number }[] = [];
  private shown = 0;
  /** Ends a wait for the decoder. */
  private wake = (): void => {};

  constructor(
    private readonly index: VideoIndex,
    private readonly timeline: Timeline,
    private readonly slots: readonly FrameSlot[],
    private readonly size: Size,
  ) {
    this.rgb = new Uint8Array(slots.length * size.width * size.height * 3);
    slots.forEach((slot, place) => {
      const key = timeline.byOrder ? timeline.slots.indexOf(slot) : this.stamp(slot.pts);
      if (!this.open.has(key)) this.open.set(key, place);
    });
  }

  async decode(video: DemuxedVideo, config: VideoDecoderConfig, signal: AbortSignal | undefined): Promise<void> {
    const decoder = new VideoDecoder({
      output: (frame) => this.take(frame),
      error: (error) => {
        this.damage ??= messageOf(error);
        this.wake();
      },
    });
    try {
      decoder.configure(config);
      for (const run of decodeRuns(this.index.facts.packets, this.timeline, this.slots))
        await this.run(video, decoder, run, signal);
    } finally {
      for (const { frame } of this.held.splice(0)) frame.close();
      if (decoder.state !== 'closed') decoder.close();
    }
  }

  private async run(
    video: DemuxedVideo,
    decoder: VideoDecoder,
    { from, to }: DecodeRun,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    for await (const [number, packet] of video.packetsFrom(from, to, this.index)) {
      signal?.throwIfAborted();
      if (decoder.state === 'closed') return;
      decoder.decode(this.chunk(packet, number === from));
      await this.room(decoder);
      await this.place();
      if (this.open.size === 0) return;
    }
    await decoder.flush().catch((error: unknown) => {
      this.damage ??= messageOf(error);
    });
    await this.place();
  }

  /** A run begins with a key packet, whatever the file says. */
  private chunk({ data, timestamp }: EncodedPacket, first: boolean): EncodedVideoChunk {
    return new EncodedVideoChunk({
      type: first ? 'key' : 'delta',
      timestamp: this.stamp(timestamp / this.timeline.tickSec),
      data,
    });
  }

  /** Microseconds of a time in ticks: what names a frame to the decoder. */
  private readonly stamp = (ticks: number): number => Math.round(Math.round(ticks) * this.timeline.tickSec * 1e6);

  private async room(decoder: VideoDecoder): Promise<void> {
    while (decoder.decodeQueueSize > ahead && decoder.state === 'configured')
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        decoder.addEventListener('dequeue', () => resolve(), { once: true });
      });
  }

  private take(frame: VideoFrame): void {
    const key = this.timeline.byOrder ? this.shown : frame.timestamp;
    this.shown++;
    const place = this.open.get(key);
    if (place === undefined) {
      frame.close();
      return;
    }
    this.open.delete(key);
    this.held.push({ frame, place });
  }

  /** Copies what has come out. */
  private async place(): Promise<void> {
    for (let next = this.held.shift(); next !== undefined; next = this.held.shift()) {
      try {
        await this.write(next.frame, next.place);
      } finally {
        next.frame.close();
      }
    }
  }

  private async write(frame: VideoFrame, place: number): Promise<void> {
    const { facts, colour } = this.index;
    const coded = beforeTurning(this.size, facts.orientation);
    const planes = await planesOf(facts.path, frame);
    const bytes = this.size.width * this.size.height * 3;
    const rgb = this.rgb.subarray(place * bytes, (place + 1) * bytes);
    yuvToRgb(planes, colour, coded, rgb);
    rgb.set(turned(rgb, coded, facts.orientation));
  }

  /** In the order of time. */
  missing(): FrameSlot[] {
    const places = new Set(this.open.values());
    return this.slots.filter((_, place) => places.has(place));
  }

  /** Times that share a frame get copies of it. */
  strip(): FrameStrip {
    const { slots, rgb, size } = this;
    const bytes = size.width * size.height * 3;
    slots.forEach((slot, place) => {
      if (place > 0 && slots[place - 1] === slot) rgb.copyWithin(place * bytes, (place - 1) * bytes, place * bytes);
    });
    return { ...size, timesSec: Float64Array.from(slots, ({ startSec }) => startSec), rgb };
  }
}
