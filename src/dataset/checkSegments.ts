/** What a list of segments comes to: how much of which films is labelled, how much of it twice, and how long the segments of each class are. */
import type { TimeWindow } from '../clip/temporalSampling.js';
import { type Spread, spreadOf } from './checkSummary.js';
import { type LabelledVideo, type LabelledVideos, labelsOf } from './labelledVideos.js';

export interface SegmentFacts {
  readonly films: number;
  readonly segments: number;
  /** Seconds of the films, under at least one segment, and under several at once. */
  readonly filmSec: number;
  readonly labelledSec: number;
  readonly overlapSec: number;
  /** Lengths of each class's segments, seconds; a segment of several labels is one of each. */
  readonly classes: readonly { readonly label: string; readonly segments: number; readonly lengthSec: Spread }[];
}

/** Undefined for data of whole videos only. */
export function segmentFacts({ videos, labels, films = [] }: LabelledVideos): SegmentFacts | undefined {
  const segments = videos.filter(hasSegment);
  if (segments.length === 0) return undefined;
  const paths = [...new Set(segments.map(({ path }) => path))];
  const covered = paths.map((path) => coverage(segments.filter((video) => video.path === path).map(({ segment }) => segment)));
  const lengths = (label: string) =>
    segments.filter((video) => labelsOf(video).includes(label)).map(({ segment }) => segment.endSec - segment.startSec);
  return {
    films: paths.length,
    segments: segments.length,
    filmSec: sum(films.filter(({ path }) => paths.includes(path)).map(({ durationSec }) => durationSec)),
    labelledSec: sum(covered.map(({ once }) => once)),
    overlapSec: sum(covered.map(({ several }) => several)),
    classes: labels.map((label) => ({ label, segments: lengths(label).length, lengthSec: spreadOf(lengths(label)) })),
  };
}

type Segment = LabelledVideo & { readonly segment: TimeWindow };

const hasSegment = (video: LabelledVideo): video is Segment =>
  video.segment !== undefined && Number.isFinite(video.segment.endSec);

/** Seconds under at least one stretch, and under several at once. */
function coverage(stretches: readonly TimeWindow[]): { readonly once: number; readonly several: number } {
  const edges = stretches.flatMap(({ startSec, endSec }) => [
    { atSec: startSec, step: 1 },
    { atSec: endSec, step: -1 },
  ]);
  edges.sort((a, b) => a.atSec - b.atSec || a.step - b.step);
  let [once, several, depth, beforeSec] = [0, 0, 0, 0];
  for (const { atSec, step } of edges) {
    if (depth > 0) once += atSec - beforeSec;
    if (depth > 1) several += atSec - beforeSec;
    depth += step;
    beforeSec = atSec;
  }
  return { once, several };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
