/**
 * Features of clips for a readout (see models/multilevelReadout.ts), and the batch-norm statistics that random weights need.
 */

import { asTensor, type ClipTensor, padClips } from '../../clip/clipTensor.js';
import { ShapeError } from '../../errors.js';
import { lower } from '../../graph/lowering/lower.js';
import type { NetworkConfig } from '../../models/config.js';
import { type FlatWeights, type Intermediates, inferenceGraph, inventoryOf, readoutWidths } from '../../models/network.js';
import type { GraphRuntime, Session } from '../../platform/graphRuntime.js';
import { PreciseBatchNorm } from '../preciseBatchNorm.js';
import { defaultStep } from '../step.js';
import { TrainingSession } from '../trainingSession.js';
import type { FeatureSource } from './featureSource.js';

export class FrozenFeatures implements FeatureSource {
  private constructor(
    private readonly session: Session,
    readonly batch: number,
    readonly blocks: readonly number[],
  ) {}

  /** A network with a readout on an engine, for `batch` clips a run. */
  static async load(engine: GraphRuntime, config: NetworkConfig, weights: FlatWeights, batch: number): Promise<FrozenFeatures> {
    const keep: Intermediates = new Map();
    inferenceGraph(config, weights, batch, { keep });
    const features = keep.get('readout');
    if (!features) throw new ShapeError(`${config.name}: has no linear readout`);
    const model = lower({ outputs: { features } }, await engine.target());
    const session = await engine.load(model, `${config.name}, features`, 'inference');
    return new FrozenFeatures(session, batch, readoutWidths(config));
  }

  close(): Promise<void> {
    return this.session.release();
  }

  async of(clips: ClipTensor): Promise<Float32Array> {
    const { batch } = this;
    const feeds = { clips: asTensor(padClips(clips, batch)) };
    const { features } = await this.session.run<'features'>(feeds, { move: true });
    return features.data.slice(0, (features.data.length / batch) * clips.count);
  }
}

/** Batch-norm statistics over these batches of `batch` clips, which are given away. */
export async function seenStatistics(
  engine: GraphRuntime,
  config: NetworkConfig,
  { parameters, statistics }: FlatWeights,
  batch: number,
  batches: AsyncIterable<ClipTensor>,
): Promise<Float32Array> {
  const session = new TrainingSession(engine, config, { ...defaultStep, clips: batch });
  const none = new Float32Array(0);
  await session.setWeights({ parameters, statistics, expAvg: none, expAvgSq: none });
  const estimate = new PreciseBatchNorm(inventoryOf(config).statistics);
  for await (const clips of batches) estimate.add(await session.statistics(clips));
  return estimate.result();
}
