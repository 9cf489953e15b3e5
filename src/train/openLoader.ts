import type { Preprocess } from '../clip/preprocess.js';
import { DataLoader } from '../dataset/dataLoader.js';
import type { TrainJob } from './job.js';
import type { TrainOptions } from './recipe/options.js';

type LoaderJob = Pick<TrainJob, 'workers' | 'decoder' | 'cacheFolder' | 'onEvent'>;

/** Reads a job's videos as `preprocess` says; what is left out is told as a warning. */
export function openLoader(
  { workers, decoder, cacheFolder, onEvent }: LoaderJob,
  preprocess: Preprocess,
  { augment, maxBadShare }: Pick<TrainOptions, 'maxBadShare'> & Partial<Pick<TrainOptions, 'augment'>>,
): DataLoader {
  return new DataLoader({
    ...{ preprocess, maxBadShare },
    ...(augment !== undefined && { augment }),
    ...(workers !== undefined && { workers }),
    ...(decoder !== undefined && { decoder }),
    ...(cacheFolder !== undefined && { cacheFolder }),
    onLeftOut: (_, { message }) => onEvent?.({ kind: 'warning', message: `left out: ${message}` }),
    onWarning: (message) => onEvent?.({ kind: 'warning', message }),
  });
}
