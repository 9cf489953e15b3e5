/** Random weights with a scale that keeps all parts of a network active. */
import { makePreprocess, type Preprocess } from '../../src/clip/preprocess.js';
import { sizeOf } from '../../src/graph/shape.js';
import type { NetworkConfig } from '../../src/models/config.js';
import { type FlatWeights, inventoryOf } from '../../src/models/network.js';
import { parseNetworkConfig } from '../../src/models/registry.js';
import { countValues, type VariableSpec } from '../../src/models/variables.js';
import type { VideoMobileFormerConfig } from '../../src/models/videoMobileFormerConfig.js';
import { Rng } from '../../src/rng.js';
import { type Checkpoint, checkpointFile } from '../../src/weights/checkpoint.js';
import { writeSafetensors } from '../../src/weights/files.js';

export interface TinyChoice {
  readonly frames?: number;
  readonly height?: number;
  readonly width?: number;
  readonly classes?: number;
  readonly temporal?: 1 | 3;
}

/** A network of every kind of block that runs in a millisecond. */
export function tinyConfig({
  frames = 4,
  height = 32,
  width = 32,
  classes = 5,
  temporal = 3,
}: TinyChoice = {}): VideoMobileFormerConfig {
  const blocks = [
    { kind: 'lite', expand: 2, out: 8, stride: 2, temporal },
    { kind: 'mf', expand: 2, out: 8, temporal },
    { kind: 'down', expand: 2, expand2: 2, out: 12, temporal },
    { kind: 'mf', expand: 3, out: 16, temporal },
  ];
  const widths = { stem: 8, tokens: 2, tokenDim: 16, head: 32, groups: 1, dropout: 0 };
  const tiny = { family: 'video-mobile-former', name: 'tiny', layout: 'tiny', ...widths, blocks, frames, height, width, classes };
  return parseNetworkConfig(tiny, 'tiny') as VideoMobileFormerConfig;
}

export function randomWeights(config: NetworkConfig, seed = 0): FlatWeights {
  const { parameters, statistics } = inventoryOf(config);
  return { parameters: filled(parameters, seed), statistics: filled(statistics, seed) };
}

function filled(specs: readonly VariableSpec[], seed: number): Float32Array {
  const out = new Float32Array(countValues(specs));
  let at = 0;
  for (const spec of specs) {
    const rng = new Rng([seed, spec.name]);
    const end = at + sizeOf(spec.shape);
    for (; at < end; at++) out[at] = livelyValue(spec, rng);
  }
  return out;
}

function livelyValue({ name, shape, decay }: VariableSpec, rng: Rng): number {
  if (decay) return rng.normal(0, 0.9 / Math.sqrt(sizeOf(shape.slice(1))));
  if (name === 'tokens') return rng.normal();
  if (name.endsWith('running_var') || name.endsWith('.deviation')) return rng.uniform(0.5, 1.5);
  if (name.endsWith('weight')) return rng.uniform(0.7, 1.3);
  return rng.normal(0, 0.2);
}

export interface TinyWeights extends TinyChoice {
  readonly labels?: readonly string[];
  readonly preprocess?: Partial<Preprocess>;
  readonly notes?: Readonly<Record<string, string>>;
  readonly seed?: number;
}

export function tinyCheckpoint({
  labels = ['a', 'b', 'c', 'd', 'e'],
  preprocess,
  notes = {},
  seed,
  ...choice
}: TinyWeights = {}): Checkpoint {
  const config = tinyConfig({ ...choice, classes: labels.length });
  const { frames, height, width } = config;
  return {
    config,
    labels,
    preprocess: makePreprocess({ frames, height, width, resize: 'crop', ...preprocess }),
    notes,
    ...randomWeights(config, seed),
  };
}

/** Writes a weights file; gives its path back. */
export async function writeTinyWeights(path: string, choice: TinyWeights = {}): Promise<string> {
  await writeSafetensors(path, checkpointFile(tinyCheckpoint(choice)));
  return path;
}
