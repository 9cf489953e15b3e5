/** The decoder on ffprobe and ffmpeg: slower than node-av, the same frames. */
import { decodeWithFfmpeg } from './ffmpegDecode.js';
import { probeWithFfprobe } from './ffmpegProbe.js';
import type { FfmpegTools } from './ffmpegTools.js';
import { outputSize } from './geometry.js';
import { checkStrip } from './limits.js';
import { checkPart, slackOf, windowOf } from './part.js';
import { wantedTimes } from './timeline.js';
import type { DecodeRequest, Decoder, FrameStrip, OpenVideo, TimeWindow, VideoLimits } from './types.js';
import { understand } from './understand.js';

export class FfmpegDecoder implements Decoder {
  readonly name = 'ffmpeg';

  constructor(
    private readonly tools: FfmpegTools,
    private readonly limits: VideoLimits,
  ) {}

  open(path: string, part?: TimeWindow): OpenVideo {
    if (part !== undefined) checkPart(path, part);
    const { facts, streamIndex } = probeWithFfprobe(path, this.limits, part);
    const { info, timeline } = understand(facts, this.limits, part);
    const job = { tools: this.tools, limits: this.limits, facts, streamIndex };
    const frames = (request: DecodeRequest): FrameStrip => {
      const size = outputSize(path, info, request.size);
      const timesSec = wantedTimes(path, request.times, windowOf(info), slackOf(timeline, part));
      checkStrip(path, timesSec.length, size.width, size.height);
      return decodeWithFfmpeg({ ...job, size, shared: request.shared ?? false }, timeline, timesSec);
    };
    return { info, frames, close: () => {} };
  }
}
