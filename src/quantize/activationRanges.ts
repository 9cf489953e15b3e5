/** Runs a model on calibration clips: inner activations, and distance of its logits from reference logits. */

import { type OnnxModel, writeOnnx } from '../graph/onnx.js';
import { softmax } from '../metrics/softmax.js';
import type { NetworkConfig } from '../models/config.js';
import type { GraphRuntime, Session } from '../platform/graphRuntime.js';
import { clipInput, logitsOutput } from '../weights/onnxWeights.js';
import { Histogram } from './ranges.js';

/** A clip as the model takes it, [T, 3, S, S] with values 0 to 255. */
export type PixelClip = Float32Array;

export class ActivationRanges {
  constructor(
    private readonly engine: GraphRuntime,
    private readonly config: NetworkConfig,
    private readonly clips: readonly PixelClip[],
    private readonly signal?: AbortSignal,
  ) {}

  /** Value ranges of these tensors over all clips, in two passes: extremes, then histogram. */
  async histograms(model: OnnxModel, tensors: readonly string[]): Promise<Map<string, Histogram>> {
    const names = [...new Set(tensors)];
    const exposed = { ...model, outputs: [...model.outputs, ...names.map((name) => ({ name, type: 'float32' as const }))] };
    const ends = new Map(names.map((name) => [name, { low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY }]));
    await this.withSession(exposed, async (session) => {
      await this.eachClip(session, (values, name) => {
        const end = ends.get(name);
        if (!end) return;
        for (const value of values) {
          if (value < end.low) end.low = value;
          if (value > end.high) end.high = value;
        }
      });
    });
    const histograms = new Map([...ends].map(([name, { low, high }]) => [name, new Histogram(low, high)]));
    await this.withSession(exposed, (session) => this.eachClip(session, (values, name) => histograms.get(name)?.add(values)));
    return histograms;
  }

  /** [classes] for each of the first `count` clips. */
  async logits(model: OnnxModel, count = this.clips.length): Promise<Float32Array[]> {
    const all: Float32Array[] = [];
    await this.withSession(model, (session) =>
      this.eachClip(session, (values, name) => name === logitsOutput && all.push(values), count),
    );
    return all;
  }

  private async withSession(model: OnnxModel, use: (session: Session) => Promise<void>): Promise<void> {
    const session = await this.engine.load(writeOnnx(model), this.config.name, 'inference');
    try {
      await use(session);
    } finally {
      await session.release();
    }
  }

  private async eachClip(
    session: Session,
    see: (values: Float32Array, name: string) => void,
    count = this.clips.length,
  ): Promise<void> {
    const { frames, height, width } = this.config;
    for (const data of this.clips.slice(0, count)) {
      this.signal?.throwIfAborted();
      const outputs = await session.run<string>({ [clipInput]: { shape: [1, frames, 3, height, width], data } });
      for (const [name, { data: values }] of Object.entries(outputs)) see(values, name);
    }
  }
}

/** Distance of logits from those of the float model. */
export interface Distance {
  /** Kullback-Leibler divergence of the probabilities in nats, mean over the clips. */
  readonly divergence: number;
  /** Share of the clips whose first label is the same. */
  readonly agreement: number;
}

export function distance(of: readonly Float32Array[], from: readonly Float32Array[]): Distance {
  let [divergence, same] = [0, 0];
  from.forEach((logits, i) => {
    const [p, q] = [softmax(logits), softmax(of[i] ?? logits)];
    divergence += p.reduce((sum, value, k) => sum + (value > 0 ? value * Math.log(value / Math.max(q[k] ?? 0, 1e-12)) : 0), 0);
    same += Number(best(p) === best(q));
  });
  return { divergence: Math.max(divergence / from.length, 0), agreement: same / from.length };
}

const best = (scores: ArrayLike<number>): number =>
  Array.from(scores).reduce((most, value, i, all) => (value > (all[most] ?? 0) ? i : most), 0);
