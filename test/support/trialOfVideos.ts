/** What a recogniser says of videos, in Node (paths) and in a tab (Blobs). */
import type { Recogniser } from '../../src/inference/recogniser.js';
import type { VideoTimeline } from '../../src/inference/slidingWindow.js';
import type { VideoInfo, VideoLimits } from '../../src/video/types.js';

export interface VideoTrial {
  readonly names: readonly string[];
  /** How the tab is given them. */
  readonly as: 'file' | 'stream' | 'bytes';
  /** Timelines too. */
  readonly timeline?: { readonly windowSec: number; readonly minDurationSec: number; readonly stretchBytes: number };
  readonly limits?: Partial<VideoLimits>;
}

export interface VideoNumbers {
  readonly error?: string;
  readonly kind?: string;
  readonly info?: VideoInfo;
  readonly truncated?: string | undefined;
  readonly scores?: readonly number[];
  /** The clip as the network is given it. */
  readonly clip?: readonly number[];
  readonly timeline?: VideoTimeline;
}

export async function trialOfVideos<Source>(
  recogniser: Recogniser<Source>,
  sources: readonly Source[],
  trial: VideoTrial,
): Promise<VideoNumbers[]> {
  const numbers: VideoNumbers[] = [];
  for await (const result of recogniser.recogniseMany(sources)) {
    const source = sources[numbers.length] as Source;
    if ('error' in result) numbers.push({ error: result.error.message, kind: result.error.name });
    else numbers.push({ scores: result.scores, truncated: result.truncated, ...(await factsOf(recogniser, source, trial)) });
  }
  await recogniser.close();
  return numbers;
}

async function factsOf<Source>(recogniser: Recogniser<Source>, source: Source, { timeline }: VideoTrial): Promise<VideoNumbers> {
  const { clips } = await recogniser.read(source);
  const info = await recogniser.facts(source);
  return { info, clip: [...clips.data], ...(timeline && { timeline: await recogniser.timeline(source, timeline) }) };
}
