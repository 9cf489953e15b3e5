/**
 * Loads the optional node-av on first use, and words its error codes. Low-level synchronous calls only: `node-av/api` yields no
 * frames on Node 20. Not imported elsewhere, not even for types (nodeAvTypes.ts).
 */
import { createRequire } from 'node:module';
import { messageOf, VideoError } from '../errors.js';
import type { NodeAv, NodeAvConstants } from './nodeAvTypes.js';

/** The version that package.json asks for and nodeAvTypes.ts describes. */
export const nodeAvVersion = '6.1.1';

let loaded: NodeAv | string | undefined;

/** node-av, or the one-line reason why it does not load. Tried once. */
export function loadNodeAv(): NodeAv | string {
  loaded ??= load();
  return loaded;
}

function load(): NodeAv | string {
  try {
    // From inside the package, where Node 20 does not warn about require() of an ES module.
    const require = createRequire(createRequire(import.meta.url).resolve('node-av/lib'));
    const library = require('node-av/lib') as Omit<NodeAv, keyof NodeAvConstants>;
    const constants = require('node-av/constants') as NodeAvConstants;
    const av: NodeAv = { ...library, ...constants };
    av.Log.setLevel(av.AV_LOG_QUIET);
    return av;
  } catch (error) {
    return whyNotLoaded(error);
  }
}

function whyNotLoaded(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND') return 'not installed';
  const message = messageOf(error);
  return message
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .slice(0, 3)
    .join(' ');
}

/** FFmpeg's words for an error code. */
export function reason(av: NodeAv, code: number): string {
  // Some parts of FFmpeg return -1 for "no", which reads as EPERM.
  return code === -1 ? 'FFmpeg gives no reason' : av.FFmpegError.strerror(code);
}

/** Throws VideoError where `code` is an error: "WHERE: STEP failed: FFmpeg's reason". */
export function checkCode(av: NodeAv, code: number, where: string, step: string): void {
  if (code < 0) throw new VideoError(`${step} failed: ${reason(av, code)}`, { path: where });
}
