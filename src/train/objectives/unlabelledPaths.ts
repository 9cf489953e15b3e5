import { videosBelow } from '../../dataset/folders.js';
import type { LabelledVideos } from '../../dataset/labelledVideos.js';
import { DatasetError, systemCode } from '../../errors.js';

/**
 * Videos without labels that a run learns from, by path. DatasetError when the folder has none, or has videos kept for testing.
 */
export function unlabelledPaths(folder: string | undefined, data: LabelledVideos): readonly string[] {
  if (folder === undefined) return [];
  let paths: readonly string[];
  try {
    paths = videosBelow(folder).paths;
  } catch (error) {
    throw new DatasetError(`--unlabelled: ${folder}: cannot be read: ${systemCode(error) ?? String(error)}`);
  }
  if (paths.length === 0) throw new DatasetError(`--unlabelled: ${folder}: no videos in it`);
  const kept = new Map(data.videos.filter(({ split }) => split !== 'train').map((video) => [video.path, video]));
  const shown = paths.map((path) => kept.get(path)).find((video) => video !== undefined);
  if (shown) throw new DatasetError(`--unlabelled: ${shown.path} is in split "${shown.split}", which training must not see`);
  return paths;
}
