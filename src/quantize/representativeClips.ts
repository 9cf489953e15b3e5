import { testViews } from '../clip/clipView.js';
import { pixelClips } from '../clip/pixelClips.js';
import type { Preprocess } from '../clip/preprocess.js';
import { FileClipReader } from '../dataset/clipReader.js';
import type { LabelledVideos } from '../dataset/labelledVideos.js';
import { orderedMap } from '../dataset/orderedMap.js';
import type { VideoPart } from '../dataset/videoPart.js';
import { DatasetError } from '../errors.js';
import type { DecoderChoice } from '../video/types.js';
import type { PixelClip } from './activationRanges.js';

export interface RepresentativeClips {
  readonly calibrate: readonly PixelClip[];
  /** Others, of the same set; empty when there are none. */
  readonly check: readonly PixelClip[];
}

export interface ReadingOptions {
  readonly decoder?: DecoderChoice;
  readonly onProgress?: (what: string, done: number, of: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** At most `clips` to calibrate on and as many others, of the training split where there is one. Rejects when one cannot be read. */
export async function readRepresentativeClips(
  data: LabelledVideos,
  preprocess: Preprocess,
  clips: number,
  { decoder = 'auto', onProgress = () => {}, signal }: ReadingOptions = {},
): Promise<RepresentativeClips> {
  const train = data.videos.filter(({ split }) => split === 'train');
  const videos = spread(train.length > 0 ? train : data.videos, 2 * clips);
  if (videos.length === 0) throw new DatasetError(`${data.root}: no video to calibrate on`);
  const reader = new FileClipReader(preprocess, { decoder });
  const read: PixelClip[] = [];
  const one = async (video: VideoPart, leaving: AbortSignal): Promise<PixelClip> => {
    const { clips } = await reader.clips(video, testViews(), { signal: leaving });
    if (clips === undefined) throw new RangeError(`${video.path}: nothing was decoded`);
    return pixelClips(clips, preprocess);
  };
  try {
    for await (const [, outcome] of orderedMap(videos, reader.workers + 2, one, signal)) {
      if ('error' in outcome) throw outcome.error;
      read.push(outcome.value);
      onProgress('clips', read.length, videos.length);
    }
  } finally {
    await reader.close();
  }
  const few = read.length < 4; // too few to hold any out
  return { calibrate: read.filter((_, i) => few || i % 2 === 0), check: read.filter((_, i) => !few && i % 2 === 1) };
}

/** Evenly spaced, hence over all classes of class folders. */
function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]).filter(
    (item) => item !== undefined,
  );
}
