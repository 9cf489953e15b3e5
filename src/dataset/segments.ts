/** Rows with times become segments of their films: open ends are filled in, frames become seconds, and what cannot be is a fault. */
import type { TimeWindow } from '../clip/temporalSampling.js';
import { DatasetError } from '../errors.js';
import { type Film, type Films, isRead } from './films.js';
import type { FoundVideo, RowFault } from './labelledVideos.js';
import type { RowTimes } from './rowTimes.js';
import { counted } from './some.js';

export interface Segments {
  readonly videos: readonly FoundVideo[];
  readonly faults: readonly RowFault[];
  readonly notes: readonly string[];
}

/** Labels are made to the second: an end that is so much late means the film's. */
const slackSec = 1;

/** In the rows' order. Of films that cannot be read nothing is checked: their segments are left out later, with the reason. */
export function segmentsOf(rows: readonly FoundVideo[], films: Films): Segments {
  const [videos, faults]: [FoundVideo[], RowFault[]] = [[], []];
  let [cut, inFrames] = [0, 0];
  for (const row of rows) {
    const placed = row.fault === undefined ? place(row, films.get(row.path)) : row.fault;
    if (typeof placed === 'string') {
      faults.push({ video: row, reason: placed });
      continue;
    }
    if (placed.cut) cut++;
    if (row.times?.unit === 'frames') inFrames++;
    const { times: _, fault: __, ...rest } = row;
    const { segment } = placed;
    videos.push(segment === undefined ? rest : { ...rest, segment });
  }
  const notes = [
    ...(cut > 0 ? [`${counted(cut, 'segment')} of up to ${slackSec} s beyond the end of the film: cut there`] : []),
    ...(inFrames > 0
      ? [`${counted(inFrames, 'segment')} in frames, counted from 0 at the film's own rate, the end not included`]
      : []),
  ];
  return { videos, faults, notes };
}

type Placed = { readonly segment: TimeWindow | undefined; readonly cut: boolean };

function place({ times }: FoundVideo, film: Film | Error | undefined): Placed | string {
  if (times === undefined) return { segment: undefined, cut: false };
  if (!isRead(film)) return { segment: unchecked(times), cut: false };
  const { start, end } = inSeconds(times, film);
  const pictureEnds = `the picture of the film ends at ${film.endSec.toFixed(3)} s`;
  if (start !== undefined && start >= film.endSec) return `starts at ${text(start)} s, but ${pictureEnds}`;
  if (end !== undefined && end > film.lastSec + slackSec)
    return `ends at ${text(end)} s, but the film ends at ${film.lastSec.toFixed(3)} s`;
  if (end !== undefined && end <= film.startSec)
    return `ends at ${text(end)} s, before the picture begins at ${film.startSec.toFixed(3)} s`;
  const endSec = Math.min(end ?? film.endSec, film.endSec);
  return { segment: { startSec: start ?? film.startSec, endSec }, cut: end !== undefined && end > film.endSec };
}

function inSeconds({ unit, start, end }: RowTimes, { startSec, frameRate }: Film) {
  // Rates are measured, and end in rounding errors.
  const ofFrame = (frame: number) => Math.round((startSec + frame / frameRate) * 1e6) / 1e6;
  const sec = (value: number | undefined) => (value === undefined || unit === 'seconds' ? value : ofFrame(value));
  return { start: sec(start), end: sec(end) };
}

/** Of an unreadable film: only its path matters, and that rows stay apart. */
const unchecked = ({ start = 0, end = Number.POSITIVE_INFINITY }: RowTimes): TimeWindow => ({ startSec: start, endSec: end });

const text = (sec: number): string => String(Number(sec.toFixed(3)));

/** Throws a DatasetError for the first one. */
export function refuseFaults(faults: readonly RowFault[]): void {
  const [first] = faults;
  if (first === undefined) return;
  const { video, reason } = first;
  const more = faults.length > 1 ? `; ${faults.length - 1} more rows cannot be used: vmf check lists them` : '';
  throw new DatasetError(`${video.name}: ${reason}${more}`, { path: video.where });
}
