/** Decodes frames spread over every video of a dataset and reports what is unusable or makes results doubtful. */

import { stat } from 'node:fs/promises';
import { type ErrorCode, isFaultOf } from '../errors.js';
import { VideoPool, type VideoPoolOptions } from '../video/pool.js';
import type { DecodedVideo } from '../video/types.js';
import type { CheckedVideo } from './checkedVideo.js';
import { type SegmentFacts, segmentFacts } from './checkSegments.js';
import { type ClassCounts, countClasses, type Summary, summarise } from './checkSummary.js';
import { warningsOf } from './checkWarnings.js';
import { sameFiles } from './duplicates.js';
import type { LabelledVideo, LabelledVideos, RowFault, Split } from './labelledVideos.js';
import { motionOf } from './motion.js';
import { orderedMap } from './orderedMap.js';

export type ProblemKind = 'missing' | 'empty' | 'sound only' | 'unreadable' | 'truncated' | 'duplicate' | 'times';

export interface Problem {
  readonly name: string;
  readonly label: string;
  readonly split: Split;
  readonly kind: ProblemKind;
  readonly reason: string;
}

export interface DatasetReport extends Summary {
  readonly root: string;
  readonly source: LabelledVideos['source'];
  readonly splitBy: string;
  readonly notes: readonly string[];
  readonly classes: readonly ClassCounts[];
  /** Of a data set with segments. */
  readonly segments?: SegmentFacts;
  /** To be fixed: unusable or duplicate files, and rows whose times are not of their film. */
  readonly problems: readonly Problem[];
  /** About the set as a whole; no single file is at fault. */
  readonly warnings: readonly string[];
}

export interface CheckOptions extends VideoPoolOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, of: number) => void;
}

/** Enough to touch each group of pictures of a clip. */
const framesRead = 32;
const shortSide = 64;

/**
 * Reads all videos, several at once. Rejects only when aborted or when there is no decoder; files that fail are in the report.
 */
export async function checkDataset(data: LabelledVideos, options: CheckOptions = {}): Promise<DatasetReport> {
  const pool = new VideoPool(options);
  const problems: FoundProblem[] = [];
  const readable: CheckedVideo[] = [];
  const read = (video: LabelledVideo, signal: AbortSignal) => readVideo(pool, video, signal);
  let done = 0;
  try {
    for await (const [video, outcome] of orderedMap(data.videos, 2 * pool.size, read, options.signal)) {
      if ('error' in outcome) problems.push(problemOf(video, outcome.error));
      else readable.push(outcome.value);
      options.onProgress?.(++done, data.videos.length);
    }
  } finally {
    await pool.close();
  }
  problems.push(...readable.flatMap(truncationOf), ...(await doubled(readable, options.signal)));
  const { root, source, splitBy, notes, faults = [] } = data;
  const segments = segmentFacts(data);
  const described = { root, source, splitBy, notes, classes: countClasses(data), ...(segments && { segments }) };
  return {
    ...{ ...described, ...summarise(data, readable) },
    problems: [...faults.map(faultOf), ...onceAFilm(problems)],
    warnings: warningsOf(data, readable),
  };
}

async function readVideo(pool: VideoPool, video: LabelledVideo, signal: AbortSignal): Promise<CheckedVideo> {
  const request = { times: { evenly: framesRead }, size: { shortSide } };
  const { info, strip }: DecodedVideo = await pool.decode(video.path, request, { signal, part: video.segment });
  return { video, info, motion: motionOf(strip, info.firstFrameSec), bytes: (await stat(video.path)).size };
}

function problemOf(video: LabelledVideo, error: unknown): FoundProblem {
  if (!isFaultOf(video.path, error)) throw error;
  return problem(video, kindOf(error.code), error.reason);
}

function kindOf(code: ErrorCode): ProblemKind {
  if (code === 'missing' || code === 'empty') return code;
  return code === 'soundOnly' ? 'sound only' : 'unreadable';
}

/** A row of the list, by its line. */
function faultOf({ video, reason }: RowFault): Problem {
  const { where, name, label, split = 'train' } = video;
  return { name: where, label, split, kind: 'times', reason: `${name} ${reason}` };
}

/** What is wrong with a film is said once, not for each of its segments. */
function onceAFilm(problems: readonly FoundProblem[]): Problem[] {
  const of = new Map<string, FoundProblem[]>();
  for (const found of problems) {
    const key = `${found.path}\n${found.reason}`;
    of.set(key, [...(of.get(key) ?? []), found]);
  }
  return [...of.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const { path: _, ...problem } = first;
    return others.length === 0
      ? [problem]
      : [{ ...problem, reason: `${problem.reason} (and ${others.length} more of its segments)` }];
  });
}

type FoundProblem = Problem & { readonly path: string };

function problem({ path, name, label, split }: LabelledVideo, kind: ProblemKind, reason: string): FoundProblem {
  return { path, name, label, split, kind, reason };
}

function truncationOf({ video, info }: CheckedVideo): FoundProblem[] {
  return info.truncated === undefined ? [] : [problem(video, 'truncated', info.truncated)];
}

async function doubled(readable: readonly CheckedVideo[], signal: AbortSignal | undefined): Promise<FoundProblem[]> {
  const firsts = new Map(readable.map((checked) => [checked.video.path, checked]));
  const files = [...firsts.values()].map(({ video, bytes }) => ({ path: video.path, bytes, video }));
  const groups = await sameFiles(files, signal);
  return groups.flatMap(([first, ...others]) => {
    return others.map(({ video }) => problem(video, 'duplicate', first === undefined ? '' : sameAs(video, first.video)));
  });
}

function sameAs(video: LabelledVideo, first: LabelledVideo): string {
  const leak = video.split === first.split ? '' : `; ${video.split} repeats ${first.split}, which spoils any result`;
  const labels = video.label === first.label ? '' : `; labelled "${video.label}" here and "${first.label}" there`;
  return `same bytes as ${first.name}${leak}${labels}`;
}
