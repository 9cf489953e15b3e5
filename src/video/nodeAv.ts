/**
 * The decoder on node-av, FFmpeg inside the process. For a few frames of a video it decodes only the groups of pictures that hold them,
 * leaves out frames that nothing refers to, and stops after the last one.
 */
import { FrameFilter } from './frameFilter.js';
import { filterChain, outputSize } from './geometry.js';
import { checkStrip } from './limits.js';
import { findDecoder, StripDecoder } from './nodeAvDecode.js';
import { defaultKeptBytes, NodeAvFile } from './nodeAvDemux.js';
import type { NodeAv } from './nodeAvTypes.js';
import { understand } from './streamFacts.js';
import { wantedTimes } from './timeline.js';
import type { DecodedVideo, DecodeRequest, Decoder, VideoInfo, VideoLimits } from './types.js';

export class NodeAvDecoder implements Decoder {
  readonly name = 'node-av';

  constructor(
    private readonly av: NodeAv,
    private readonly limits: VideoLimits,
    /** Packets of a file are kept in memory up to this size; larger files are read twice. */
    private readonly keptBytes = defaultKeptBytes,
  ) {}

  probe(path: string): VideoInfo {
    const file = NodeAvFile.open(this.av, path, this.limits, this.keptBytes);
    try {
      findDecoder(this.av, file);
      return understand(file.facts, this.limits).info;
    } finally {
      file.close();
    }
  }

  decode(path: string, request: DecodeRequest): DecodedVideo {
    const file = NodeAvFile.open(this.av, path, this.limits, this.keptBytes);
    try {
      findDecoder(this.av, file);
      const understood = understand(file.facts, this.limits);
      const size = outputSize(path, understood.info, request.size);
      const timesSec = wantedTimes(path, request.times, understood.timeline);
      checkStrip(path, timesSec.length, size.width, size.height);
      const filter = new FrameFilter(this.av, path, filterChain(size, file.facts.orientation));
      try {
        const decoder = new StripDecoder(this.av, file, filter, size, this.limits);
        return { info: understood.info, strip: decoder.decode(understood.timeline, timesSec) };
      } finally {
        filter.close();
      }
    } finally {
      file.close();
    }
  }
}
