/**
 * A network with its weights, on an engine: clip tensors -> logits. Two programs at most, for one clip and for a group, each built
 * when first needed. Knows no videos and no labels.
 */
import { lower } from '../graph/lowering/lower.js';
import type { NetworkConfig } from '../models/config.js';
import { networkCost } from '../models/cost.js';
import { clipShape, type FlatWeights, inferenceGraph } from '../models/network.js';
import { blockSize } from '../runtime/blockSize.js';
import { Engine, type EngineOptions, type Program } from '../runtime/engine.js';

/**
 * Below this many multiply-adds a view four clips at a time are quicker, a quarter for vmf-0.1g; more gain nothing, and larger
 * networks lose, because their features then leave the cache.
 */
const groupedMacs = 2e8;

export class Inference {
  /** Clips that go through the network together where there are several. */
  readonly groupSize: number;
  private readonly engine: Engine;
  private readonly programs = new Map<number, Promise<Program>>();

  constructor(
    private readonly config: NetworkConfig,
    private readonly weights: FlatWeights,
    options: EngineOptions,
  ) {
    this.groupSize = networkCost(config).macs < groupedMacs ? 4 : 1;
    this.engine = new Engine(options);
  }

  get threads(): number {
    return this.engine.threads;
  }

  /** Builds the program for one clip, so that the first clip is not slower than the others. */
  async warmUp(): Promise<void> {
    const started = this.engine.setState({}); // the engine's thread starts while the graph is built here
    await Promise.all([started, this.program(1)]);
  }

  /** Clips [T*B, 3, S, S] -> [B][classes]. `clips` is given away. */
  async logits(clips: Float32Array, count: number): Promise<Float32Array[]> {
    const out: Float32Array[] = [];
    while (out.length < count) {
      const size = count - out.length >= this.groupSize ? this.groupSize : 1;
      out.push(...(await this.run(part(clips, this.config.frames, count, out.length, size), size)));
    }
    return out;
  }

  private async run(data: Float32Array, size: number): Promise<Float32Array[]> {
    const program = await this.program(size);
    const { logits } = await program.run<'logits'>({ clips: { shape: clipShape(this.config, size), data } }, { move: true });
    const { classes } = this.config;
    return Array.from({ length: size }, (_, b) => logits.data.slice(b * classes, (b + 1) * classes));
  }

  private program(size: number): Promise<Program> {
    const known = this.programs.get(size) ?? this.load(size);
    this.programs.set(size, known);
    return known;
  }

  private async load(size: number): Promise<Program> {
    const graph = { logits: inferenceGraph(this.config, this.weights, size) };
    const model = lower(graph, { block: await blockSize() });
    return this.engine.load(model, `${this.config.name}, ${size === 1 ? 'one clip' : `${size} clips`}`, 'inference');
  }

  /** Ends the engine's thread and with it the programs. */
  close(): Promise<void> {
    return this.engine.close();
  }
}

/** Batches [T*Bi, 3, S, S] side by side as one, [T*B, 3, S, S]; the only one as it is. */
export function joined(
  batches: readonly { readonly clips: Float32Array; readonly count: number }[],
  frames: number,
): Float32Array {
  const [first] = batches;
  if (first !== undefined && batches.length === 1) return first.clips;
  const out = new Float32Array(batches.reduce((sum, { clips }) => sum + clips.length, 0));
  let at = 0;
  for (let t = 0; t < frames; t++) {
    for (const { clips } of batches) {
      const length = clips.length / frames;
      out.set(clips.subarray(t * length, (t + 1) * length), at);
      at += length;
    }
  }
  return out;
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
