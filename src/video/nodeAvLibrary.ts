/**
 * Loads node-av, an optional dependency, when it is first needed; only its low level with synchronous calls (`node-av/api` yields no
 * frames on Node 20). Nothing else may import it but as types.
 */
import { createRequire } from 'node:module';
import type * as Constants from 'node-av/constants';
import type * as Library from 'node-av/lib';

export type NodeAv = typeof Library & typeof Constants;

let loaded: NodeAv | undefined;
let problem: string | undefined;

/** node-av, or the one-line reason why it does not load. */
export function loadNodeAv(): NodeAv | string {
  if (loaded !== undefined) return loaded;
  if (problem !== undefined) return problem;
  try {
    // From inside the package, where Node 20 does not warn about require() of an ES module.
    const require = createRequire(createRequire(import.meta.url).resolve('node-av/lib'));
    const library = require('node-av/lib') as typeof Library;
    const constants = require('node-av/constants') as typeof Constants;
    loaded = { ...library, ...constants };
    // What goes wrong is thrown; FFmpeg's own remarks are for people who debug FFmpeg.
    loaded.Log.setLevel(loaded.AV_LOG_QUIET);
    return loaded;
  } catch (error) {
    problem = reasonOf(error);
    return problem;
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND') return 'not installed';
  const message = error instanceof Error ? error.message : String(error);
  return message
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .slice(0, 3)
    .join(' ');
}
