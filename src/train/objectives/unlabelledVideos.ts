import { resolve } from 'node:path';
import { type FilmsOptions, isRead, probeFilms } from '../../dataset/films.js';
import { videosBelow } from '../../dataset/folders.js';
import type { LabelledVideo, LabelledVideos } from '../../dataset/labelledVideos.js';
import { listedParts } from '../../dataset/listedParts.js';
import { isManifest } from '../../dataset/manifest.js';
import { counted } from '../../dataset/some.js';
import type { VideoPart } from '../../dataset/videoPart.js';
import { DatasetError, systemCode } from '../../errors.js';

export interface Unlabelled {
  readonly videos: readonly VideoPart[];
  readonly notes: readonly string[];
}

export interface UnlabelledSource extends FilmsOptions {
  /** A folder of videos, or a list of videos and segments that needs no labels. */
  readonly unlabelled?: string | undefined;
  readonly dataset?: { readonly allowOutside?: boolean } | undefined;
}

/**
 * Videos without labels that a run learns from. Beside labelled segments, long films become stretches as long as those, and films kept for
 * testing are passed over. DatasetError when there are none, or for a whole video kept for testing.
 */
export async function unlabelledVideos({ unlabelled, ...source }: UnlabelledSource, data: LabelledVideos): Promise<Unlabelled> {
  if (unlabelled === undefined) return { videos: [], notes: [] };
  const found = isManifest(unlabelled) ? await listedParts(unlabelled, { ...source, ...source.dataset }) : below(unlabelled);
  if (found.length === 0) throw new DatasetError(`--unlabelled: ${unlabelled}: no videos in it`);
  const held = data.videos.filter(({ split }) => split !== 'train');
  refuseHeldOut(found, held);
  const films = new Set(held.map(({ path }) => path));
  const seen = found.filter(({ path }) => !films.has(resolve(path)));
  const left = new Set(found.filter(({ path }) => films.has(resolve(path))).map(({ path }) => path)).size;
  if (seen.length === 0)
    throw new DatasetError(`--unlabelled: ${unlabelled}: all of it is of films kept for validation and testing`);
  const notes = left > 0 ? [`--unlabelled: ${counted(left, 'film')} kept for validation and testing passed over`] : [];
  const lengthSec = medianLength(data);
  if (lengthSec === undefined) return { videos: seen, notes };
  return { videos: await inStretches(seen, lengthSec, source), notes };
}

function below(folder: string): VideoPart[] {
  try {
    return videosBelow(folder).paths.map((path) => ({ path }));
  } catch (error) {
    throw new DatasetError(`--unlabelled: ${folder}: cannot be read: ${systemCode(error) ?? String(error)}`);
  }
}

/** Of films with segments other parts may be seen, but not by default: see above. */
function refuseHeldOut(found: readonly VideoPart[], held: readonly LabelledVideo[]): void {
  const whole = new Map(held.filter(({ segment }) => segment === undefined).map((video) => [video.path, video]));
  const shown = found.map(({ path }) => whole.get(resolve(path))).find((video) => video !== undefined);
  if (shown) throw new DatasetError(`--unlabelled: ${shown.path} is in split "${shown.split}", which training must not see`);
}

/** Of the labelled training segments, seconds; undefined where there are none. */
function medianLength({ videos }: LabelledVideos): number | undefined {
  const training = videos.filter(({ split }) => split === 'train');
  const lengths = training.flatMap(({ segment }) => (segment ? [segment.endSec - segment.startSec] : []));
  return lengths.sort((a, b) => a - b)[Math.floor(lengths.length / 2)];
}

/** Whole films of twice that length and more, cut. */
async function inStretches(videos: readonly VideoPart[], lengthSec: number, reading: FilmsOptions): Promise<VideoPart[]> {
  const whole = videos.filter(({ segment }) => segment === undefined).map(({ path }) => path);
  const films = await probeFilms(whole, reading);
  return videos.flatMap((video) => {
    const film = films.get(video.path);
    if (video.segment !== undefined || !isRead(film)) return [video];
    const count = Math.floor((film.endSec - film.startSec) / lengthSec);
    if (count < 2) return [video];
    return Array.from({ length: count }, (_, i) => {
      const startSec = film.startSec + i * lengthSec;
      return { path: video.path, segment: { startSec, endSec: startSec + lengthSec } };
    });
  });
}
