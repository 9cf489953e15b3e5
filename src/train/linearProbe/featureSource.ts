import type { ClipTensor } from '../../clip/clipTensor.js';
import type { DataLoader } from '../../dataset/dataLoader.js';
import type { LabelledVideo } from '../../dataset/labelledVideos.js';
import { targetsOf } from '../../dataset/labelSets.js';
import { joined } from '../../runtime/joined.js';
import type { ClipFeatures } from './fitProbe.js';

/** Features of clips by a frozen network, whatever runs it. */
export interface FeatureSource {
  /** Most clips at once. */
  readonly batch: number;
  /** Ascending numbers of first features that may do without the others; the last is D. Absent: all are used. */
  readonly widths?: readonly number[];
  /** Widths of blocks of features that count alike, however wide they are; they add up to D. Absent: one block. */
  readonly blocks?: readonly number[];
  /** Features [B, D] of at most `batch` clips, which are given away. */
  of(clips: ClipTensor): Promise<Float32Array>;
}

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (done: number, of: number) => void;
}

/** Features of the clip of each video that is seen in testing, in the order of the videos, and what is true of them. */
export async function featuresOfVideos(
  source: FeatureSource,
  loader: DataLoader,
  videos: readonly LabelledVideo[],
  classes: number,
  { signal, onProgress }: ReadOptions = {},
): Promise<ClipFeatures> {
  const all: ClipFeatures[] = [];
  const numbers: number[] = [];
  let done = 0;
  for await (const { clips, labels, videos: seen } of loader.batches(videos, {
    batch: source.batch,
    train: false,
    ...(signal && { signal }),
  })) {
    const { count } = clips;
    all.push({ features: await source.of(clips), labels });
    numbers.push(...seen);
    done += count;
    onProgress?.(done, videos.length);
  }
  return { ...joinedClips(all), targets: targetsOf(videos, numbers, classes) };
}

function joinedClips(parts: readonly ClipFeatures[]): ClipFeatures {
  return {
    features: joined(parts.map(({ features }) => features)),
    labels: Int32Array.from(parts.flatMap(({ labels }) => [...labels])),
  };
}
