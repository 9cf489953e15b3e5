/**
 * A network fed frame by frame. Causal: each frame is computed once. Otherwise: a window per score, with the layers before the
 * first that mixes frames computed once per frame.
 */

import type { Graph } from '../graph/graph.js';
import { lower } from '../graph/lowering/lower.js';
import { streamGraph } from '../models/causalStream.js';
import type { NetworkConfig } from '../models/config.js';
import type { FlatWeights } from '../models/network.js';
import { slidingGraphs } from '../models/slidingWindow.js';
import type { GraphRuntime, Session } from '../platform/graphRuntime.js';
import { joined } from '../runtime/joined.js';

export interface FrameNetwork {
  /**
   * Frames [hop][3, S, S] -> logits [classes] of the window that ends with the last of them, zero-padded at the start of the
   * stream.
   */
  push(frames: readonly Float32Array[]): Promise<Float32Array>;
  /** Forgets all frames. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** The network for predictions every `hop` frames, on an engine that it closes with itself. */
export async function openFrameNetwork(
  config: NetworkConfig,
  weights: FlatWeights,
  hop: number,
  engine: GraphRuntime,
): Promise<FrameNetwork> {
  try {
    const open = config.causal ? causalNetwork : slidingNetwork;
    const network = await open(engine, config, weights, hop);
    await network.clear();
    return network;
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/** Frames per run of a causal network: a hop's, at most a clip's. */
function framesAtOnce(hop: number, frames: number): number {
  let count = Math.min(hop, frames);
  while (hop % count !== 0) count--;
  return count;
}

async function causalNetwork(
  engine: GraphRuntime,
  config: NetworkConfig,
  weights: FlatWeights,
  hop: number,
): Promise<FrameNetwork> {
  const count = framesAtOnce(hop, config.frames);
  const graph = lower(streamGraph(config, weights, count), await engine.target());
  const session = await engine.load(graph, `${config.name}, ${count} frames`, 'inference');
  const shape = [count, 3, config.height, config.width];
  return {
    push: async (frames) => {
      let logits: Float32Array = new Float32Array();
      for (let from = 0; from < frames.length; from += count) {
        const data = joined(frames.slice(from, from + count));
        logits = (await session.run<'logits'>({ frames: { shape, data } }, { move: true })).logits.data;
      }
      return logits;
    },
    clear: () => session.clear(),
    close: () => engine.close(),
  };
}

async function slidingNetwork(engine: GraphRuntime, config: NetworkConfig, weights: FlatWeights): Promise<FrameNetwork> {
  const graphs = slidingGraphs(config, weights);
  const target = await engine.target();
  const load = (graph: Graph, what: string): Promise<Session> =>
    engine.load(lower(graph, target), `${config.name}, ${what}`, 'inference');
  const [front, window] = [await load(graphs.front, 'one frame'), await load(graphs.window, 'one window')];
  const shape = [3, config.height, config.width];
  return {
    push: async (frames) => {
      const taken = frames.map((data) => front.run({ frame: { shape, data } }, { move: true }));
      const [{ logits }] = await Promise.all([window.run<'logits'>({}), ...taken]);
      return logits.data;
    },
    clear: () => front.clear(),
    close: () => engine.close(),
  };
}
