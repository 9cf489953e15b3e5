/**
 * A network with its weights, on engines: clip tensors -> logits. One engine for an answer as soon as can be, several for many
 * answers, each started when first needed, with two programs at most: for one clip and for a group. Knows no videos, no labels.
 */
import { pixelClips } from '../clip/pixelClips.js';
import { lower } from '../graph/lowering/lower.js';
import type { NetworkConfig } from '../models/config.js';
import { networkCost } from '../models/cost.js';
import { clipShape, type FlatWeights, inferenceGraph } from '../models/network.js';
import { blockSize } from '../runtime/blockSize.js';
import { type CoreShare, shareCores, threadsFor, type Use } from '../runtime/cores.js';
import { Engine, type EngineOptions, type Program, type TensorValue } from '../runtime/engine.js';
import { clipInput, type OnnxWeights } from '../weights/onnxFile.js';

/**
 * Below this many multiply-adds a view four clips at a time are quicker, a quarter at 0.1 G; more gain nothing, and larger
 * networks lose, because their features then leave the cache.
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
  private readonly shares: Readonly<Record<Use, CoreShare>>;
  private readonly engines: Readonly<Record<Use, LoadedNetwork[]>>;

  constructor(
    private readonly config: NetworkConfig,
    private readonly weights: FlatWeights | OnnxWeights,
    { threads, engines }: InferenceOptions = {},
  ) {
    const { macs } = networkCost(config);
    this.groupSize = macs < groupedMacs ? 4 : 1;
    this.shares = {
      latency: shareCores('latency', threads ?? threadsFor(macs)),
      throughput: shareCores('throughput', threads, engines),
    };
    const alike = this.shares.throughput.threads === this.shares.latency.threads;
    const quick: LoadedNetwork[] = [];
    this.engines = { latency: quick, throughput: alike ? quick : [] };
  }

  /** Runs that are worth having under way at once. */
  atOnce(use: Use): number {
    return this.shares[use].engines;
  }

  /** Makes one engine of this use ready, so that the first clips are not slower than the others. */
  async warmUp(use: Use = 'latency'): Promise<void> {
    await this.idle(use).warmUp(use === 'throughput' ? this.groupSize : 1);
  }

  /** Clips [T*B, 3, S, S] -> [B][classes]. `clips` is given away. */
  async logits(clips: Float32Array, count: number, use: Use = 'latency'): Promise<Float32Array[]> {
    const network = this.idle(use);
    const out: Float32Array[] = [];
    while (out.length < count) {
      const size = count - out.length >= this.groupSize ? this.groupSize : 1;
      out.push(...(await network.run(part(clips, this.config.frames, count, out.length, size), size)));
    }
    return out;
  }

  /** An engine with nothing to do, a new one while there may be more, or the one with the least to do. */
  private idle(use: Use): LoadedNetwork {
    const { engines, threads, spin } = this.shares[use];
    const made = this.engines[use];
    const best = made.toSorted((a, b) => a.underWay - b.underWay)[0];
    if (best && (best.underWay === 0 || made.length >= engines)) return best;
    const another = new LoadedNetwork(this.config, this.weights, { threads, spin });
    made.push(another);
    return another;
  }

  /** Ends the engines' threads and with them the programs. */
  async close(): Promise<void> {
    const all = new Set([...this.engines.latency, ...this.engines.throughput]);
    await Promise.all([...all].map((network) => network.close()));
  }
}

/** The network on one engine. */
class LoadedNetwork {
  /** Runs begun and not done. */
  underWay = 0;
  private readonly engine: Engine;
  private readonly programs = new Map<number, Promise<Program>>();

  constructor(
    private readonly config: NetworkConfig,
    private readonly weights: FlatWeights | OnnxWeights,
    options: EngineOptions,
  ) {
    this.engine = new Engine(options);
  }

  async warmUp(size: number): Promise<void> {
    const started = this.engine.setState({}); // the engine's thread starts while the graph is built here
    await Promise.all([started, this.program(size)]);
  }

  async run(data: Float32Array, size: number): Promise<Float32Array[]> {
    this.underWay++;
    try {
      const program = await this.program(size);
      const { logits } = await program.run<'logits'>(this.feeds(data, size), { move: true });
      const { classes } = this.config;
      return Array.from({ length: size }, (_, b) => logits.data.slice(b * classes, (b + 1) * classes));
    } finally {
      this.underWay--;
    }
  }

  /** What the network, or the model in a file, is given. */
  private feeds(data: Float32Array, size: number): Readonly<Record<string, TensorValue>> {
    const { config, weights } = this;
    if (!('model' in weights)) return { clips: { shape: clipShape(config, size), data } };
    const shape = [size, config.frames, 3, config.height, config.width];
    return { [clipInput]: { shape, data: pixelClips(data, size, weights.preprocess) } };
  }

  /** The model in a file takes any number of clips. */
  private program(size: number): Promise<Program> {
    const key = 'model' in this.weights ? 0 : size;
    const known = this.programs.get(key) ?? this.load(size);
    this.programs.set(key, known);
    return known;
  }

  private async load(size: number): Promise<Program> {
    const { config, weights, engine } = this;
    if ('model' in weights) return engine.load(weights.model.slice(), config.name, 'inference');
    const model = lower({ logits: inferenceGraph(config, weights, size) }, { block: await blockSize() });
    return engine.load(model, `${config.name}, ${size === 1 ? 'one clip' : `${size} clips`}`, 'inference');
  }

  close(): Promise<void> {
    return this.engine.close();
  }
}

/** Clips [from, from + size) of a batch, time outermost; the batch itself when they are all of it. */
function part(clips: Float32Array, frames: number, count: number, from: number, size: number): Float32Array {
  if (size === count) return clips;
  const image = clips.length / (frames * count);
  const out = new Float32Array(frames * size * image);
  for (let t = 0; t < frames; t++) {
    const start = (t * count + from) * image;
    out.set(clips.subarray(start, start + size * image), t * size * image);
  }
  return out;
}
