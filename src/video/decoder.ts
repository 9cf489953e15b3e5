import { chooseBackEnd } from './backEnd.js';
import { FfmpegDecoder } from './ffmpegCli.js';
import { defaultLimits } from './limits.js';
import { NodeAvDecoder } from './nodeAv.js';
import type {
  DecodedVideo,
  DecodeRequest,
  Decoder,
  DecoderChoice,
  OpenVideo,
  TimeWindow,
  VideoInfo,
  VideoLimits,
} from './types.js';

/** A decoder for the calling thread. Throws VideoError with installation advice. */
export function openDecoder(choice: DecoderChoice = 'auto', limits: Partial<VideoLimits> = {}): Decoder {
  const bounds = { ...defaultLimits, ...limits };
  const backEnd = chooseBackEnd('decoder', choice);
  return backEnd.name === 'node-av' ? new NodeAvDecoder(backEnd.av, bounds) : new FfmpegDecoder(backEnd.tools, bounds);
}

/** Opens a file, or a part of it, for as long as `use` runs. */
export function withVideo<T>(decoder: Decoder, path: string, use: (video: OpenVideo) => T, part?: TimeWindow): T {
  const video = decoder.open(path, part);
  try {
    return use(video);
  } finally {
    video.close();
  }
}

/** Facts about a file, or a part of it; decodes nothing. */
export const probe = (decoder: Decoder, path: string, part?: TimeWindow): VideoInfo =>
  withVideo(decoder, path, ({ info }) => info, part);

/** Frames of a file, or of a part of it. */
export const decode = (decoder: Decoder, path: string, request: DecodeRequest, part?: TimeWindow): DecodedVideo =>
  withVideo(decoder, path, (video) => ({ info: video.info, strip: video.frames(request) }), part);
