/** The benchmarked network with random weights, so that no path is dead. */

import { clipsFrom } from '../src/clip/clipTensor.js';
import { sizeOf } from '../src/graph/shape.js';
import type { NetworkConfig } from '../src/models/config.js';
import { clipShape, type FlatWeights, inventoryOf } from '../src/models/network.js';
import { networkConfig } from '../src/models/registry.js';
import { initialValues, type VariableSpec } from '../src/models/variables.js';
import type { GraphRuntime } from '../src/platform/graphRuntime.js';
import { Rng } from '../src/rng.js';
import { defaultStep, smoothedTargets } from '../src/train/step.js';
import { TrainingSession } from '../src/train/trainingSession.js';

/** The 52M layout on 8 frames of 112 pixels, every depthwise kernel 3 long in time. */
export const comparedConfig = (classes = 400): NetworkConfig =>
  networkConfig('mobile-former-52m', { frames: 8, height: 112, width: 112, temporal: 'all', classes });

/**
 * First values are special (zero biases, gates at 1, dynamic ReLUs like ReLUs), so they are disturbed: linear weights get the
 * deviation 0.7 / sqrt(in), everything that begins at one value a spread of 0.2.
 */
export function genericParameters(specs: readonly VariableSpec[], seed: string): Float32Array {
  const disturbed = specs.map((spec): VariableSpec => {
    if (spec.shape.length !== 2 || spec.name === 'tokens') return spec;
    return { ...spec, init: { normal: 0.7 / Math.sqrt(spec.shape[1] ?? 1) } };
  });
  const values = initialValues(disturbed, new Rng([seed, 'parameters']));
  const rng = new Rng([seed, 'disturbance']);
  let at = 0;
  for (const { shape, init } of disturbed) {
    const end = at + sizeOf(shape);
    if ('value' in init) for (let i = at; i < end; i++) values[i] = (values[i] ?? 0) + rng.normal(0, 0.2);
    at = end;
  }
  return values;
}

/** Normally distributed numbers, as normalised pixels about are. [T*B, 3, S, S] */
export function randomClips(config: NetworkConfig, clips: number, seed: string): Float32Array {
  const rng = new Rng([seed, 'clips']);
  return Float32Array.from({ length: sizeOf(clipShape(config, clips)) }, () => rng.normal(0, 1));
}

export function randomTargets(config: NetworkConfig, clips: number, seed: string): Float32Array {
  const rng = new Rng([seed, 'labels']);
  const labels = Int32Array.from({ length: clips }, () => rng.integer(config.classes));
  return smoothedTargets(labels, config.classes, 0.1);
}

/** Generic parameters, and the statistics that batch norm sees with them in a random batch. */
export async function genericWeights(engine: GraphRuntime, config: NetworkConfig, seed: string): Promise<FlatWeights> {
  const inventory = inventoryOf(config);
  const parameters = genericParameters(inventory.parameters, seed);
  const statistics = initialValues(inventory.statistics, new Rng([seed, 'statistics']));
  const moments = { expAvg: new Float32Array(0), expAvgSq: new Float32Array(0) };
  const programs = new TrainingSession(engine, config, { ...defaultStep, clips: 4 });
  await programs.setWeights({ parameters, statistics, ...moments });
  return {
    parameters,
    statistics: await programs.statistics(clipsFrom(randomClips(config, 4, `${seed} statistics`), 4, config)),
  };
}
