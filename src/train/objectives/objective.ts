import type { ClipBatch, DataLoader } from '../../dataset/dataLoader.js';
import { videosOf } from '../../dataset/labelledVideos.js';
import { segmentName } from '../../dataset/videoPart.js';
import { ConfigError } from '../../errors.js';
import type { TrainJob } from '../job.js';
import { classFrequencies } from '../multiLabel.js';
import type { TrainSetup } from '../setup.js';
import type { TrainingSession } from '../trainingSession.js';
import { batchParts, semiSupervisedBatch } from './semiSupervised.js';
import { multiLabelBatch, type StepPosition, supervisedBatch, type TrainingBatch } from './supervised.js';
import { UnlabelledClips } from './unlabelledClips.js';

export interface Objective {
  /** Labelled clips a pass. */
  readonly labelledBatch: number;
  readonly makeBatch: (batch: ClipBatch, at: StepPosition) => Promise<TrainingBatch>;
}

/** Reads every unlabelled video once, if there are any, and gives the objective. */
export async function createObjective(
  job: TrainJob,
  start: TrainSetup,
  loader: DataLoader,
  session: TrainingSession,
): Promise<Objective> {
  const { config, options, unlabelled, data } = start;
  if (data.multiLabel) {
    const videos = videosOf(data, 'train');
    const facts = { videos, frequencies: classFrequencies(videos, config.classes) };
    return { labelledBatch: options.batch, makeBatch: async (batch, { pass }) => multiLabelBatch(batch, facts, options, pass) };
  }
  if (unlabelled.length === 0) {
    return { labelledBatch: options.batch, makeBatch: async (batch, { pass }) => supervisedBatch(batch, config, options, pass) };
  }
  const { onEvent = () => {}, signal } = job;
  const videos = unlabelled.map((part) => ({ ...part, name: segmentName(part.path, part.segment), labelIndex: -1 }));
  await loader.prepare(videos, { ...(signal && { signal }), onProgress: (done, of) => onEvent({ kind: 'reading', done, of }) });
  const usable = unlabelled.filter((part) => loader.isUsable(part));
  const parts = batchParts(options);
  if (usable.length < parts.unlabelled)
    throw new ConfigError(
      `--unlabelled: ${usable.length} videos do not fill the ${parts.unlabelled} of a pass; use a smaller --batch`,
    );
  onEvent({
    kind: 'note',
    message: `${usable.length} videos without labels: ${parts.unlabelled} of the ${options.batch} clips of a pass`,
  });
  const clips = new UnlabelledClips(loader.dataset, {
    ...{ videos: usable, count: parts.unlabelled, seed: options.seed },
    ...{ weak: { ...options.augment, operations: 0, randomErasing: 0, temporalWarp: 0 }, strong: options.strongAugment },
  });
  const semi = { config, options, session, unlabelled: clips };
  return { labelledBatch: parts.labelled, makeBatch: (batch, at) => semiSupervisedBatch(semi, batch, at) };
}
