import { isFaultOf } from '../errors.js';
import { VideoPool } from '../video/pool.js';
import type { DecoderChoice } from '../video/types.js';
import { orderedMap } from './orderedMap.js';
import { evenly } from './some.js';

/** So many tell the common shape of a set. */
const mostLooked = 100;

export interface ShapesOptions {
  readonly decoder?: DecoderChoice;
  readonly workers?: number;
  readonly signal?: AbortSignal;
}

/** As displayed, of up to 100 of these videos' files, evenly spaced; unreadable ones are skipped. */
export async function shapesOf(videos: readonly { readonly path: string }[], options: ShapesOptions = {}): Promise<Shape[]> {
  const { decoder, workers, signal } = options;
  const pool = new VideoPool({ ...(decoder && { decoder }), ...(workers !== undefined && { size: workers }) });
  const probe = (path: string, stop: AbortSignal) => pool.probe(path, { signal: stop });
  const paths = [...new Set(videos.map(({ path }) => path))];
  const shapes: Shape[] = [];
  try {
    for await (const [path, outcome] of orderedMap(evenly(paths, mostLooked), 2 * pool.size, probe, signal)) {
      if ('value' in outcome) shapes.push({ height: outcome.value.height, width: outcome.value.width });
      else if (!isFaultOf(path, outcome.error)) throw outcome.error;
    }
  } finally {
    await pool.close();
  }
  return shapes;
}

interface Shape {
  readonly height: number;
  readonly width: number;
}
