/** The weights that `vmf suggest` reads: of a run, or pretrained ones that look at whole pictures. */
import { type ShapesOptions, shapesOf } from '../dataset/videoShapes.js';
import { ConfigError } from '../errors.js';
import { bestPretrained, pretrainedList, pretrainedNamed } from '../models/pretrained.js';
import { type Checkpoint, parseCheckpoint } from '../weights/checkpoint.js';
import { readSafetensors } from '../weights/files.js';
import { locateWeights, pretrainedPath } from '../weights/locateWeights.js';
import { isOnnxFile } from '../weights/onnxFile.js';
import { withWholeView } from './wholeView.js';

export interface SuggestWeights {
  readonly weights: Checkpoint;
  readonly where: string;
  /** For the user. */
  readonly notes: readonly string[];
}

/**
 * A file, a name, or the best pretrained weights. Rejects with a WeightsError for a file of another kind, a ConfigError for an ONNX file or
 * when there are no pretrained weights.
 */
export async function suggestWeights(
  given: string | undefined,
  films: readonly string[],
  options: ShapesOptions = {},
): Promise<SuggestWeights> {
  const pretrained = given === undefined ? bestPretrained() : pretrainedNamed(given);
  if (given === undefined && !pretrained) throw new ConfigError(`give --weights; pretrained weights: ${pretrainedList()}`);
  const where = pretrained ? await pretrainedPath(pretrained) : await locateWeights(given as string);
  if (await isOnnxFile(where))
    throw new ConfigError(`${where}: is an ONNX network; suggestions take the weights of a run (best.safetensors)`);
  const weights = parseCheckpoint(await readSafetensors(where), where);
  if (!pretrained) return { weights, where, notes: [] };
  const shapes = await shapesOf(
    films.map((path) => ({ path })),
    options,
  );
  const notes = given === undefined ? [`with ${pretrained.name}, which knows ${pretrained.knows}; --weights takes others`] : [];
  return { weights: withWholeView(weights, shapes), where: pretrained.name, notes };
}
