/**
 * Timelines of whole films against their labelled segments. Films are those that have a segment in the split; all their segments count,
 * whichever row they stand in.
 */
import type { LabelledVideo, LabelledVideos, Split } from '../dataset/labelledVideos.js';
import { labelsOf, videosOf } from '../dataset/labelledVideos.js';
import { some } from '../dataset/some.js';
import { DatasetError } from '../errors.js';
import { type SegmentMetrics, segmentMetrics } from '../metrics/segments/segmentMetrics.js';
import type { FilmSegments, LabelledSegment } from '../metrics/segments/segments.js';
import type { Recogniser } from './recogniser.js';
import type { TimelineOptions, VideoTimeline } from './slidingWindow.js';

/** A film and what is true of it. */
export interface LabelledFilm {
  readonly path: string;
  /** Path below the data set's root. */
  readonly name: string;
  readonly truth: readonly LabelledSegment[];
}

/** One film and what was made of it. */
export interface EvaluatedFilm extends LabelledFilm, FilmSegments {
  readonly timeline: VideoTimeline;
}

export interface FilmsEvaluation {
  readonly metrics: SegmentMetrics;
  readonly films: readonly EvaluatedFilm[];
}

export interface EvaluateFilmsOptions extends Omit<TimelineOptions, 'onProgress'> {
  /** `film` from 0; seconds of that film. */
  readonly onProgress?: (film: number, doneSec: number, ofSec: number) => void;
}

/**
 * The films of a split. `rows` is the same data with every row as it stands (`labels: 'rows'`); its segments labelled `background` are no
 * truth. A DatasetError for a film whose segments are in several splits, and for data without segments.
 */
export function filmsOf(
  data: LabelledVideos,
  rows: LabelledVideos,
  split: Split | 'all',
  background: string | undefined,
): LabelledFilm[] {
  const chosen = split === 'all' ? data.videos : videosOf(data, split);
  const paths = [...new Set(chosen.map(({ path }) => path))];
  const mixed = paths.find(
    (path) => split !== 'all' && data.videos.some((video) => video.path === path && video.split !== split),
  );
  if (mixed !== undefined) {
    throw new DatasetError(`has segments in split ${split} and in others; films are tested whole, so give each film one split`, {
      path: mixed,
    });
  }
  return paths.map((path) => filmOf(path, rows, background));
}

function filmOf(path: string, { videos, root }: LabelledVideos, background: string | undefined): LabelledFilm {
  const own = videos.filter((video) => video.path === path);
  const truth = own.flatMap((video) => truthIn(video)).filter(({ label }) => label !== background);
  const name = own[0]?.name.replace(/@[^@]*$/, '') ?? path.slice(root.length + 1);
  return { path, name, truth };
}

function truthIn(video: LabelledVideo): LabelledSegment[] {
  if (video.segment === undefined) {
    throw new DatasetError(`is a clip with one label, not a film with segments; --films needs start and end of each`, {
      path: video.path,
    });
  }
  const { startSec, endSec } = video.segment;
  return labelsOf(video).map((label) => ({ startSec, endSec, label }));
}

/** Rejects before anything is decoded for labels that the weights do not know, and with the error of the first unreadable film. */
export async function evaluateFilms(
  recogniser: Recogniser,
  films: readonly LabelledFilm[],
  { onProgress, ...options }: EvaluateFilmsOptions = {},
): Promise<FilmsEvaluation> {
  const strange = [...new Set(films.flatMap(({ truth }) => truth.map(({ label }) => label)))].filter(
    (label) => !recogniser.labels.includes(label),
  );
  if (strange.length > 0) {
    throw new DatasetError(
      `the films have labels that the weights do not know: ${some(strange)}; the weights know ${some([...recogniser.labels])}`,
    );
  }
  const evaluated: EvaluatedFilm[] = [];
  for (const [i, film] of films.entries()) {
    const progress = onProgress && { onProgress: (doneSec: number, ofSec: number) => onProgress(i, doneSec, ofSec) };
    const timeline = await recogniser.timeline(film.path, { ...options, ...progress });
    const predicted = timeline.segments.filter(({ unknown }) => !unknown);
    evaluated.push({ ...film, predicted, durationSec: timeline.durationSec, timeline });
  }
  return { metrics: segmentMetrics(evaluated), films: evaluated };
}
