import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { defaultWeightsFor } from '../../src/models/pretrained.js';
import { defaultNetwork, networkConfig } from '../../src/models/registry.js';
import { parseCheckpoint } from '../../src/weights/checkpoint.js';
import { readSafetensors } from '../../src/weights/files.js';
import { locateWeights, pretrainedPath } from '../../src/weights/locateWeights.js';
import { isOnnxFile } from '../../src/weights/onnxFile.js';

/** Weights that runs start from. */
export interface StartWeights {
  /** As `init` of a job takes it. */
  readonly init: string;
  /** Of the pretrained weights, or the file's without its folder. */
  readonly name: string;
  /** SHA-256 of the file. */
  readonly sha256: string;
  /** The network's name; undefined for an ONNX network of other origin, which can be read but not trained. */
  readonly network: string | undefined;
}

/** `default` means those of the default network. ConfigError where there are none, WeightsError for a file that cannot be read. */
export async function startWeights(init: string): Promise<StartWeights> {
  const pretrained = init === 'default' ? defaultWeightsFor(networkConfig(defaultNetwork)) : undefined;
  const path = pretrained ? await pretrainedPath(pretrained) : await locateWeights(init);
  const isForeign = await isOnnxFile(path);
  return {
    ...{ init, name: pretrained?.name ?? basename(init) },
    sha256: createHash('sha256').update(readFileSync(path)).digest('hex'),
    network: isForeign ? undefined : parseCheckpoint(await readSafetensors(path), path).config.name,
  };
}
