/** Facts of the films that segments lie in, probed once a film. */
import { isFaultOf, type LimitError, type VideoError } from '../errors.js';
import { VideoPool } from '../video/pool.js';
import type { DecoderChoice, VideoInfo } from '../video/types.js';
import type { FilmFacts } from './labelledVideos.js';
import { orderedMap } from './orderedMap.js';

/** Times on a player's clock. */
export interface Film {
  /** When the picture begins and ends. */
  readonly startSec: number;
  readonly endSec: number;
  /** The end of the film: its sound may outlast the picture. */
  readonly lastSec: number;
  readonly frameRate: number;
}

export type Films = ReadonlyMap<string, Film | VideoError | LimitError>;

export interface FilmsOptions {
  readonly decoder?: DecoderChoice | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (done: number, of: number) => void;
}

/** By path, in the order given. What is wrong with an unreadable one stands in its place; other errors reject. */
export async function probeFilms(paths: readonly string[], { decoder, signal, onProgress }: FilmsOptions = {}): Promise<Films> {
  const films = new Map<string, Film | VideoError | LimitError>();
  if (paths.length === 0) return films;
  const pool = new VideoPool({ ...(decoder && { decoder }) });
  try {
    const probe = (path: string, leaving: AbortSignal) => pool.probe(path, { signal: leaving });
    for await (const [path, outcome] of orderedMap(paths, 2 * pool.size, probe, signal)) {
      if ('value' in outcome) films.set(path, filmOf(outcome.value));
      else if (isFaultOf(path, outcome.error)) films.set(path, outcome.error);
      else throw outcome.error;
      onProgress?.(films.size, paths.length);
    }
    return films;
  } finally {
    await pool.close();
  }
}

export const isRead = (film: Film | Error | undefined): film is Film => film !== undefined && !(film instanceof Error);

/** Of films that could be read. */
export const filmFacts = (films: Films): FilmFacts[] =>
  [...films].flatMap(([path, film]) =>
    isRead(film) ? [{ path, durationSec: film.endSec - film.startSec, frameRate: film.frameRate }] : [],
  );

function filmOf({ firstFrameSec, durationSec, headerDurationSec, frameRate }: VideoInfo): Film {
  const endSec = firstFrameSec + durationSec;
  return { startSec: firstFrameSec, endSec, lastSec: Math.max(endSec, headerDurationSec || 0), frameRate };
}
