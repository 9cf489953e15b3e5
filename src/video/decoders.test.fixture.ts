import { findFfmpeg } from './ffmpegTools.js';
import { loadNodeAv } from './nodeAvLibrary.js';

export const nodeAv = loadNodeAv();
export const ffmpeg = findFfmpeg();

/** Why a test with it must be skipped; false where it is there. */
export const missing = {
  'node-av': typeof nodeAv === 'string' ? `node-av: ${nodeAv}` : false,
  ffmpeg: typeof ffmpeg === 'string' ? `ffmpeg: ${ffmpeg}` : false,
} as const;
