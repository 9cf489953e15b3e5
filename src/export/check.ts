/** Checks an exported model's logits in ONNX Runtime: single clips, and a batch of three to reveal mixed-up batches. */

import { asTensor, type ClipTensor, emptyClips } from '../clip/clipTensor.js';
import { pixelClips } from '../clip/pixelClips.js';
import { WeightsError } from '../errors.js';
import { lower } from '../graph/lowering/lower.js';
import type { NetworkConfig } from '../models/config.js';
import { type FlatWeights, inferenceGraph } from '../models/network.js';
import type { GraphRuntime } from '../platform/graphRuntime.js';
import { Rng } from '../rng.js';
import { clipInput, logitsOutput, type NetworkFacts } from '../weights/onnxWeights.js';

export interface ModelCheck {
  /** Largest difference of a logit, over both batches. */
  readonly largestDifference: number;
  /** Largest logit, without its sign. */
  readonly largestLogit: number;
}

/** Logits may differ by this share of the largest when both sides compute in float32. */
export const floatTolerance = 1e-4;

/** Clips of a check. */
export const checkedClips = 3;

/** Clips and what should come of them. */
export interface Expected {
  /** [3, T, 3, S, S], 0 to 255. */
  readonly pixels: Float32Array;
  /** [3, classes]. */
  readonly logits: Float32Array;
}

/** Runs a model on three clips together and on the first alone. WeightsError when logits are off by more than a share of the largest. */
export async function checkModel(
  config: NetworkConfig,
  model: Uint8Array<ArrayBuffer>,
  { pixels, logits }: Expected,
  engine: GraphRuntime,
  tolerance: number,
): Promise<ModelCheck> {
  const session = await engine.load(model.slice(), `${config.name}, the model made`, 'inference');
  try {
    const run = async (data: Float32Array, count: number) => {
      const shape = [count, config.frames, 3, config.height, config.width];
      return (await session.run<'logits'>({ [clipInput]: { shape, data } }))[logitsOutput].data;
    };
    const together = await run(pixels, checkedClips);
    const alone = await run(pixels.slice(0, pixels.length / checkedClips), 1);
    const first = logits.slice(0, config.classes);
    return withinTolerance(config.name, [compared(together, logits), compared(alone, first)], tolerance);
  } finally {
    await session.release();
  }
}

/** The worst of some comparisons; a WeightsError when it is too far off. */
export function withinTolerance(name: string, checks: readonly ModelCheck[], tolerance: number): ModelCheck {
  const largestDifference = Math.max(...checks.map((check) => check.largestDifference));
  const largestLogit = Math.max(...checks.map((check) => check.largestLogit));
  if (largestDifference <= tolerance * largestLogit) return { largestDifference, largestLogit };
  throw new WeightsError(
    `${name}: what was made answers differently: logits differ by ${largestDifference.toPrecision(3)}, the largest being ${largestLogit.toPrecision(3)}; nothing was written`,
  );
}

/** Largest difference of logits; infinite where one is not finite. */
export function compared(logits: Float32Array, expected: Float32Array): ModelCheck {
  const largestDifference = expected.reduce((most, value, i) => {
    const gap = Math.abs(value - (logits[i] ?? Number.NaN));
    return Number.isFinite(gap) ? Math.max(most, gap) : Number.POSITIVE_INFINITY;
  }, 0);
  return { largestDifference, largestLogit: expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0) };
}

/** Three made-up clips and the network's own logits for them. */
export async function expectedOf(network: NetworkFacts & FlatWeights, engine: GraphRuntime): Promise<Expected> {
  const { config, preprocess } = network;
  const clips = patternedClips(config);
  const graph = { outputs: { logits: inferenceGraph(config, network, checkedClips) } };
  const session = await engine.load(lower(graph, await engine.target()), config.name, 'inference');
  try {
    const { logits } = await session.run<'logits'>({ clips: asTensor(clips) });
    return { pixels: pixelClips(clips, preprocess), logits: logits.data };
  } finally {
    await session.release();
  }
}

/** Three normalised clips of random coarse blocks, new in each frame. */
function patternedClips({ frames, height, width }: NetworkConfig): ClipTensor {
  const rng = new Rng(['check of a model']);
  const coarse = Float32Array.from({ length: 8 * 8 * 3 * frames * checkedClips }, () => rng.uniform(-2, 2));
  const clips = emptyClips(checkedClips, { frames, height, width });
  clips.data.forEach((_, i) => {
    const [x, y, plane] = [i % width, Math.floor(i / width) % height, Math.floor(i / (height * width))];
    clips.data[i] = coarse[plane * 64 + Math.floor((8 * y) / height) * 8 + Math.floor((8 * x) / width)] ?? 0;
  });
  return clips;
}
