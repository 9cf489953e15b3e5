import { type FilmsOptions, probeFilms } from './films.js';
import { readManifest } from './manifest.js';
import { refuseFaults, segmentsOf } from './segments.js';
import type { VideoPart } from './videoPart.js';

/** Videos and segments that a list names, labels or not, in its order. Rejects with a DatasetError for rows whose times are not of their film. */
export async function listedParts(
  list: string,
  { allowOutside, ...reading }: FilmsOptions & { readonly allowOutside?: boolean | undefined } = {},
): Promise<VideoPart[]> {
  const rows = readManifest(list, { allowOutside, labelled: false });
  refuseFaults(rows.flatMap((video) => (video.fault === undefined ? [] : [{ video, reason: video.fault }])));
  const timed = rows.filter(({ times }) => times !== undefined);
  const { videos, faults } = segmentsOf(rows, await probeFilms([...new Set(timed.map(({ path }) => path))], reading));
  refuseFaults(faults);
  return videos.map(({ path, segment }) => ({ path, ...(segment && { segment }) }));
}
