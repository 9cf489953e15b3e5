/**
 * Runs a network: clip tensors -> logits. One engine for latency, several for throughput, each started on first use, with at most
 * two sessions: for one clip and for a group.
 */

import { asTensor, type ClipTensor, takeClips } from '../clip/clipTensor.js';
import { pixelClips } from '../clip/pixelClips.js';
import { lower } from '../graph/lowering/lower.js';
import type { NetworkConfig } from '../models/config.js';
import { networkCost } from '../models/cost.js';
import { type FlatWeights, inferenceGraph } from '../models/network.js';
import { isOnnxEncoder } from '../models/onnxEncoder.js';
import type { GraphRuntime, Session, TensorValue } from '../platform/graphRuntime.js';
import type { Platform } from '../platform/platform.js';
import { allocateThreads, type Mode, type ThreadAllocation, threadsFor } from '../runtime/cores.js';
import { clipInput, type OnnxWeights, type Readout } from '../weights/onnxWeights.js';
import { OnnxFeatures, readoutLogits } from './onnxFeatures.js';

/**
 * Below this many multiply-adds a view four clips at a time are faster, by a quarter at 0.1 G; more gain nothing, and larger
 * networks lose, as their features leave the cache.
 */
const groupedMacs = 2e8;

export interface InferenceOptions {
  /** Threads of the network in all; by default as `runtime/cores.ts` shares the machine out. */
  readonly threads?: number | undefined;
  /** Engines among which they are shared for many clips. */
  readonly engines?: number | undefined;
}

export class Inference {
  /** Clips that go through the network together where there are several. */
  readonly groupSize: number;
  private readonly shares: Readonly<Record<Mode, ThreadAllocation>>;
  private readonly engines: Readonly<Record<Mode, LoadedNetwork[]>>;

  constructor(
    private readonly config: NetworkConfig,
    private readonly weights: FlatWeights | OnnxWeights,
    private readonly platform: Platform,
    { threads, engines }: InferenceOptions = {},
  ) {
    const { macs } = networkCost(config);
    this.groupSize = macs < groupedMacs ? 4 : 1;
    this.shares = {
      latency: allocateThreads('latency', threads ?? threadsFor(macs, platform.cores)),
      throughput: allocateThreads('throughput', threads ?? platform.cores, engines),
    };
    const alike = this.shares.throughput.threads === this.shares.latency.threads;
    const quick: LoadedNetwork[] = [];
    this.engines = { latency: quick, throughput: alike ? quick : [] };
  }

  /** Number of runs to keep in progress. */
  atOnce(mode: Mode): number {
    return this.shares[mode].engines;
  }

  /** Starts an engine of this mode, so that the first clips are not slower than the others. */
  async warmUp(mode: Mode = 'latency'): Promise<void> {
    await this.idle(mode).warmUp(mode === 'throughput' ? this.groupSize : 1);
  }

  /** -> [B][classes]. `clips` is given away. */
  async logits(clips: ClipTensor, mode: Mode = 'latency'): Promise<Float32Array[]> {
    const network = this.idle(mode);
    const out: Float32Array[] = [];
    while (out.length < clips.count) {
      const size = clips.count - out.length >= this.groupSize ? this.groupSize : 1;
      out.push(...(await network.run(takeClips(clips, out.length, size))));
    }
    return out;
  }

  /** An engine with nothing to do, a new one while there may be more, or the one with the least to do. */
  private idle(mode: Mode): LoadedNetwork {
    const { engines, threads, spin } = this.shares[mode];
    const made = this.engines[mode];
    const best = made.toSorted((a, b) => a.underWay - b.underWay)[0];
    if (best && (best.underWay === 0 || made.length >= engines)) return best;
    const another = new LoadedNetwork(this.config, this.weights, this.platform.openRuntime({ threads, spin }));
    made.push(another);
    return another;
  }

  /** Ends the engines' threads and with them the sessions. */
  async close(): Promise<void> {
    const all = new Set([...this.engines.latency, ...this.engines.throughput]);
    await Promise.all([...all].map((network) => network.close()));
  }
}

class LoadedNetwork {
  /** Runs in progress. */
  underWay = 0;
  private readonly sessions = new Map<number, Promise<Session>>();
  private encoder: Promise<OnnxFeatures> | undefined;

  constructor(
    private readonly config: NetworkConfig,
    private readonly weights: FlatWeights | OnnxWeights,
    private readonly engine: GraphRuntime,
  ) {}

  async warmUp(size: number): Promise<void> {
    const started = this.engine.setState({}); // the engine's thread starts while the graph is built here
    await Promise.all([started, this.readout ? this.frozen() : this.session(size)]);
  }

  async run(clips: ClipTensor): Promise<Float32Array[]> {
    this.underWay++;
    try {
      const { readout } = this;
      if (readout) return (await (await this.frozen()).rows(clips)).map((row) => readoutLogits(row, readout));
      const session = await this.session(clips.count);
      const { logits } = await session.run<'logits'>(this.feeds(clips), { move: true });
      const { classes } = this.config;
      return Array.from({ length: clips.count }, (_, b) => logits.data.slice(b * classes, (b + 1) * classes));
    } finally {
      this.underWay--;
    }
  }

  private get readout(): Readout | undefined {
    return 'model' in this.weights ? this.weights.readout : undefined;
  }

  /** A network of other origin, whose features the readout reads. */
  private frozen(): Promise<OnnxFeatures> {
    const { config, weights, engine } = this;
    if (!('model' in weights && isOnnxEncoder(config))) throw new TypeError(`${config.name}: no frozen network`);
    const { name: where, output, frames, height, width } = config;
    this.encoder ??= OnnxFeatures.load(engine, weights.model, { where, output, frames, height, width });
    return this.encoder;
  }

  /** Inputs of the network or of the model in a file. */
  private feeds(clips: ClipTensor): Readonly<Record<string, TensorValue>> {
    const { weights } = this;
    if (!('model' in weights)) return { clips: asTensor(clips) };
    const { count, frames, height, width } = clips;
    return { [clipInput]: { shape: [count, frames, 3, height, width], data: pixelClips(clips, weights.preprocess) } };
  }

  /** The model in a file takes any number of clips. */
  private session(size: number): Promise<Session> {
    const key = 'model' in this.weights ? 0 : size;
    const known = this.sessions.get(key) ?? this.load(size);
    this.sessions.set(key, known);
    return known;
  }

  private async load(size: number): Promise<Session> {
    const { config, weights, engine } = this;
    if ('model' in weights) return engine.load(weights.model.slice(), config.name, 'inference');
    const model = lower({ outputs: { logits: inferenceGraph(config, weights, size) } }, await engine.target());
    return engine.load(model, `${config.name}, ${size === 1 ? 'one clip' : `${size} clips`}`, 'inference');
  }

  close(): Promise<void> {
    return this.engine.close();
  }
}
