import type { ClipTensor } from '../../clip/clipTensor.js';
import type { Preprocess } from '../../clip/preprocess.js';
import type { ClipBatch, DataLoader } from '../../dataset/dataLoader.js';
import type { LabelledVideo } from '../../dataset/labelledVideos.js';
import { ConfigError } from '../../errors.js';
import type { NetworkConfig } from '../../models/config.js';
import { type FlatWeights, initialWeights } from '../../models/network.js';
import type { GraphRuntime } from '../../platform/graphRuntime.js';
import { Rng } from '../../rng.js';
import { type Checkpoint, transferWeights } from '../../weights/checkpoint.js';
import { encoderFile, type NetworkFacts } from '../../weights/onnxWeights.js';
import type { TrainJob } from '../job.js';
import type { RunFolder } from '../runFolder/runFolder.js';
import type { TrainSetup } from '../setup.js';
import type { FeatureSource } from './featureSource.js';
import type { ProbeFit } from './fitProbe.js';
import { FrozenFeatures, seenStatistics } from './frozenFeatures.js';
import type { OnnxEncoder } from './onnxEncoder.js';

/** What is stored beside the weights. */
export type StoredFacts = Omit<NetworkFacts, 'config'>;

/** The network that a linear probe reads, and how it is stored with the readout. */
export interface FrozenNetwork {
  readonly config: NetworkConfig;
  readonly preprocess: Preprocess;
  /** What the weights are from, a path or name; absent for random ones. */
  readonly init?: string | undefined;
  /** Reserves the space that `save` needs and loads the network. Random weights get statistics from clips of these videos. */
  open(loader: DataLoader, videos: readonly LabelledVideo[], facts: StoredFacts): Promise<FeatureSource>;
  /** Writes the network with a readout. -> its path */
  save(facts: StoredFacts, fit: ProbeFit): Promise<string>;
}

/** Clips a run, also for the statistics of random networks. */
const batch = 8;
const statisticsBatches = 4;

/** A network of this program, by its weights or random. */
export class OwnNetwork implements FrozenNetwork {
  readonly config: NetworkConfig;
  private weights: FlatWeights | undefined;

  constructor(
    private readonly job: Pick<TrainJob, 'signal'>,
    private readonly start: TrainSetup,
    private readonly engine: GraphRuntime,
    private readonly folder: RunFolder,
  ) {
    const { config } = start;
    if (config.causal)
      throw new ConfigError(
        `${config.name}: the baseline reads whole clips, which a causal network has not; use another --model`,
      );
    this.config = { ...config, readout: 'multilevel' };
  }

  get preprocess(): Preprocess {
    return this.start.preprocess;
  }

  get init(): string | undefined {
    return this.start.init;
  }

  async open(loader: DataLoader, videos: readonly LabelledVideo[], facts: StoredFacts): Promise<FeatureSource> {
    const weights = await this.frozenWeights(loader, videos, facts);
    this.weights = weights;
    await this.folder.reserveFor(this.checkpoint(facts, weights));
    return FrozenFeatures.load(this.engine, this.config, weights, batch);
  }

  async save(facts: StoredFacts, fit: ProbeFit): Promise<string> {
    if (!this.weights) throw new TypeError('a frozen network is saved before it is opened');
    const checkpoint = this.checkpoint(facts, withReadout(this.weights, fit));
    await this.folder.saveBest(checkpoint);
    await this.folder.saveLast(checkpoint);
    return this.folder.bestPath;
  }

  /** The initial weights with the readout; random ones with statistics from training clips. */
  private async frozenWeights(loader: DataLoader, videos: readonly LabelledVideo[], facts: StoredFacts): Promise<FlatWeights> {
    const { config, start, engine } = this;
    const { seed } = start.options;
    const weights = initialWeights(config, new Rng([seed, 'weights']));
    transferWeights(config, weights, { ...this.checkpoint(facts, start.weights), config: start.config }, false, 'the network');
    if (this.init !== undefined) return weights;
    const size = Math.min(batch, videos.length);
    const batches = loader.batches(videos, { batch: size, train: true, seed: seed + 1 });
    return { ...weights, statistics: await seenStatistics(engine, config, weights, size, this.firstOf(batches)) };
  }

  private async *firstOf(batches: AsyncIterable<Pick<ClipBatch, 'clips'>>): AsyncGenerator<ClipTensor> {
    let left = statisticsBatches;
    for await (const { clips } of batches) {
      this.job.signal?.throwIfAborted();
      yield clips;
      if (--left === 0) return;
    }
  }

  private checkpoint(facts: StoredFacts, { parameters, statistics }: FlatWeights): Checkpoint {
    return { ...facts, config: this.config, parameters, statistics };
  }
}

/** The readout declares the last two parameters, weights and bias, and the last two statistics, mean and deviation. */
export function withReadout({ parameters, statistics }: FlatWeights, { standardised }: ProbeFit): FlatWeights {
  const { weights, bias, mean, deviation } = standardised;
  return { parameters: endingWith(parameters, weights, bias), statistics: endingWith(statistics, mean, deviation) };
}

function endingWith(values: Float32Array, ...ends: readonly Float32Array[]): Float32Array {
  const out = values.slice();
  let at = out.length - ends.reduce((sum, end) => sum + end.length, 0);
  for (const end of ends) {
    out.set(end, at);
    at += end.length;
  }
  return out;
}

/** An ONNX network of other origin; the file that is written is the same one with the readout in its metadata. */
export class ForeignNetwork implements FrozenNetwork {
  constructor(
    private readonly encoder: OnnxEncoder,
    private readonly folder: RunFolder,
  ) {}

  get config(): NetworkConfig {
    return this.encoder.config;
  }

  get preprocess(): Preprocess {
    return this.encoder.preprocess;
  }

  get init(): string {
    return this.encoder.path;
  }

  async open(): Promise<FeatureSource> {
    return this.encoder.source;
  }

  save(facts: StoredFacts, fit: ProbeFit): Promise<string> {
    const { config, encoder } = this;
    return this.folder.saveModel(encoderFile({ ...facts, config }, encoder.model, fit));
  }
}
