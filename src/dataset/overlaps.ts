/** Segments of one film that lie over each other: how much, and which labels are true of each. */

import type { TimeWindow } from '../clip/temporalSampling.js';
import { byText, type FoundVideo, joinedLabels, labelsOf } from './labelledVideos.js';
import { partKey } from './videoPart.js';

/** A segment's label is true of it where it holds for this share of it. */
const leastShare = 0.5;

type Segment = FoundVideo & { readonly segment: TimeWindow };

const isSegment = (video: FoundVideo): video is Segment => video.segment !== undefined;

/** The segments of each film, by start. */
function byFilm(videos: readonly FoundVideo[]): Segment[][] {
  const films = new Map<string, Segment[]>();
  for (const video of videos.filter(isSegment)) {
    const rows = films.get(video.path);
    if (rows) rows.push(video);
    else films.set(video.path, [video]);
  }
  return [...films.values()].map((rows) => rows.sort((a, b) => a.segment.startSec - b.segment.startSec));
}

/** Seconds of windows, by start, once each. */
function unionSec(windows: readonly TimeWindow[]): number {
  let [sum, reached] = [0, Number.NEGATIVE_INFINITY];
  for (const { startSec, endSec } of windows) {
    sum += Math.max(0, endSec - Math.max(startSec, reached));
    reached = Math.max(reached, endSec);
  }
  return sum;
}

/** Seconds at which more than one class holds, of the seconds at which any does. */
export function overlapShare(videos: readonly FoundVideo[]): number {
  let [any, several] = [0, 0];
  for (const rows of byFilm(videos)) {
    const labels = new Set(rows.flatMap(labelsOf));
    const classes = [...labels].map((label) => rows.filter((row) => labelsOf(row).includes(label)).map(({ segment }) => segment));
    const edges = classes.flatMap((windows) => edgesOf(windows)).sort((a, b) => a.atSec - b.atSec);
    let [open, before] = [0, 0];
    for (const { atSec, by } of edges) {
      if (open > 0) any += atSec - before;
      if (open > 1) several += atSec - before;
      [open, before] = [open + by, atSec];
    }
  }
  return any === 0 ? 0 : several / any;
}

/** Where one class begins and ends to hold; windows by start. */
function edgesOf(windows: readonly TimeWindow[]): { atSec: number; by: 1 | -1 }[] {
  const merged: { startSec: number; endSec: number }[] = [];
  for (const { startSec, endSec } of windows) {
    const last = merged.at(-1);
    if (last && startSec <= last.endSec) last.endSec = Math.max(last.endSec, endSec);
    else merged.push({ startSec, endSec });
  }
  return merged.flatMap(({ startSec, endSec }) => [
    { atSec: startSec, by: 1 as const },
    { atSec: endSec, by: -1 as const },
  ]);
}

/**
 * Each segment with all labels that hold for at least half of it, its own included; equal segments become one. Videos without times keep
 * their own labels.
 */
export function withOverlaps(videos: readonly FoundVideo[]): FoundVideo[] {
  const sets = new Map<FoundVideo, readonly string[]>();
  for (const rows of byFilm(videos)) for (const row of rows) sets.set(row, labelsDuring(row, rows));
  const seen = new Set<string>();
  return videos.flatMap((video) => {
    const labels = sets.get(video);
    if (labels === undefined) return [{ ...video, labels: labelsOf(video) }];
    if (seen.has(partKey(video))) return [];
    seen.add(partKey(video));
    return [{ ...video, labels, label: joinedLabels(labels) }];
  });
}

function labelsDuring({ segment, ...own }: Segment, rows: readonly Segment[]): string[] {
  const { startSec, endSec } = segment;
  const windows = new Map<string, TimeWindow[]>();
  for (const row of rows) {
    if (row.segment.startSec >= endSec) break;
    const part = { startSec: Math.max(startSec, row.segment.startSec), endSec: Math.min(endSec, row.segment.endSec) };
    if (part.endSec <= part.startSec) continue;
    for (const label of labelsOf(row)) windows.set(label, [...(windows.get(label) ?? []), part]);
  }
  const holds = (parts: readonly TimeWindow[]) => unionSec(parts) >= leastShare * (endSec - startSec) * (1 - 1e-9);
  const during = [...windows].flatMap(([label, parts]) => (holds(parts) ? [label] : []));
  return [...new Set([...labelsOf(own), ...during])].sort(byText);
}
