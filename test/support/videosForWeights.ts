/** Small videos labelled by predictions, some wrongly, for calibration. */
import { join } from 'node:path';
import type { TestVideo } from '../../src/inference/evaluate.js';
import { loadRecogniser } from '../../src/inference/fileRecogniser.js';
import { makeVideo } from '../smallVideos.js';

export interface LabelledByWeights {
  readonly count: number;
  /** Every so many-th video has another label than the weights give it; 0 for none. */
  readonly wrongEvery: number;
}

export async function videosForWeights(
  folder: string,
  weights: string,
  { count, wrongEvery }: LabelledByWeights,
): Promise<TestVideo[]> {
  const paths = Array.from({ length: count }, (_, seed) => join(folder, `${seed}.mp4`));
  for (const [seed, path] of paths.entries()) makeVideo(path, { seed, frames: 8 });
  const recogniser = await loadRecogniser(weights, { threads: 1, workers: 1 });
  try {
    const videos: TestVideo[] = [];
    for await (const found of recogniser.recogniseMany(paths)) {
      if ('error' in found) throw found.error;
      const said = recogniser.labels.indexOf(found.predictions[0]?.label ?? '');
      const wrong = wrongEvery > 0 && videos.length % wrongEvery === 0;
      const label = recogniser.labels[(said + Number(wrong)) % recogniser.labels.length] ?? '';
      videos.push({ path: found.path, name: `${videos.length}.mp4`, label });
    }
    return videos;
  } finally {
    await recogniser.close();
  }
}
