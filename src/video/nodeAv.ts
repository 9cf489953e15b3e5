/** The decoder on node-av: decodes only the GOPs of wanted frames, skips unreferenced frames, stops after the last wanted one. */
import { FrameFilter } from './frameFilter.js';
import { filterChain, outputSize } from './geometry.js';
import { checkStrip } from './limits.js';
import { findDecoder, StripDecoder } from './nodeAvDecode.js';
import { defaultKeptBytes, NodeAvFile } from './nodeAvDemux.js';
import type { NodeAv } from './nodeAvTypes.js';
import { windowOf } from './part.js';
import { understand } from './streamFacts.js';
import { type Timeline, wantedTimes } from './timeline.js';
import type { DecodeRequest, Decoder, FrameStrip, OpenVideo, TimeWindow, VideoInfo, VideoLimits } from './types.js';

export class NodeAvDecoder implements Decoder {
  readonly name = 'node-av';

  constructor(
    private readonly av: NodeAv,
    private readonly limits: VideoLimits,
    /** Packets of a file are kept in memory up to this size; larger files are read twice. */
    private readonly keptBytes = defaultKeptBytes,
  ) {}

  open(path: string, part?: TimeWindow): OpenVideo {
    const file = NodeAvFile.open(this.av, path, this.limits, this.keptBytes);
    try {
      findDecoder(this.av, file);
      const { info, timeline } = understand(file.facts, this.limits, part);
      return { info, frames: (request) => this.frames(file, info, timeline, request), close: () => file.close() };
    } catch (error) {
      file.close();
      throw error;
    }
  }

  private frames(file: NodeAvFile, info: VideoInfo, timeline: Timeline, request: DecodeRequest): FrameStrip {
    const { path } = file;
    const size = outputSize(path, info, request.size);
    const timesSec = wantedTimes(path, request.times, windowOf(info), timeline.frameSec);
    checkStrip(path, timesSec.length, size.width, size.height);
    const filter = new FrameFilter(this.av, path, filterChain(size, file.facts.orientation));
    try {
      return new StripDecoder(this.av, file, filter, size, this.limits, request.shared).decode(timeline, timesSec);
    } finally {
      filter.close();
    }
  }
}
