import { VideoError } from '../errors.js';
import { type FfmpegTools, findFfmpeg } from './ffmpegTools.js';
import { loadNodeAv, nodeAvVersion } from './nodeAvLibrary.js';
import type { NodeAv } from './nodeAvTypes.js';
import type { BackEndName } from './types.js';

export type BackEnd =
  | { readonly name: 'node-av'; readonly av: NodeAv }
  | { readonly name: 'ffmpeg'; readonly tools: FfmpegTools };

const getNodeAv = `npm install node-av@${nodeAvVersion}`;
const getFfmpeg = 'install ffmpeg (with ffprobe) and have it on the PATH';

/** Resolves `choice` on this machine. Throws VideoError with installation advice. */
export function chooseBackEnd(purpose: 'decoder' | 'encoder', choice: 'auto' | BackEndName): BackEnd {
  const av = choice === 'ffmpeg' ? 'not asked for' : loadNodeAv();
  if (typeof av !== 'string') return { name: 'node-av', av };
  if (choice === 'node-av') throw new VideoError(`the ${purpose} node-av cannot be used: ${av}; ${getNodeAv}, or choose ffmpeg`);
  const tools = findFfmpeg();
  if (typeof tools !== 'string') return { name: 'ffmpeg', tools };
  if (choice === 'ffmpeg') {
    throw new VideoError(`the ${purpose} ffmpeg cannot be used: ${tools}; ${getFfmpeg}, or choose node-av`);
  }
  throw new VideoError(`no video ${purpose}: node-av: ${av}; ffmpeg: ${tools}. Either ${getNodeAv}, or ${getFfmpeg}`);
}
