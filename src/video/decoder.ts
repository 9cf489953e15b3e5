/**
 * Chooses a decoder: node-av where it is installed, else the system's ffmpeg. The choice is made once and can be told from `name`.
 */
import { VideoError } from '../errors.js';
import { FfmpegDecoder, findFfmpeg } from './ffmpegCli.js';
import { defaultLimits } from './limits.js';
import { NodeAvDecoder } from './nodeAv.js';
import { loadNodeAv } from './nodeAvLibrary.js';
import type { Decoder, DecoderChoice, VideoLimits } from './types.js';

const getNodeAv = 'npm install node-av@6.1.1';
const getFfmpeg = 'install ffmpeg (with ffprobe) and have it on the PATH';

/** A decoder for the calling thread. Throws VideoError that says what is missing and how to get it. */
export function openDecoder(choice: DecoderChoice = 'auto', limits: Partial<VideoLimits> = {}): Decoder {
  const bounds = { ...defaultLimits, ...limits };
  let nodeAvProblem = 'not asked for';
  if (choice !== 'ffmpeg') {
    const av = loadNodeAv();
    if (typeof av !== 'string') return new NodeAvDecoder(av, bounds);
    nodeAvProblem = av;
    if (choice === 'node-av') throw new VideoError(`the decoder node-av cannot be used: ${av}; ${getNodeAv}, or choose ffmpeg`);
  }
  const ffmpeg = findFfmpeg();
  if (typeof ffmpeg !== 'string') return new FfmpegDecoder(ffmpeg, bounds);
  if (choice === 'ffmpeg') throw new VideoError(`the decoder ffmpeg cannot be used: ${ffmpeg}; ${getFfmpeg}, or choose node-av`);
  throw new VideoError(`no video decoder: node-av: ${nodeAvProblem}; ffmpeg: ${ffmpeg}. Either ${getNodeAv}, or ${getFfmpeg}`);
}
