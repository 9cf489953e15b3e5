/** Synthetic videos and random weights for benchmarks that are given none. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePreprocess } from '../src/clip/preprocess.js';
import { inventoryOf } from '../src/models/network.js';
import { networkConfig } from '../src/models/registry.js';
import { initialValues } from '../src/models/variables.js';
import { Rng } from '../src/rng.js';
import { generateActions } from '../src/synth/generate.js';
import type { SynthOptions } from '../src/synth/options.js';
import type { Checkpoint } from '../src/weights/checkpoint.js';

/** Runs something with a temporary folder that is gone afterwards. */
export async function withFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'vmf-bench-'));
  try {
    return await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Draws synthetic actions into folder/actions and returns that path. */
export async function drawActions(folder: string, counts: SynthOptions['counts']): Promise<string> {
  const path = join(folder, 'actions');
  await generateActions(path, { counts });
  return path;
}

/** A network of this name as it is before training. */
export function freshCheckpoint(name: string, classes: number): Checkpoint {
  const config = networkConfig(name, { classes });
  const { parameters, statistics } = inventoryOf(config);
  return {
    config,
    parameters: initialValues(parameters, new Rng(['bench', 'parameters'])),
    statistics: initialValues(statistics, new Rng(['bench', 'statistics'])),
    labels: Array.from({ length: classes }, (_, i) => `class ${i}`),
    preprocess: makePreprocess({ frames: config.frames, height: config.height, width: config.width }),
    notes: {},
  };
}
