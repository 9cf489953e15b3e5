/** Weights by path or by name (Node). */
import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { systemCode, WeightsError } from '../errors.js';
import { type PretrainedWeights, pretrainedList, pretrainedNamed } from '../models/pretrained.js';
import { checkPretrained, pretrainedFileName } from './pretrainedFile.js';

/**
 * Path of weights given as the path of a file or, where there is no such file, as the name of pretrained weights, whose file is
 * checked. WeightsError when there is neither; whether something else is a file of weights shows when it is read.
 */
export async function locateWeights(given: string): Promise<string> {
  const found = await stat(given).catch(systemCode);
  const pretrained = pretrainedNamed(given);
  if (pretrained && (found === 'ENOENT' || (typeof found === 'object' && found.isDirectory()))) return pretrainedPath(pretrained);
  if (found !== 'ENOENT') return given;
  const hint = /[\\/]|[.](safetensors|onnx)$/i.test(given)
    ? ''
    : `, and no pretrained weights have this name: ${pretrainedList()}`;
  throw new WeightsError(`cannot be opened (ENOENT)${hint}; expected a file of weights`, { path: given });
}

/** Path of the file of pretrained weights in this package. WeightsError when it is missing or damaged. */
export async function pretrainedPath(weights: PretrainedWeights): Promise<string> {
  const path = fileURLToPath(new URL(`../../../pretrained/${pretrainedFileName(weights)}`, import.meta.url));
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new WeightsError(
      `the pretrained weights ${weights.name} cannot be opened (${systemCode(error)}); install the package again`,
      {
        path,
      },
    );
  });
  await checkPretrained(weights, new Uint8Array(bytes), path);
  return path;
}
