/** One way of learning from one draw, and how much of the test videos it gets right. */

import { join } from 'node:path';
import type { LabelledVideo } from '../../src/dataset/labelledVideos.js';
import type { NetworkConfig } from '../../src/models/config.js';
import { trainLinearProbe } from '../../src/train/linearProbe/linearProbe.js';
import type { TrainChoices } from '../../src/train/recipe/options.js';
import { type TrainJob, type TrainSummary, train } from '../../src/train/train.js';
import { inTemporaryFolder, metricsOn } from '../trainAndTest.js';
import type { Draws } from './draws.js';
import type { Run, RunKey } from './resultsFile.js';

export interface RunParts {
  readonly draws: Draws;
  readonly test: readonly LabelledVideo[];
  readonly startSec: number;
  /** `init` of the frozen and the tuned network. */
  readonly init: string | undefined;
  /** The network from scratch. */
  readonly model: string | NetworkConfig;
  /** Options of training other than `vmf train`'s own. */
  readonly choices?: TrainChoices;
  readonly cacheFolder?: string | false;
}

type Figures = Pick<Run, 'trainClips' | 'valClips' | 'correct' | 'testClips' | 'seconds'>;

/** Trains in a temporary folder and tests what `vmf train` calls best. */
export const oneRun = (key: RunKey, parts: RunParts): Promise<Figures> =>
  inTemporaryFolder(async (folder) => {
    const start = performance.now();
    const { trainVideos, valVideos, bestPath } = await learn(key, parts, join(folder, 'run'));
    const [metrics] = await metricsOn(bestPath, [parts.test], {}, { threads: 1, workers: 1 });
    const { correct = 0, count = 0 } = metrics ?? {};
    const seconds = Math.round((performance.now() - start) / 100) / 10;
    return { trainClips: trainVideos, valClips: valVideos, correct, testClips: count, seconds };
  });

/**
 * The draw's number is the seed of training too. A frozen network's classifier chooses by leaving clips out and learns from all of them; the
 * others validate on a part of them, where `vmf train` would.
 */
function learn({ kind, count, draw }: RunKey, parts: RunParts, out: string): Promise<TrainSummary> {
  const { draws, startSec, init, model, choices, cacheFolder } = parts;
  const cache = cacheFolder === undefined ? {} : { cacheFolder };
  const common = { out, preprocess: { startSec }, threads: 1, workers: 1, ...cache } as const;
  const start = init === undefined ? {} : { init };
  if (kind === 'frozen')
    return trainLinearProbe({ ...common, ...start, data: draws.dataset(count, draw, 'none'), options: { seed: draw } });
  const job: TrainJob = { ...common, data: draws.dataset(count, draw, 'carved'), options: { ...choices, seed: draw } };
  return train(kind === 'scratch' ? { ...job, init: 'none', model } : { ...job, ...start });
}
