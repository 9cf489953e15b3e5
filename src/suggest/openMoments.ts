/** Moments of films that have no label yet. */
import { denseWindows, type TimeWindow } from '../clip/temporalSampling.js';
import type { BatchVideo } from '../dataset/dataLoader.js';
import { type Film, probeFilms } from '../dataset/films.js';
import type { LabelledVideos } from '../dataset/labelledVideos.js';
import { DatasetError } from '../errors.js';
import type { DecoderChoice } from '../video/types.js';

export type Moment = BatchVideo & { readonly segment: TimeWindow };

export interface OpenMomentsOptions {
  readonly labelled?: LabelledVideos | undefined;
  readonly decoder?: DecoderChoice | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** Windows of all films that can be read, without those of which labels cover more than half. DatasetError when none is left. */
export async function openMoments(paths: readonly string[], windowSec: number, options: OpenMomentsOptions): Promise<Moment[]> {
  const { decoder, signal, onWarning, labelled } = options;
  const films = await probeFilms(paths, { ...(decoder && { decoder }), ...(signal && { signal }) });
  const known = coverageOf(labelled);
  const moments: Moment[] = [];
  let readable = 0;
  for (const [path, film] of films) {
    if (film instanceof Error) {
      onWarning?.(`left out: ${film.message}`);
      continue;
    }
    readable++;
    const open = windowsOf(film, windowSec).filter((window) => !isCovered(window, known.get(path)));
    moments.push(...open.map((segment) => ({ path, segment, name: path, labelIndex: 0 })));
  }
  if (readable === 0) throw new DatasetError(`none of ${films.size} films can be read`);
  if (moments.length === 0) throw new DatasetError('every moment of these films has a label already');
  return moments;
}

/** The last window is left out where it would be for the most part the one before. */
function windowsOf({ startSec: firstFrameSec, endSec, frameRate }: Film, windowSec: number): TimeWindow[] {
  const span = { firstFrameSec, durationSec: endSec - firstFrameSec, frameRate };
  const windows = denseWindows({ ...span, windowSec, strideSec: windowSec }).map(({ startSec, endSec: end }) => ({
    startSec,
    endSec: end,
  }));
  const [last, previous] = [windows.at(-1), windows.at(-2)];
  const mostlySeen = last && previous && previous.endSec - last.startSec > windowSec / 2;
  return mostlySeen ? windows.slice(0, -1) : windows;
}

/** Labelled stretches by film; a film labelled as a whole is covered. */
function coverageOf(labelled: LabelledVideos | undefined): Map<string, TimeWindow[]> {
  const out = new Map<string, TimeWindow[]>();
  for (const { path, segment = { startSec: Number.NEGATIVE_INFINITY, endSec: Number.POSITIVE_INFINITY } } of labelled?.videos ??
    []) {
    const before = out.get(path);
    if (before) before.push(segment);
    else out.set(path, [segment]);
  }
  return out;
}

const isCovered = (window: TimeWindow, labelled: readonly TimeWindow[] = []): boolean =>
  labelled.some(
    ({ startSec, endSec }) =>
      2 * (Math.min(endSec, window.endSec) - Math.max(startSec, window.startSec)) > window.endSec - window.startSec,
  );
