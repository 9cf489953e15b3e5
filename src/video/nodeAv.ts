/** The decoder on node-av: decodes only the GOPs of wanted frames, skips unreferenced frames, stops after the last wanted one. */
import { FrameFilter } from './frameFilter.js';
import { filterChain, outputSize } from './geometry.js';
import { checkStrip } from './limits.js';
import { findDecoder, StripDecoder } from './nodeAvDecode.js';
import { defaultKeptBytes, NodeAvFile } from './nodeAvDemux.js';
import type { NodeAv } from './nodeAvTypes.js';
import { checkPart, slackOf, windowOf } from './part.js';
import { wantedTimes } from './timeline.js';
import type { DecodeRequest, Decoder, FrameStrip, OpenVideo, TimeWindow, VideoLimits } from './types.js';
import { type Understood, understand } from './understand.js';

export class NodeAvDecoder implements Decoder {
  readonly name = 'node-av';
  /** Given to codecs since this decoder was made. */
  packetsDecoded = 0;

  constructor(
    private readonly av: NodeAv,
    private readonly limits: VideoLimits,
    /** Packets of a file are kept in memory up to this size; larger files are read twice. */
    private readonly keptBytes = defaultKeptBytes,
  ) {}

  open(path: string, part?: TimeWindow): OpenVideo {
    if (part !== undefined) checkPart(path, part);
    const file = NodeAvFile.open(this.av, path, this.limits, this.keptBytes, part);
    try {
      findDecoder(this.av, file);
      const { info, timeline } = understand(file.facts, this.limits, part);
      return { info, frames: (request) => this.frames(file, { info, timeline }, request, part), close: () => file.close() };
    } catch (error) {
      file.close();
      throw error;
    }
  }

  private frames(
    file: NodeAvFile,
    { info, timeline }: Pick<Understood, 'info' | 'timeline'>,
    request: DecodeRequest,
    part: TimeWindow | undefined,
  ): FrameStrip {
    const { path } = file;
    const size = outputSize(path, info, request.size);
    const timesSec = wantedTimes(path, request.times, windowOf(info), slackOf(timeline, part));
    checkStrip(path, timesSec.length, size.width, size.height);
    const filter = new FrameFilter(this.av, path, filterChain(size, file.facts.orientation));
    try {
      return new StripDecoder(this.av, file, filter, size, this.limits, request.shared).decode(timeline, timesSec);
    } finally {
      filter.close();
      this.packetsDecoded += file.takePackets();
    }
  }
}
